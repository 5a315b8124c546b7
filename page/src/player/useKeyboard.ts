/** Keys of the player, on a keyboard or a remote control. */
import { useLayoutEffect } from "preact/hooks";
import { actionOf, belongsToFocus, focusOf } from "./keys";
import type { Playback } from "./playback";

/** What keys do beside the playback itself. Each keeps its identity from one render to the next. */
interface Actions {
  zap: (steps: number) => void;
  typeNumber: (digit: string) => void;
  /** Tunes to the typed number; returns false if none is typed. */
  commitNumber: () => boolean;
  /** Shows a short message. */
  say: (text: string) => void;
  /** Shows the controls. */
  wake: () => void;
  fill: () => void;
  toggleSignal: () => void;
  togglePip: () => void;
}

export function useKeyboard(
  root: { current: HTMLElement | null },
  playback: Playback | undefined,
  actions: Actions,
): void {
  const { zap, typeNumber, commitNumber, say, wake, fill, toggleSignal, togglePip } = actions;
  // As soon as the player is there, and no longer than that.
  useLayoutEffect(() => {
    if (!playback) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      if (belongsToFocus(focusOf(event.target, root.current), event.key)) return;
      if (moveInToolbar(event)) {
        event.preventDefault();
        wake();
        return;
      }
      const action = actionOf(event);
      if (action === undefined) return;
      switch (action.kind) {
        case "toggle":
          playback.togglePause();
          break;
        case "seek":
          playback.seekBy(action.seconds);
          break;
        case "zap":
          zap(action.steps);
          break;
        case "digit":
          typeNumber(action.digit);
          break;
        case "enter":
          // With a remote control this is the way to the buttons.
          if (!commitNumber()) enterButtons(root.current);
          break;
        case "volume":
          playback.setVolume(playback.state.volume + action.change);
          say(`Volume ${Math.round(playback.state.volume * 100)} %`);
          break;
        case "mute":
          playback.toggleMute();
          break;
        case "fullscreen":
          fill();
          break;
        case "pip":
          togglePip();
          break;
        case "live":
          playback.goLive();
          break;
        case "signal":
          toggleSignal();
          break;
        case "sound":
          say(`Sound: ${playback.tracks.nextSound() ?? "only one track"}`);
          break;
        case "subtitles":
          say(
            playback.state.subtitles.length === 0
              ? "No subtitles"
              : `Subtitles: ${playback.tracks.nextSubtitle() ?? "off"}`,
          );
          break;
      }
      event.preventDefault();
      wake();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [root, playback, zap, typeNumber, commitNumber, say, wake, fill, toggleSignal, togglePip]);
}

/** Focus the first button of the message about trouble, or else of the controls. */
function enterButtons(player: HTMLElement | null): void {
  const [first] = [".trouble button", ".controls button"].flatMap(
    (each) => player?.querySelector<HTMLElement>(each) ?? [],
  );
  first?.focus();
}

/** Move the focus along the buttons, or with "up" back to the picture. Return whether it moved. */
function moveInToolbar(event: KeyboardEvent): boolean {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 0 }[event.key];
  const focused = event.target instanceof HTMLElement ? event.target : null;
  const toolbar = focused?.closest(".controls, .trouble");
  if (steps === undefined || !focused || !toolbar) return false;
  if (steps === 0) {
    focused.blur();
    return true;
  }
  const all = Array.from(toolbar.querySelectorAll<HTMLElement>("button, a[href], input, select"));
  const shown = all.filter((control) => control.offsetParent !== null);
  shown[(shown.indexOf(focused) + steps + shown.length) % shown.length]?.focus();
  return true;
}

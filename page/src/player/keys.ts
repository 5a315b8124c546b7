/** What a key means to the player. */

export type Action =
  | { kind: "toggle" | "fullscreen" | "mute" | "subtitles" | "sound" | "live" | "signal" | "enter" }
  | { kind: "pip" }
  | { kind: "seek"; seconds: number }
  | { kind: "zap"; steps: number }
  | { kind: "volume"; change: number }
  | { kind: "digit"; digit: string };

interface Key {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

const ACTIONS = new Map<string, Action>(
  Object.entries({
    " ": { kind: "toggle" },
    k: { kind: "toggle" },
    MediaPlayPause: { kind: "toggle" },
    ArrowLeft: { kind: "seek", seconds: -10 },
    ArrowRight: { kind: "seek", seconds: 10 },
    MediaRewind: { kind: "seek", seconds: -10 },
    MediaFastForward: { kind: "seek", seconds: 10 },
    // As on a remote control: up is the next higher number.
    ArrowUp: { kind: "zap", steps: 1 },
    ArrowDown: { kind: "zap", steps: -1 },
    PageUp: { kind: "zap", steps: 1 },
    PageDown: { kind: "zap", steps: -1 },
    ChannelUp: { kind: "zap", steps: 1 },
    ChannelDown: { kind: "zap", steps: -1 },
    MediaTrackNext: { kind: "zap", steps: 1 },
    MediaTrackPrevious: { kind: "zap", steps: -1 },
    "+": { kind: "volume", change: 0.1 },
    "-": { kind: "volume", change: -0.1 },
    f: { kind: "fullscreen" },
    m: { kind: "mute" },
    s: { kind: "subtitles" },
    c: { kind: "subtitles" },
    a: { kind: "sound" },
    l: { kind: "live" },
    i: { kind: "signal" },
    p: { kind: "pip" },
    Enter: { kind: "enter" },
  } satisfies Record<string, Action>),
);

/** Return what a key does; undefined for one that belongs to the browser. */
export function actionOf(event: Key): Action | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  if (/^[0-9]$/.test(event.key)) return { kind: "digit", digit: event.key };
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return ACTIONS.get(key);
}

/** Keys that press the control which has the focus. */
const PRESSING = new Set([" ", "Enter"]);
/** Keys that lead from one control to another, or change the value of one. */
const MOVING = new Set([
  ...["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"],
  ...["PageUp", "PageDown", "Home", "End", "Escape"],
]);

/** Where the focus is when a key comes. */
export interface Focus {
  /** In the player, or nowhere. */
  isPlayers: boolean;
  /** A field for text or a dialog, whose keys are all its own. */
  isField: boolean;
  /** A list or a slider, which keys change. */
  isChoice: boolean;
  isButton: boolean;
}

/** Return whether a key belongs to what has the focus, rather than to the player. */
export function belongsToFocus({ isPlayers, isField, isChoice, isButton }: Focus, key: string) {
  if (isField) return true;
  if (isChoice) return MOVING.has(key) || PRESSING.has(key) || key.length === 1;
  if (!isPlayers) return MOVING.has(key) || PRESSING.has(key);
  return isButton && PRESSING.has(key);
}

/** Look where the focus is. */
export function focusOf(target: EventTarget | null, player: Element | null): Focus {
  const element = target instanceof Element ? target : null;
  const is = (selector: string) => element?.closest(selector) != null;
  return {
    isPlayers: element === null || element === document.body || !!player?.contains(element),
    isField: is(
      "dialog, input:not([type=range]):not([type=checkbox]), textarea, [contenteditable]",
    ),
    isChoice: is("select, input[type=range]"),
    isButton: is("button, a[href], summary, input[type=checkbox]"),
  };
}

/** Plays a channel. */
import "./player.css";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, change, read, relative } from "../api/client";
import type { components } from "../api/schema";
import type { Channel, Programme } from "../api/types";
import { Controls } from "./Controls";
import { Icon } from "./icons";
import { actionOf, belongsToFocus, focusOf } from "./keys";
import { COMPLETE_MS, ENTRY_MS, type Entry, neighbour, typeDigit } from "./number-entry";
import { Playback, type State } from "./playback";
import { SeekBar } from "./SeekBar";
import { SignalPanel } from "./SignalPanel";
import {
  followMediaKeys,
  keepScreenOn,
  offersPictureInPicture,
  toggleFullscreen,
  togglePictureInPicture,
  type WebKitVideo,
} from "./system";
import { TroublePanel } from "./TroublePanel";
import { isLive } from "./timeline";
import type { TunerUser } from "./trouble";

type Guide = components["schemas"]["Guide"];

export interface PlayerProps {
  /** What plays. */
  channel: Channel;
  /** All channels, in the order in which up and down zap. */
  channels: readonly Channel[];
  /** Called when the player itself goes to another channel: by key, number or swipe. */
  onZap: (channel: Channel) => void;
}

/** Controls leave the picture after this time without a hand on anything, in ms. */
const CONTROLS_MS = 3000;
/** A short message stays so long, in ms. */
const NOTE_MS = 1800;
/** What is on is asked for again so often, in ms. */
const PROGRAMME_MS = 60_000;
/** Part of the player's height by which a finger has to move to zap. */
const SWIPE_PART = 0.2;

/** Return the address of a channel's index. */
function indexUrl(channel: Channel): string {
  return new URL(`hls/${encodeURIComponent(channel.id)}/index.m3u8`, document.baseURI).href;
}

export function Player({ channel, channels, onZap }: PlayerProps) {
  const root = useRef<HTMLElement>(null);
  const video = useRef<WebKitVideo>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const fields = useRef<HTMLCanvasElement>(null);
  const images = useRef<HTMLCanvasElement>(null);
  const cues = useRef<HTMLDivElement>(null);
  const [playback, setPlayback] = useState<Playback | undefined>(undefined);
  const [reported, setState] = useState<State | undefined>(undefined);
  const url = indexUrl(channel);
  const state = stateOf(reported, url);
  const [isSignalOpen, setSignalOpen] = useState(false);
  const closeSignal = useCallback(() => setSignalOpen(false), []);
  const [isFullscreen, setFullscreen] = useState(false);
  const [note, say] = useNote();
  const [isAwake, wake] = useControlsTimer(state?.phase);
  const programmes = useProgrammes(channel);
  const live = useIsLive(playback, video.current, isAwake);

  useEffect(() => {
    const elements = {
      video: video.current,
      still: still.current,
      fields: fields.current,
      images: images.current,
      cues: cues.current,
    };
    if (!elements.video || !elements.still || !elements.fields) return;
    if (!elements.images || !elements.cues) return;
    const made = new Playback(elements as ConstructorParameters<typeof Playback>[0], setState);
    setState(made.state);
    setPlayback(made);
    return () => made.destroy();
  }, []);

  useEffect(() => {
    playback?.tune(url);
    wake();
  }, [playback, url, wake]);

  const zap = useCallback(
    (steps: number) => {
      const next = neighbour(channels, channel.id, steps);
      if (next && next.id !== channel.id) onZap(next);
    },
    [channels, channel.id, onZap],
  );
  const [entry, typeNumber, commitNumber] = useNumberEntry(channels, onZap);

  const now = programmes.find(isOn);
  useEffect(() => {
    if (!playback) return;
    return followMediaKeys(channel, now, {
      play: () => video.current?.paused && playback.togglePause(),
      pause: () => video.current?.paused || playback.togglePause(),
      zap,
      seek: (seconds) => playback.seekBy(seconds),
    });
  }, [playback, channel, now, zap]);

  const isPlaying = state?.phase === "playing";
  const isScreenWanted = isPlaying && !state?.isRadio;
  useEffect(() => (isScreenWanted ? keepScreenOn() : undefined), [isScreenWanted]);

  useEffect(() => {
    const follow = () => setFullscreen(document.fullscreenElement === root.current);
    document.addEventListener("fullscreenchange", follow);
    return () => document.removeEventListener("fullscreenchange", follow);
  }, []);

  const fill = useCallback(() => {
    if (root.current && video.current) void toggleFullscreen(root.current, video.current);
  }, []);

  useEffect(() => {
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
          if (video.current) void togglePictureInPicture(video.current);
          break;
        case "live":
          playback.goLive();
          break;
        case "signal":
          setSignalOpen((is) => !is);
          break;
        case "sound":
          say(`Sound: ${playback.nextSound() ?? "only one"}`);
          break;
        case "subtitles":
          say(
            playback.state.subtitles.length === 0
              ? "No subtitles"
              : `Subtitles: ${playback.nextSubtitle() ?? "off"}`,
          );
          break;
      }
      event.preventDefault();
      wake();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [playback, zap, typeNumber, commitNumber, say, wake, fill]);

  const swipe = useSwipe(root, zap);
  const offers = useMemo(
    () => ({
      pip: video.current ? offersPictureInPicture(video.current) : false,
      airplay: typeof video.current?.webkitShowPlaybackTargetPicker === "function",
    }),
    // Known once the video element is there.
    [playback],
  );

  const end = async (user: TunerUser) => {
    try {
      await change("DELETE", `/streams/${encodeURIComponent(user.streamId ?? "")}`);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    playback?.retry();
  };
  const phase = state?.phase ?? "opening";
  const areControlsShown = isAwake || isSignalOpen || !isRunning(phase);

  return (
    <section
      ref={root}
      class={`player ${areControlsShown ? "player-awake" : ""}`}
      aria-label={`Player: ${channel.name}`}
      data-testid="player"
      data-phase={phase}
      data-channel={channel.id}
      data-first-picture-ms={state?.firstPictureMs}
      data-deinterlace={state?.deinterlace}
      data-live={live && phase !== "trouble"}
      onPointerMove={wake}
      onFocusCapture={wake}
      {...swipe}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: buttons and keys do the same */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: space and f do the same */}
      <div
        class="stage"
        onDblClick={fill}
        onClick={(event) => {
          // A tap shows the controls; a click of a mouse pauses, as everywhere.
          if ((event as unknown as PointerEvent).pointerType === "mouse") playback?.togglePause();
        }}
      >
        {/* biome-ignore lint/a11y/useMediaCaption: subtitles are drawn over the picture */}
        <video ref={video} playsInline data-testid="video" tabIndex={-1} />
        <canvas ref={fields} class="fields" hidden data-testid="fields" />
        <canvas ref={still} class="still" hidden data-testid="still" />
        {state?.isRadio && <RadioCard channel={channel} programme={now} />}
        <canvas ref={images} class="images" data-testid="subtitle-images" />
        <div ref={cues} class="cues" data-testid="subtitles" />
      </div>
      {(phase === "opening" || phase === "waiting") && (
        <div class="spinner" role="status" aria-label="Loading" data-testid="loading" />
      )}
      <header class="overlay overlay-top">
        <p class="title">
          <b>
            {channel.number} {channel.name}
          </b>
          {now && <span>{now.title}</span>}
        </p>
      </header>
      {state?.isMutedByBrowser && state.isMuted && phase !== "trouble" && (
        <button
          type="button"
          class="unmute"
          data-testid="unmute"
          onClick={() => playback?.toggleMute()}
        >
          <Icon name="mute" /> Turn the sound on
        </button>
      )}
      {entry && (
        <output class="number-entry" data-testid="number-entry">
          <b>{entry.digits}</b> {entry.match?.name ?? "…"}
        </output>
      )}
      <p class={`note ${note ? "" : "note-empty"}`} role="status" data-testid="note">
        {note}
      </p>
      {isSignalOpen && playback && (
        <SignalPanel
          playback={playback}
          onDeinterlace={(isWanted) => playback.setDeinterlace(isWanted)}
          onClose={closeSignal}
        />
      )}
      {state?.trouble && phase === "trouble" && playback && (
        <TroublePanel
          channel={channel}
          trouble={state.trouble}
          onRetry={() => playback.retry()}
          onEnd={end}
        />
      )}
      {playback && state && video.current && (
        <footer class="overlay overlay-bottom">
          <SeekBar
            playback={playback}
            video={video.current}
            programmes={programmes}
            isVisible={areControlsShown}
          />
          <Controls
            state={state}
            isLive={live && phase !== "trouble"}
            isSignalOpen={isSignalOpen}
            isFullscreen={isFullscreen}
            offers={offers}
            onToggle={() => playback.togglePause()}
            onSeek={(seconds) => playback.seekBy(seconds)}
            onLive={() => playback.goLive()}
            onZap={zap}
            onMute={() => playback.toggleMute()}
            onVolume={(volume) => playback.setVolume(volume)}
            onSound={(value) => playback.chooseSound(value)}
            onSubtitle={(value) => playback.chooseSubtitle(value)}
            onSignal={() => setSignalOpen((is) => !is)}
            onPip={() => video.current && void togglePictureInPicture(video.current)}
            onAirplay={() => video.current?.webkitShowPlaybackTargetPicker?.()}
            onFullscreen={fill}
          />
        </footer>
      )}
    </section>
  );
}

/** Focus the first button: of what is wrong, or of the controls. */
function enterButtons(player: HTMLElement | null): void {
  const [first] = [".trouble button", ".controls button"].flatMap(
    (each) => player?.querySelector<HTMLElement>(each) ?? [],
  );
  first?.focus();
}

/** Move the focus along the buttons, and by "up" back to the picture. Returns whether it did. */
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

/** Return the state of an index: what is still reported of the one before is not this one's. */
function stateOf(reported: State | undefined, url: string): State | undefined {
  if (reported === undefined || reported.url === url) return reported;
  return { ...reported, phase: "opening", trouble: undefined, firstPictureMs: undefined };
}

function RadioCard({ channel, programme }: { channel: Channel; programme: Programme | undefined }) {
  return (
    <div class="radio">
      {channel.logo_url && <img src={relative(channel.logo_url)} alt="" />}
      <b>{channel.name}</b>
      {programme && <span>{programme.title}</span>}
    </div>
  );
}

function isOn({ begin, end }: Programme): boolean {
  const now = Date.now();
  return Date.parse(begin) <= now && now < Date.parse(end);
}

/** A message that leaves by itself. */
function useNote(): [string, (text: string) => void] {
  const [note, setNote] = useState("");
  const timer = useRef(0);
  const say = useCallback((text: string) => {
    setNote(text);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setNote(""), NOTE_MS);
  }, []);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return [note, say];
}

/** Whether pictures run, apart from a stop that passes by itself. */
function isRunning(phase: State["phase"] | undefined): boolean {
  return phase === "playing" || phase === "waiting";
}

/** Whether the controls are shown, and what shows them for a while. */
function useControlsTimer(phase: State["phase"] | undefined): [boolean, () => void] {
  const [isAwake, setAwake] = useState(true);
  const timer = useRef(0);
  const wake = useCallback(() => {
    setAwake(true);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setAwake(false), CONTROLS_MS);
  }, []);
  // What begins, ends or pauses shows the controls.
  const runs = isRunning(phase);
  useEffect(() => wake(), [runs, wake]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return [isAwake, wake];
}

/** The channel's programmes around now. */
function useProgrammes(channel: Channel): readonly Programme[] {
  const [programmes, setProgrammes] = useState<readonly Programme[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    setProgrammes([]);
    const ask = () => {
      if (document.hidden) return;
      const from = new Date(Date.now() - 6 * 3_600_000).toISOString();
      const to = new Date(Date.now() + 3_600_000).toISOString();
      read<Guide>("/guide", { channel: channel.id, from, to, limit: 100 }, abort.signal)
        .then((guide) => setProgrammes(guide.programmes))
        // Without a guide the player has no titles; the list says what is wrong.
        .catch(() => {});
    };
    ask();
    const timer = setInterval(ask, PROGRAMME_MS);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [channel.id]);
  return programmes;
}

/** Whether the picture is live; looked at while somebody sees it. */
function useIsLive(
  playback: Playback | undefined,
  video: HTMLVideoElement | null,
  isShown: boolean,
): boolean {
  const [live, setLive] = useState(true);
  useEffect(() => {
    if (!playback || !video) return;
    const look = () => {
      const window = playback.window();
      setLive(!window || isLive(window, video.currentTime));
    };
    look();
    const timer = setInterval(look, isShown ? 500 : 2000);
    return () => clearInterval(timer);
  }, [playback, video, isShown]);
  return live;
}

/** Digits that are being typed, what takes one more, and what tunes at once. */
function useNumberEntry(
  channels: readonly Channel[],
  onZap: (channel: Channel) => void,
): [Entry<Channel> | undefined, (digit: string) => void, () => boolean] {
  const [entry, setEntry] = useState<Entry<Channel> | undefined>(undefined);
  const current = useRef<Entry<Channel> | undefined>(undefined);
  const timer = useRef(0);
  const commit = useCallback(() => {
    const typed = current.current;
    window.clearTimeout(timer.current);
    current.current = undefined;
    setEntry(undefined);
    if (typed?.match) onZap(typed.match);
    return typed !== undefined;
  }, [onZap]);
  const type = useCallback(
    (digit: string) => {
      const next = typeDigit(channels, current.current?.digits ?? "", digit);
      current.current = next;
      setEntry(next);
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(commit, next.isComplete ? COMPLETE_MS : ENTRY_MS);
    },
    [channels, commit],
  );
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return [entry, type, commit];
}

/** A finger that moves up or down zaps. */
function useSwipe(root: { current: HTMLElement | null }, zap: (steps: number) => void) {
  const start = useRef<{ x: number; y: number } | undefined>(undefined);
  return {
    onTouchStart: (event: TouchEvent) => {
      const touch = event.touches.length === 1 ? event.touches[0] : undefined;
      const isOnPicture = event.target instanceof Element && event.target.closest(".stage");
      start.current = touch && isOnPicture ? { x: touch.clientX, y: touch.clientY } : undefined;
    },
    onTouchEnd: (event: TouchEvent) => {
      const [began, touch] = [start.current, event.changedTouches[0]];
      start.current = undefined;
      if (!began || !touch) return;
      const down = touch.clientY - began.y;
      const across = touch.clientX - began.x;
      const least = (root.current?.clientHeight ?? 0) * SWIPE_PART;
      if (Math.abs(down) < least || Math.abs(down) < 2 * Math.abs(across)) return;
      zap(down < 0 ? 1 : -1);
    },
  };
}

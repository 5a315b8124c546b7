/** Timers and gestures of the player, as hooks. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { read } from "../api/client";
import type { Channel, Guide, Programme } from "../api/types";
import { COMPLETE_MS, ENTRY_MS, type Entry, typeDigit } from "./number-entry";
import type { Playback } from "./playback";
import type { State } from "./state";
import { isLive } from "./timeline";

/** Time without input after which the controls are hidden, in ms. */
const CONTROLS_MS = 3000;
/** Time that a short message is shown, in ms. */
const NOTE_MS = 1800;
/** Time between requests for the programmes, in ms. */
const PROGRAMME_MS = 60_000;
/** Part of the player's height by which a finger has to move to zap. */
const SWIPE_PART = 0.2;

/** Tell whether a programme is on now. */
export function isOn({ begin, end }: Programme): boolean {
  const now = Date.now();
  return Date.parse(begin) <= now && now < Date.parse(end);
}

/** Return a message that disappears by itself, and a function that shows one. */
export function useNote(): [string, (text: string) => void] {
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

/** Tell whether the channel plays, perhaps with a short stop. */
export function isRunning(phase: State["phase"] | undefined): boolean {
  return phase === "playing" || phase === "waiting";
}

/** Return whether the controls are shown, and a function that shows them for a while. */
export function useControlsTimer(phase: State["phase"] | undefined): [boolean, () => void] {
  const [isAwake, setAwake] = useState(true);
  const timer = useRef(0);
  const wake = useCallback(() => {
    setAwake(true);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setAwake(false), CONTROLS_MS);
  }, []);
  // Show the controls when playback begins, ends or pauses.
  const runs = isRunning(phase);
  useEffect(() => wake(), [runs, wake]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return [isAwake, wake];
}

/** Return the channel's programmes around now. */
export function useProgrammes(channel: Channel): readonly Programme[] {
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
        // Without a guide the player shows no titles; the channel list shows the reason.
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

/** Return whether the picture is live. */
export function useIsLive(
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

/** Return the typed digits, a function that adds one, and a function that tunes at once. */
export function useNumberEntry(
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

/** Return handlers that zap when a finger moves up or down. */
export function useSwipe(root: { current: HTMLElement | null }, zap: (steps: number) => void) {
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

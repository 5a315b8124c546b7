/** Arithmetic of the time line: media time, wall-clock time, and places on the seek bar. */

/** A stretch of media whose wall-clock time is known. */
export interface Span {
  /** Media time, in seconds. */
  start: number;
  end: number;
  /** Wall-clock time of the start, in ms since 1970. */
  at: number;
}

/** What can be sought at present. */
export interface Window {
  /** Media time, in seconds. */
  start: number;
  end: number;
  /** Where playback is as live as it goes. */
  live: number;
  spans: readonly Span[];
}

/** How far behind the live position still counts as live, in seconds. */
export const LIVE_TOLERANCE_S = 2.5;

/** Distance from the window's start within which nothing is sought: it is about to leave, in seconds. */
export const WINDOW_EDGE_S = 1;

function nearest(spans: readonly Span[], distance: (span: Span) => number): Span | undefined {
  let best: Span | undefined;
  for (const span of spans) {
    if (best === undefined || distance(span) < distance(best)) best = span;
  }
  return best;
}

function outside(value: number, from: number, to: number): number {
  return value < from ? from - value : value > to ? value - to : 0;
}

/** Return the wall-clock time (ms) of a media time; undefined if no span contains it. */
export function wallClock(spans: readonly Span[], time: number): number | undefined {
  const span = nearest(spans, (each) => outside(time, each.start, each.end));
  return span === undefined ? undefined : span.at + (time - span.start) * 1000;
}

/** Return the media time of a wall-clock time (ms); undefined if no span contains it. */
export function mediaTime(spans: readonly Span[], at: number): number | undefined {
  const span = nearest(spans, (each) =>
    outside(at, each.at, each.at + (each.end - each.start) * 1000),
  );
  return span === undefined ? undefined : span.start + (at - span.at) / 1000;
}

/** Return a media time that may be sought, as near to the wish as the window has it. */
export function withinWindow(window: Window, wish: number): number {
  const first = Math.min(window.start + WINDOW_EDGE_S, window.live);
  return Math.min(Math.max(wish, first), window.live);
}

/** Return whether playback at `time` is live. */
export function isLive(window: Window, time: number): boolean {
  return window.live - time <= LIVE_TOLERANCE_S;
}

/** Return the place of a media time on the bar, from 0 to 1. */
export function place(window: Window, time: number): number {
  const length = window.live - window.start;
  return length <= 0 ? 1 : Math.min(Math.max((time - window.start) / length, 0), 1);
}

/** Return the media time of a place on the bar. */
export function timeAt(window: Window, where: number): number {
  return window.start + Math.min(Math.max(where, 0), 1) * (window.live - window.start);
}

export interface Border {
  /** Place on the bar, from 0 to 1. */
  place: number;
  title: string;
}

/** Return where programmes begin within the window. */
export function borders(
  window: Window,
  programmes: readonly { begin: string; title: string }[],
): Border[] {
  return programmes.flatMap(({ begin, title }) => {
    const time = mediaTime(window.spans, Date.parse(begin));
    if (time === undefined || time <= window.start || time >= window.live) return [];
    return [{ place: place(window, time), title }];
  });
}

/** Return a duration as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}

/** Return whether a playlist that ended leaves nothing to play: the rest is shorter than two of its
 * segments, and the pictures stand where they stood before. The tracks of a broken stream end apart from each other, and
 * hls.js tells the video element of an end only where all of them reach it. */
export function isPlayedOut(
  { live, edge, targetduration }: { live: boolean; edge: number; targetduration: number },
  time: number,
  before: number,
): boolean {
  return !live && time === before && edge - time < 2 * targetduration;
}

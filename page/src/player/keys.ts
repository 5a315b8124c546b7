/** What a key means to the player. */

export type Action =
  | { kind: "toggle" | "fullscreen" | "mute" | "subtitles" | "sound" | "live" | "signal" | "enter" }
  | { kind: "pip" | "escape" }
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
    Escape: { kind: "escape" },
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
/** Keys that change the value of the control which has the focus. */
const CHANGING = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown"]);

/** Return whether a key belongs to the control that has the focus, rather than to the player. */
export function belongsToControl(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input:not([type=range]), textarea, [contenteditable], [role=menu]"))
    return true;
  if (target.closest("select, input[type=range]")) {
    return CHANGING.has(key) || PRESSING.has(key) || key.length === 1;
  }
  return PRESSING.has(key) && target.closest("button, a[href], summary") !== null;
}

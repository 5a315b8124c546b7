/** What the system offers beside the page: media keys, wake lock, picture in picture, AirPlay. */
import { relative } from "../api/client";
import type { Channel, Programme } from "../api/types";

export interface MediaKeys {
  play(): void;
  pause(): void;
  zap(steps: number): void;
  seek(seconds: number): void;
}

/** Tell the system what plays, and follow its media keys. Returns what ends that. */
export function followMediaKeys(
  channel: Channel,
  programme: Programme | null | undefined,
  keys: MediaKeys,
): () => void {
  if (!("mediaSession" in navigator)) return () => {};
  const session = navigator.mediaSession;
  session.metadata = new MediaMetadata({
    title: programme?.title ?? channel.name,
    artist: channel.name,
    ...(channel.logo_url ? { artwork: [{ src: relative(channel.logo_url) }] } : {}),
  });
  const handlers: [MediaSessionAction, MediaSessionActionHandler][] = [
    ["play", () => keys.play()],
    ["pause", () => keys.pause()],
    ["nexttrack", () => keys.zap(1)],
    ["previoustrack", () => keys.zap(-1)],
    ["seekbackward", (details) => keys.seek(-(details.seekOffset ?? 10))],
    ["seekforward", (details) => keys.seek(details.seekOffset ?? 10)],
  ];
  const set = (action: MediaSessionAction, handler: MediaSessionActionHandler | null) => {
    try {
      session.setActionHandler(action, handler);
    } catch {
      // A browser that does not know the action.
    }
  };
  for (const [action, handler] of handlers) set(action, handler);
  return () => {
    session.metadata = null;
    for (const [action] of handlers) set(action, null);
  };
}

/** Keep the screen on. Returns what lets it go off again. */
export function keepScreenOn(): () => void {
  if (!("wakeLock" in navigator)) return () => {};
  let lock: WakeLockSentinel | undefined;
  let isOver = false;
  const take = () => {
    if (document.hidden || isOver) return;
    navigator.wakeLock.request("screen").then(
      (taken) => {
        lock = taken;
        if (isOver) void taken.release();
      },
      // Battery saving, or a page without https: the screen follows its own rule.
      () => {},
    );
  };
  take();
  // The browser takes it back whenever the page is hidden.
  document.addEventListener("visibilitychange", take);
  return () => {
    isOver = true;
    document.removeEventListener("visibilitychange", take);
    void lock?.release();
  };
}

/** Safari's own names. */
export interface WebKitVideo extends HTMLVideoElement {
  webkitShowPlaybackTargetPicker?: () => void;
  webkitEnterFullscreen?: () => void;
  webkitSetPresentationMode?: (mode: "inline" | "picture-in-picture" | "fullscreen") => void;
  webkitPresentationMode?: string;
}

export function offersPictureInPicture(video: WebKitVideo): boolean {
  return document.pictureInPictureEnabled || video.webkitSetPresentationMode !== undefined;
}

export async function togglePictureInPicture(video: WebKitVideo): Promise<void> {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else if (document.pictureInPictureEnabled) await video.requestPictureInPicture();
    else {
      const isInline = video.webkitPresentationMode !== "picture-in-picture";
      video.webkitSetPresentationMode?.(isInline ? "picture-in-picture" : "inline");
    }
  } catch {
    // Without a picture yet, or not allowed by the system.
  }
}

/** Fill the screen with the player and its controls; on iPhones with the picture only. */
export async function toggleFullscreen(player: HTMLElement, video: WebKitVideo): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if ("requestFullscreen" in player) await player.requestFullscreen();
    else video.webkitEnterFullscreen?.();
  } catch {
    // Not allowed by the system.
  }
}

/** Chooses the engine: hls.js, or the browser's own player where hls.js cannot run. */
import type { Engine, EngineEvents } from "./engine";
import { HlsEngine } from "./hls-engine";
import { NativeEngine } from "./native-engine";

/**
 * Return an engine that plays `url`; undefined if this browser has none. `sound` is the preferred
 * language.
 */
export function engineFor(
  video: HTMLVideoElement,
  url: string,
  sound: string | null,
  events: EngineEvents,
): Engine | undefined {
  if (HlsEngine.isSupported()) return new HlsEngine(video, url, sound ?? undefined, events);
  return NativeEngine.isSupported() ? new NativeEngine(video, url, events) : undefined;
}

/** Playback by the browser itself, where it has no Media Source Extensions: iPhones. */
import {
  bufferedAhead,
  type Engine,
  type EngineEvents,
  type Figures,
  type SoundTrack,
  type TextTrackChoice,
} from "./engine";
import type { ImageRendition } from "./image-cues";
import type { Window } from "./timeline";
import { readRefusal } from "./trouble";

/** WebKit has these for its own HLS; the DOM types do not. */
interface WebKitAudioTrack {
  enabled: boolean;
  kind: string;
  language: string;
}
interface WebKitVideo extends HTMLVideoElement {
  audioTracks?: ArrayLike<WebKitAudioTrack>;
  getStartDate?: () => Date;
}

/** How far behind the end of what can be sought the live position is, in seconds. */
const LIVE_S = 6;

export class NativeEngine implements Engine {
  readonly #video: WebKitVideo;
  readonly #url: string;
  readonly #events: EngineEvents;
  readonly #abort = new AbortController();
  readonly images: ImageRendition[] = [];
  isInterlaced = false;
  readonly codedHeight = undefined;
  isRadio = false;

  static isSupported(): boolean {
    return document.createElement("video").canPlayType("application/vnd.apple.mpegurl") !== "";
  }

  constructor(video: HTMLVideoElement, url: string, events: EngineEvents) {
    this.#video = video;
    this.#url = url;
    this.#events = events;
    const signal = this.#abort.signal;
    const changed = () => events.onTracks();
    video.addEventListener("loadedmetadata", changed, { signal });
    video.textTracks.addEventListener("addtrack", changed, { signal });
    video.addEventListener("ended", () => events.onTrouble({ kind: "ended" }), { signal });
    video.addEventListener("error", () => void this.#explain(), { signal });
    video.src = url;
    void this.#readIndex();
  }

  /** Read what the browser does not tell of the index. */
  async #readIndex(): Promise<void> {
    try {
      const answer = await fetch(this.#url, { signal: this.#abort.signal });
      if (!answer.ok) return;
      const index = await answer.text();
      this.isInterlaced = /DATA-ID="org\.xg2g\.interlaced",VALUE="yes"/.test(index);
      this.isRadio = !/RESOLUTION=/.test(index);
    } catch {
      // The video element meets the same trouble, and reports it.
    }
  }

  /** Request the playlist to learn the reason, which a video element does not tell. */
  async #explain(): Promise<void> {
    const signal = this.#abort.signal;
    try {
      const headers = { Accept: "application/problem+json" };
      const answer = await fetch(this.#url, { headers, signal });
      if (answer.ok) {
        const detail = this.#video.error?.message || "The picture did not decode.";
        this.#events.onTrouble({ kind: "media", isLasting: false, detail });
        return;
      }
      const code = answer.headers.get("X-HDHomeRun-Error");
      this.#events.onTrouble(readRefusal(answer.status, code, await answer.text()));
    } catch {
      if (!signal.aborted) this.#events.onTrouble({ kind: "network" });
    }
  }

  get #audioTracks(): WebKitAudioTrack[] {
    return Array.from(this.#video.audioTracks ?? []);
  }

  get sounds(): SoundTrack[] {
    return this.#audioTracks.map((track, id) => ({
      id,
      language: track.language || null,
      isDescription: /descri/.test(track.kind),
      channels: undefined,
    }));
  }

  get #textTracks(): TextTrack[] {
    return Array.from(this.#video.textTracks).filter((track) =>
      ["subtitles", "captions"].includes(track.kind),
    );
  }

  get texts(): TextTrackChoice[] {
    return this.#textTracks.map((track, id) => ({
      id,
      language: track.language || null,
      isHearingImpaired: track.kind === "captions",
    }));
  }

  sound(): number | undefined {
    const at = this.#audioTracks.findIndex((track) => track.enabled);
    return at < 0 ? undefined : at;
  }

  setSound(id: number): void {
    for (const [index, track] of this.#audioTracks.entries()) track.enabled = index === id;
  }

  setText(id: number | undefined): void {
    for (const [index, track] of this.#textTracks.entries()) {
      // The browser draws them: in full screen nothing of the page lies over the picture.
      track.mode = index === id ? "showing" : "disabled";
    }
  }

  cuesAt(): VTTCue[] {
    return [];
  }

  holdBack(): void {
    // The browser is far enough behind.
  }

  window(): Window | undefined {
    const { seekable } = this.#video;
    if (seekable.length === 0) return undefined;
    const [start, end] = [seekable.start(0), seekable.end(seekable.length - 1)];
    const began = this.#video.getStartDate?.().getTime();
    const spans = began === undefined || Number.isNaN(began) ? [] : [{ start: 0, end, at: began }];
    return { start, end, live: Math.max(start, end - LIVE_S), spans };
  }

  figures(): Figures {
    const window = this.window();
    return {
      width: this.#video.videoWidth || undefined,
      height: this.#video.videoHeight || undefined,
      frameRate: undefined,
      codecs: undefined,
      bitrate: undefined,
      buffer: bufferedAhead(this.#video),
      delay: window && window.end - this.#video.currentTime,
    };
  }

  renditionUrl(): undefined {
    return undefined;
  }

  to90k(): undefined {
    return undefined;
  }

  segmentsAt(): number[] {
    return [];
  }

  destroy(): void {
    this.#abort.abort();
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}

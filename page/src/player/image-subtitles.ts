/** Fetches bitmap subtitles and draws them over the picture. */
import type { Engine } from "./engine";
import {
  type CueEvent,
  type CueFile,
  ImageCues,
  lastSegment,
  letterbox,
  placeImage,
} from "./image-cues";

/** How often it is looked whether another image is due, in ms: two fields of a broadcast. */
const TICK_MS = 40;
/** Display of subtitles that define none: ETSI EN 300 743, 7.2.1. */
const DISPLAY = { width: 720, height: 576 };
/** Wait before a failed request is repeated, in ms. */
const AGAIN_MS = 1000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function decode(png: string): Promise<ImageBitmap> {
  const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

interface Placed {
  bitmap: ImageBitmap;
  x: number;
  y: number;
}

export class ImageSubtitles {
  readonly #video: HTMLVideoElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #engine: Engine;
  readonly #rendition: string;
  readonly #cues = new ImageCues();
  readonly #asked = new Map<number, number>();
  readonly #abort = new AbortController();
  readonly #timer: number;
  readonly #resized: ResizeObserver;
  /** Number of the newest file. */
  #newest: number | undefined;
  #shown: CueEvent | undefined;
  #bitmaps: Placed[] = [];

  constructor(
    video: HTMLVideoElement,
    canvas: HTMLCanvasElement,
    engine: Engine,
    rendition: string,
  ) {
    this.#video = video;
    this.#canvas = canvas;
    this.#engine = engine;
    this.#rendition = rendition;
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS);
    void this.#follow();
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(canvas);
    video.addEventListener("resize", () => this.#draw(), { signal: this.#abort.signal });
  }

  /** Learn from the playlist which files there are: they come later than the pictures. */
  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        const playlist = await this.#readPlaylist();
        this.#newest = lastSegment(playlist) ?? this.#newest;
        if (playlist.includes("#EXT-X-ENDLIST")) return;
      } catch {
        this.#newest = undefined;
        await pause(AGAIN_MS);
      }
    }
  }

  /** Read the playlist; it waits for the next file. Throws without an answer. */
  async #readPlaylist(): Promise<string> {
    const address = this.#engine.renditionUrl(`${this.#rendition}.m3u8`);
    if (address === undefined) throw new Error("there is no run yet");
    const next = this.#newest === undefined ? "" : `?_HLS_msn=${this.#newest + 1}`;
    const answer = await fetch(`${address}${next}`, { signal: this.#abort.signal });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.text();
  }

  #tick(): void {
    if (document.hidden) return;
    const time = this.#video.currentTime;
    for (const segment of this.#engine.segmentsAt(time)) this.#fetch(segment);
    const now = this.#engine.to90k(time);
    const event = now === undefined ? undefined : this.#cues.at(now);
    if (event === this.#shown) return;
    this.#shown = event;
    void this.#show(event);
  }

  #fetch(segment: number): void {
    const asked = this.#asked.get(segment) ?? Number.NEGATIVE_INFINITY;
    if (this.#cues.has(segment) || performance.now() - asked < AGAIN_MS) return;
    if (this.#newest === undefined || segment > this.#newest) return;
    const url = this.#engine.renditionUrl(`${this.#rendition}/${segment}.json`);
    if (url === undefined) return;
    this.#asked.set(segment, performance.now());
    void this.#load(segment, url);
  }

  async #load(segment: number, url: string): Promise<void> {
    try {
      const answer = await fetch(url, { signal: this.#abort.signal });
      if (!answer.ok) return;
      const file = (await answer.json()) as CueFile;
      this.#cues.add(segment, file);
      for (const old of this.#asked.keys()) {
        if (!this.#cues.has(old) && old < segment) this.#asked.delete(old);
      }
    } catch {
      // Asked for again at a later tick, as long as it is due.
    }
  }

  async #show(event: CueEvent | undefined): Promise<void> {
    const images = event?.images ?? [];
    let bitmaps: Placed[] = [];
    try {
      bitmaps = await Promise.all(
        images.map(async ({ png, x, y }) => ({ bitmap: await decode(png), x, y })),
      );
    } catch {
      // An image that does not decode: the text before it has to go all the same.
    }
    if (this.#shown !== event) {
      for (const { bitmap } of bitmaps) bitmap.close();
      return;
    }
    for (const { bitmap } of this.#bitmaps) bitmap.close();
    this.#bitmaps = bitmaps;
    this.#draw();
  }

  #draw(): void {
    const canvas = this.#canvas;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
    canvas.width = Math.round(width);
    canvas.height = Math.round(height);
    // Tests and screen readers learn whether something is shown.
    canvas.dataset["images"] = String(this.#bitmaps.length);
    const context = canvas.getContext("2d");
    if (context === null || this.#bitmaps.length === 0) return;
    const picture = letterbox(this.#video.videoWidth, this.#video.videoHeight, width, height);
    const display = {
      width: this.#shown?.width || DISPLAY.width,
      height: this.#shown?.height || DISPLAY.height,
    };
    context.imageSmoothingQuality = "high";
    for (const { bitmap, x, y } of this.#bitmaps) {
      const image = { x, y, width: bitmap.width, height: bitmap.height };
      const place = placeImage(image, display, picture);
      context.drawImage(bitmap, place.x, place.y, place.width, place.height);
    }
  }

  close(): void {
    window.clearInterval(this.#timer);
    this.#resized.disconnect();
    this.#abort.abort();
    for (const { bitmap } of this.#bitmaps) bitmap.close();
    this.#bitmaps = [];
    this.#shown = undefined;
    this.#draw();
  }
}

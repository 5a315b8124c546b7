/**
 * Draws text cues over the picture.
 *
 * The browser would draw them inside the video element: below the canvas of the de-interlacer, and
 * in Firefox without the colours.
 */
import { letterbox } from "./image-cues";

/** Height of a line of text, as a part of the picture's height. */
const LINE = 0.0533;
/** Where cues without a place end, as a part of the picture's height. */
const BOTTOM = 0.94;

/** Return where a cue begins, as a part of the picture's height; undefined for "at the bottom". */
export function cueTop(line: number | "auto", snapToLines: boolean): number | undefined {
  if (typeof line !== "number" || Number.isNaN(line)) return undefined;
  const top = snapToLines ? (line >= 0 ? line * LINE : 1 + line * LINE) : line / 100;
  return Math.min(Math.max(top, 0), 1 - LINE);
}

export class TextSubtitles {
  readonly #video: HTMLVideoElement;
  readonly #layer: HTMLElement;
  readonly #abort = new AbortController();
  readonly #resized: ResizeObserver;
  readonly #find: () => TextTrack | undefined;
  #track: TextTrack | undefined;

  /** `find` returns the track to show, once it is there. */
  constructor(video: HTMLVideoElement, layer: HTMLElement, find: () => TextTrack | undefined) {
    this.#video = video;
    this.#layer = layer;
    this.#find = find;
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(layer);
    const { signal } = this.#abort;
    video.addEventListener("timeupdate", () => this.#follow(), { signal });
    video.addEventListener("seeked", () => this.#draw(), { signal });
    this.#follow();
  }

  #follow(): void {
    const track = this.#find();
    if (track === this.#track) return;
    this.#track?.removeEventListener("cuechange", this.#draw);
    this.#track = track;
    if (track) {
      // Active cues are kept up to date, and drawn by nobody else.
      track.mode = "hidden";
      track.addEventListener("cuechange", this.#draw);
    }
    this.#draw();
  }

  readonly #draw = (): void => {
    const cues = Array.from(this.#track?.activeCues ?? []) as VTTCue[];
    const { clientWidth, clientHeight } = this.#layer;
    const { videoWidth, videoHeight } = this.#video;
    const picture = letterbox(videoWidth, videoHeight, clientWidth, clientHeight);
    this.#layer.style.setProperty("--line", `${picture.height * LINE}px`);
    const boxes = cues.map((cue) => this.#box(cue, picture));
    this.#layer.replaceChildren(...boxes.map((each) => each.box));
    // Whoever has no place stands above the one before; whoever has one stays inside the picture.
    let floor = picture.y + picture.height * BOTTOM;
    for (const { box, top } of [...boxes].reverse()) {
      const height = box.offsetHeight;
      if (top === undefined) floor -= height;
      const lowest = picture.y + picture.height - height;
      const wanted = top === undefined ? floor : picture.y + top * picture.height;
      box.style.top = `${Math.max(picture.y, Math.min(wanted, lowest))}px`;
    }
  };

  #box(cue: VTTCue, picture: { x: number; width: number }) {
    const box = document.createElement("div");
    box.className = `cue cue-${cue.align}`;
    box.style.left = `${picture.x}px`;
    box.style.width = `${picture.width}px`;
    const text = document.createElement("span");
    text.append(cue.getCueAsHTML());
    box.append(text);
    return { box, top: cueTop(cue.line as number | "auto", cue.snapToLines) };
  }

  close(): void {
    this.#abort.abort();
    this.#resized.disconnect();
    this.#track?.removeEventListener("cuechange", this.#draw);
    this.#layer.replaceChildren();
  }
}

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
/** How often it is looked whether other cues are due, in ms: two fields of a broadcast. */
const TICK_MS = 40;

/** Return where a cue begins, as a part of the picture's height; undefined for "at the bottom". */
export function cueTop(line: number | "auto", snapToLines: boolean): number | undefined {
  if (typeof line !== "number" || Number.isNaN(line)) return undefined;
  const top = snapToLines ? (line >= 0 ? line * LINE : 1 + line * LINE) : line / 100;
  return Math.min(Math.max(top, 0), 1 - LINE);
}

export class TextSubtitles {
  readonly #video: HTMLVideoElement;
  readonly #layer: HTMLElement;
  readonly #cuesAt: (time: number) => VTTCue[];
  readonly #resized: ResizeObserver;
  readonly #timer: number;
  #shown: VTTCue[] = [];

  /** `cuesAt` returns the cues that are due at a media time. */
  constructor(video: HTMLVideoElement, layer: HTMLElement, cuesAt: (time: number) => VTTCue[]) {
    this.#video = video;
    this.#layer = layer;
    this.#cuesAt = cuesAt;
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(layer);
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    if (document.hidden) return;
    const due = this.#cuesAt(this.#video.currentTime);
    const isSame =
      due.length === this.#shown.length && due.every((cue, index) => cue === this.#shown[index]);
    if (isSame) return;
    this.#shown = due;
    this.#draw();
  }

  #draw(): void {
    const { clientWidth, clientHeight } = this.#layer;
    const { videoWidth, videoHeight } = this.#video;
    const picture = letterbox(videoWidth, videoHeight, clientWidth, clientHeight);
    this.#layer.style.setProperty("--line", `${picture.height * LINE}px`);
    const boxes = this.#shown.map((cue) => this.#box(cue, picture));
    this.#layer.replaceChildren(...boxes.map((each) => each.box));
    // A cue without a position is placed above the previous one; others stay inside the picture.
    let floor = picture.y + picture.height * BOTTOM;
    let lowestEnd = 0;
    for (const { box, top } of [...boxes].reverse()) {
      const height = box.offsetHeight;
      if (top === undefined) floor -= height;
      const lowest = picture.y + picture.height - height;
      const wanted = top === undefined ? floor : picture.y + top * picture.height;
      const y = Math.max(picture.y, Math.min(wanted, lowest));
      box.style.top = `${y}px`;
      // Those in the lower half give way to the controls while these are shown.
      box.classList.toggle("cue-low", y + height / 2 > clientHeight / 2);
      lowestEnd = Math.max(lowestEnd, y + height);
    }
    this.#layer.style.setProperty("--below", `${clientHeight - lowestEnd}px`);
  }

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
    window.clearInterval(this.#timer);
    this.#resized.disconnect();
    this.#layer.replaceChildren();
  }
}

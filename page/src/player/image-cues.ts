/** Bitmap subtitles of a channel: which one is shown at a time. */

/** A bitmap; its place refers to the display of its event. */
export interface CueImage {
  x: number;
  y: number;
  width: number;
  height: number;
  /** Base64. */
  png: string;
}

export interface CueEvent {
  /** In 90 kHz, on the line of the media's decode times. */
  from_90k: number;
  until_90k: number | null;
  /** The display for which the images were made; 720 x 576 where it is missing. */
  width?: number;
  height?: number;
  images: CueImage[];
}

/** File of a segment. An image that is still shown is repeated at its start. */
export interface CueFile {
  /** Where the segment begins, in 90 kHz. */
  start_90k: number;
  events: CueEvent[];
}

/** Files that are kept: those of the pictures in the buffer, and some for a short way back. */
const KEPT_FILES = 40;
/** Time behind a file's start for which it may count: long segments, and a file that is late. */
const LATE_90K = 12 * 90_000;

/** Files of one rendition by segment number. */
export class ImageCues {
  readonly #files = new Map<number, CueFile>();

  /** Take a segment's file. The oldest taken leaves when there are many. */
  add(segment: number, file: CueFile): void {
    this.#files.delete(segment);
    this.#files.set(segment, file);
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= KEPT_FILES) break;
      this.#files.delete(oldest);
    }
  }

  has(segment: number): boolean {
    return this.#files.has(segment);
  }

  /**
   * Return what is shown: the last event of the segment's own file. Where that one has not come yet
   * the file before it counts for a while.
   */
  at(time90k: number): CueEvent | undefined {
    let current: CueFile | undefined;
    for (const file of this.#files.values()) {
      if (file.start_90k > time90k) continue;
      if (current === undefined || file.start_90k > current.start_90k) current = file;
    }
    if (current === undefined || time90k - current.start_90k > LATE_90K) return undefined;
    const begun = current.events.filter((event) => event.from_90k <= time90k);
    const last = begun[begun.length - 1];
    if (last === undefined || last.images.length === 0) return undefined;
    return last.until_90k !== null && last.until_90k <= time90k ? undefined : last;
  }
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Return the rectangle of a picture that is fitted into a box with black bars. */
export function letterbox(
  width: number,
  height: number,
  boxWidth: number,
  boxHeight: number,
): Rect {
  if (width <= 0 || height <= 0) return { x: 0, y: 0, width: boxWidth, height: boxHeight };
  const scale = Math.min(boxWidth / width, boxHeight / height);
  const shown = { width: width * scale, height: height * scale };
  return { x: (boxWidth - shown.width) / 2, y: (boxHeight - shown.height) / 2, ...shown };
}

/** Return an image's place in the box: places of the display stretch over the whole picture. */
export function placeImage(
  image: Rect,
  display: { width: number; height: number },
  picture: Rect,
): Rect {
  const across = picture.width / display.width;
  const down = picture.height / display.height;
  return {
    x: picture.x + image.x * across,
    y: picture.y + image.y * down,
    width: image.width * across,
    height: image.height * down,
  };
}

export interface ImageRendition {
  rendition: string;
  language: string | null;
  isHearingImpaired: boolean;
}

/** Read the VALUE of the session data `org.xg2g.images`: `rendition:language[:hearing-impaired],...` */
export function imageRenditions(value: string | undefined): ImageRendition[] {
  return (value ?? "").split(",").flatMap((each) => {
    const [rendition, language, mark] = each.trim().split(":");
    if (!rendition || !/^images-[\w-]+$/.test(rendition)) return [];
    return [
      { rendition, language: language || null, isHearingImpaired: mark === "hearing-impaired" },
    ];
  });
}

/** Return the number of a media playlist's last segment; undefined if it has none. */
export function lastSegment(playlist: string): number | undefined {
  const first = /^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(playlist)?.[1];
  const count = playlist.match(/^#EXTINF:/gm)?.length ?? 0;
  const skipped = Number(/^#EXT-X-SKIP:.*SKIPPED-SEGMENTS=(\d+)/m.exec(playlist)?.[1] ?? 0);
  return first === undefined || count + skipped === 0
    ? undefined
    : Number(first) + skipped + count - 1;
}

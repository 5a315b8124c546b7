/**
 * Finds out from the pictures which field of a frame is the earlier one, or whether both are one
 * picture: few streams signal it. After ffmpeg's `idet`.
 */

export type FieldOrder = "top-first" | "bottom-first" | "progressive";

/** One column block of a frame: rows of luma, `width` values a row. */
export interface Strip {
  width: number;
  height: number;
  luma: Uint8Array;
}

/** How much nearer one order has to be than the other. */
const INTERLACED_FACTOR = 1.04;
/** How much nearer than the neighbouring frames the other field of the frame itself has to be. */
const PROGRESSIVE_FACTOR = 1.5;
/** Mean difference between frames below which nothing moves, so the order cannot be judged. */
const LEAST_MOTION = 0.5;

/** Judge the middle one of three consecutive frames; undefined where it does not tell. */
export function judgeFrame(before: Strip, frame: Strip, after: Strip): FieldOrder | undefined {
  const { width, height } = frame;
  let topFirst = 0;
  let bottomFirst = 0;
  let within = 0;
  let motion = 0;
  const at = (strip: Strip, index: number) => strip.luma[index] ?? 0;
  for (let y = 1; y < height - 1; y++) {
    // A line between two of the other field: how far is it from them at each neighbour in time?
    for (let x = 0; x < width; x++) {
      const index = y * width + x;
      const around = at(frame, index - width) + at(frame, index + width);
      const past = Math.abs(around - 2 * at(before, index));
      const future = Math.abs(around - 2 * at(after, index));
      within += Math.abs(around - 2 * at(frame, index));
      motion += Math.abs(at(frame, index) - at(before, index));
      // Odd rows are the bottom field, so the lines around are the top field. Where the top field
      // comes first, the bottom field of the frame before is its neighbour in time.
      if (y % 2 === 1) {
        topFirst += past;
        bottomFirst += future;
      } else {
        bottomFirst += past;
        topFirst += future;
      }
    }
  }
  if (motion < LEAST_MOTION * width * (height - 2)) return undefined;
  if (bottomFirst > INTERLACED_FACTOR * topFirst) return "top-first";
  if (topFirst > INTERLACED_FACTOR * bottomFirst) return "bottom-first";
  if (topFirst > PROGRESSIVE_FACTOR * within) return "progressive";
  return undefined;
}

/** Judgements that count at a time. */
const VOTES = 12;
/** Votes for another order that outvote the present one. */
const MAJORITY = 8;

/** Order that most of the recent frames agree on. */
export class FieldOrderVote {
  #votes: FieldOrder[] = [];
  order: FieldOrder;

  /** HD broadcasts have the top field first, until the pictures say otherwise. */
  constructor(order: FieldOrder = "top-first") {
    this.order = order;
  }

  add(judgement: FieldOrder | undefined): void {
    if (judgement === undefined) return;
    this.#votes = [...this.#votes, judgement].slice(-VOTES);
    for (const order of ["top-first", "bottom-first", "progressive"] as const) {
      const votes = this.#votes.filter((vote) => vote === order).length;
      // Interlaced pictures that hardly move look progressive; the reverse does not happen.
      const needed = order === "progressive" ? VOTES : MAJORITY;
      if (votes >= needed) this.order = order;
    }
  }
}

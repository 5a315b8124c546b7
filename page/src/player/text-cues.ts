/** Text cues of one rendition: which are shown at a time. */

export interface TimedText {
  /** Media time, in seconds. */
  startTime: number;
  endTime: number;
  text: string;
}

/** Cues that are kept: some hours of subtitles. */
const MOST_CUES = 5000;

export class TextCues<T extends TimedText> {
  #cues: T[] = [];

  /** Take cues; one that came before is taken once. The earliest leave when there are many. */
  add(cues: readonly T[]): void {
    const fresh = cues.filter((cue) => !this.#cues.some((known) => isSame(known, cue)));
    if (fresh.length === 0) return;
    const ordered = [...this.#cues, ...fresh].sort((one, other) => one.startTime - other.startTime);
    this.#cues = ordered.slice(-MOST_CUES);
  }

  /** Return the cues that are shown at a time, in the order in which they begin. */
  at(time: number): T[] {
    return this.#cues.filter((cue) => cue.startTime <= time && time < cue.endTime);
  }
}

function isSame(one: TimedText, other: TimedText): boolean {
  return (
    Math.abs(one.startTime - other.startTime) < 0.01 &&
    Math.abs(one.endTime - other.endTime) < 0.01 &&
    one.text === other.text
  );
}

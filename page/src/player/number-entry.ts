/** Tuning by number: what the digits so far mean. */

/** Time after the last digit at which the number is tuned, in ms. */
export const ENTRY_MS = 1500;
/** The same where no other number can follow: long enough to be seen, in ms. */
export const COMPLETE_MS = 200;

/** No more digits are taken. */
const MOST_DIGITS = 5;

interface Numbered {
  number: number;
}

export interface Entry<T extends Numbered> {
  digits: string;
  /** The channel of this number. */
  match: T | undefined;
  /** Whether no further digit can lead to another channel. */
  isComplete: boolean;
}

/** Return the entry after one more digit. */
export function typeDigit<T extends Numbered>(
  channels: readonly T[],
  digits: string,
  digit: string,
): Entry<T> {
  const typed = digits.length < MOST_DIGITS ? digits + digit : digits;
  // "007" is channel 7, as on a remote control.
  const number = Number(typed);
  const match = channels.find((channel) => channel.number === number);
  const prefix = String(number);
  const longer =
    number === 0 ||
    channels.some(
      (channel) => channel.number !== number && String(channel.number).startsWith(prefix),
    );
  return { digits: typed, match, isComplete: match !== undefined && !longer };
}

/** Return the channel `steps` further in the list, which is a circle. */
export function neighbour<T extends { id: string }>(
  channels: readonly T[],
  current: string,
  steps: number,
): T | undefined {
  const count = channels.length;
  const at = channels.findIndex((channel) => channel.id === current);
  if (count === 0) return undefined;
  if (at < 0) return channels[0];
  return channels[(((at + steps) % count) + count) % count];
}

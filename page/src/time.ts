/** Times of day and names of days in the browser's language. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" });
const LONG_DAY = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
});

/** Return the time of day, as 20:15. */
export function clock(time: number | string): string {
  return CLOCK.format(new Date(time));
}

/** Return the beginning of the day of a time, by this device's clock, `days` later. */
export function startOfDay(time: number, days = 0): number {
  const day = new Date(time);
  day.setHours(0, 0, 0, 0);
  // By the calendar: a day on which the clocks change has no 24 hours.
  day.setDate(day.getDate() + days);
  return day.getTime();
}

/** Return the day in a word: Today, Tomorrow, Fri 27. */
export function dayName(time: number, now: number): string {
  if (startOfDay(time) === startOfDay(now)) return "Today";
  if (startOfDay(time) === startOfDay(now, 1)) return "Tomorrow";
  if (startOfDay(time) === startOfDay(now, -1)) return "Yesterday";
  return WEEKDAY.format(new Date(time));
}

/** Return the day in full. */
export function longDay(time: number | string): string {
  return LONG_DAY.format(new Date(time));
}

/** Return a length in words: 45 min, 1 h 30 min. */
export function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / MINUTE_MS));
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}

/** Return how much of a programme is over, from 0 to 1. */
export function progress(begin: string, end: string, now: number): number {
  const from = Date.parse(begin);
  const until = Date.parse(end);
  if (!(until > from)) return 0;
  return Math.min(1, Math.max(0, (now - from) / (until - from)));
}

/** Geometry of the guide: visible rows and times, and positions of programmes. */
import { HOUR_MS } from "../time";

export interface Span {
  /** In ms since 1970. */
  from: number;
  to: number;
}

export interface Rows {
  first: number;
  /** One behind the last. */
  end: number;
}

/** Rows and hours drawn beyond the visible ones, so that scrolling meets no empty cells. */
const ROWS_BEYOND = 4;
const BEYOND_MS = HOUR_MS;
/** The drawn part moves in steps, so that few scroll events change anything. */
const ROW_STEP = 4;
const TIME_STEP_MS = HOUR_MS;

/** Return the rows to draw. */
export function rowsSeen(top: number, height: number, rowHeight: number, count: number): Rows {
  const first = Math.floor(top / rowHeight / ROW_STEP) * ROW_STEP - ROWS_BEYOND;
  const last = Math.ceil((top + height) / rowHeight / ROW_STEP) * ROW_STEP + ROWS_BEYOND;
  return { first: Math.min(Math.max(0, first), count), end: Math.min(count, Math.max(0, last)) };
}

/** Return the time to draw, of a line that begins at `origin`. */
export function timeSeen(left: number, width: number, pxPerHour: number, origin: number): Span {
  const at = (x: number) => origin + (x / pxPerHour) * HOUR_MS;
  return {
    from: Math.floor((at(left) - BEYOND_MS) / TIME_STEP_MS) * TIME_STEP_MS,
    to: Math.ceil((at(left + width) + BEYOND_MS) / TIME_STEP_MS) * TIME_STEP_MS,
  };
}

/** Return the position of a programme, cut to the span of the guide. */
export function place(programme: Span, pxPerHour: number, whole: Span) {
  const from = Math.max(programme.from, whole.from);
  const to = Math.min(programme.to, whole.to);
  return {
    left: ((from - whole.from) / HOUR_MS) * pxPerHour,
    width: Math.max(0, ((to - from) / HOUR_MS) * pxPerHour),
  };
}

/** A programme, or a gap between two of them, which can be walked through as well. */
export interface Cell<T extends Span> extends Span {
  programme: T | undefined;
}

/** Return the cells that cover a span: programmes in their order, and what lies between. */
export function cells<T extends Span>(programmes: readonly T[], span: Span): Cell<T>[] {
  const made: Cell<T>[] = [];
  let at = span.from;
  for (const programme of programmes) {
    if (programme.to <= at || programme.from >= span.to) continue;
    if (programme.from > at) made.push({ from: at, to: programme.from, programme: undefined });
    made.push({ from: programme.from, to: programme.to, programme });
    at = programme.to;
  }
  if (at < span.to) made.push({ from: at, to: span.to, programme: undefined });
  return made;
}

/** Return the cell at a time, or undefined outside all of them. */
export function cellAt<T extends Span>(row: readonly Cell<T>[], time: number): Cell<T> | undefined {
  return row.find((cell) => cell.from <= time && time < cell.to);
}

/** Where the keys are: a row, and a time that stays when rows above and below are cut elsewhere. */
export interface Cursor {
  row: number;
  time: number;
}

/** Return the cursor after a key; undefined for a key that means nothing here. */
export function moved<T extends Span>(
  cursor: Cursor,
  key: string,
  row: readonly Cell<T>[],
  limits: { rows: number; page: number; span: Span; now: number },
): Cursor | undefined {
  const { rows, page, span, now } = limits;
  const up = (steps: number) => ({
    ...cursor,
    row: Math.min(rows - 1, Math.max(0, cursor.row - steps)),
  });
  const current = cellAt(row, cursor.time);
  switch (key) {
    case "ArrowUp":
      return up(1);
    case "ArrowDown":
      return up(-1);
    case "PageUp":
      return up(page);
    case "PageDown":
      return up(-page);
    case "ArrowLeft": {
      const before = cellAt(row, (current?.from ?? cursor.time) - 1);
      // A programme that began before the line does is met where it is seen.
      return before ? { ...cursor, time: Math.max(before.from, span.from) } : cursor;
    }
    case "ArrowRight": {
      const after = cellAt(row, current?.to ?? cursor.time);
      return after ? { ...cursor, time: after.from } : cursor;
    }
    case "Home":
      return { ...cursor, time: now };
    default:
      return undefined;
  }
}

/** Sizes of the grid in px: height of a row, width of an hour, width of the column of channels. */
export interface Metrics {
  row: number;
  hour: number;
  column: number;
}

const WIDE: Metrics = { row: 64, hour: 264, column: 208 };
const NARROW: Metrics = { row: 60, hour: 216, column: 84 };
/** Across a room. */
const TELEVISION: Metrics = { row: 84, hour: 336, column: 280 };

/** Return the sizes for a window of this width. */
export function metricsOf(width: number): Metrics {
  if (width < 700) return NARROW;
  return width >= 1800 ? TELEVISION : WIDE;
}

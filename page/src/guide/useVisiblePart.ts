/** The part of the guide that is visible, as it is scrolled and resized. */
import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import { HOUR_MS, startOfDay } from "../time";
import { metricsOf, type Rows, rowsSeen, type Span, timeSeen } from "./grid";

interface Seen {
  rows: Rows;
  span: Span;
}

/**
 * Return the sizes of the grid, its visible rows and hours, the visible day, a function that looks
 * where the grid is scrolled to, and one that scrolls to a time.
 */
export function useVisiblePart(
  scroller: { current: HTMLElement | null },
  whole: Span,
  count: number,
  today: number,
) {
  const [metrics, setMetrics] = useState(() => metricsOf(innerWidth));
  const [seen, setSeen] = useState<Seen>({ rows: { first: 0, end: 0 }, span: whole });
  const [day, setDay] = useState(today);

  /** The earliest visible time. */
  const edge = useRef<number | undefined>(undefined);
  const look = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = element;
    edge.current = whole.from + (scrollLeft / metrics.hour) * HOUR_MS;
    const width = Math.max(0, clientWidth - metrics.column);
    const rows = rowsSeen(scrollTop, clientHeight, metrics.row, count);
    const span = timeSeen(scrollLeft, width, metrics.hour, whole.from);
    setSeen((last) =>
      last.rows.first === rows.first &&
      last.rows.end === rows.end &&
      last.span.from === span.from &&
      last.span.to === span.to
        ? last
        : { rows, span },
    );
    const middle = whole.from + ((scrollLeft + width / 3) / metrics.hour) * HOUR_MS;
    setDay(startOfDay(middle));
  }, [count, metrics, whole]);

  const showTime = useCallback(
    (time: number) => {
      const left = ((time - whole.from) / HOUR_MS) * metrics.hour;
      scroller.current?.scrollTo({ left });
    },
    [whole, metrics],
  );
  // Keep the visible time when the first day changes at midnight, or the scale changes.
  useLayoutEffect(() => {
    if (edge.current !== undefined) showTime(edge.current);
  }, [showTime]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => {
      setMetrics(metricsOf(innerWidth));
      look();
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    let isDue = false;
    const onScroll = () => {
      if (isDue) return;
      isDue = true;
      requestAnimationFrame(() => {
        isDue = false;
        look();
      });
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    look();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, [look]);

  return { metrics, seen, day, look, showTime };
}

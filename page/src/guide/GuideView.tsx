/** The guide: channels down, hours across. Only the visible part is in the document. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useNow } from "../api/poll";
import type { Channel, Programme } from "../api/types";
import { BouquetChips } from "../channels/BouquetChips";
import { bouquets, type Choice, chosen, matching } from "../channels/lineup";
import { clock, dayName, HOUR_MS, MINUTE_MS, startOfDay } from "../time";
import { DAYS, GuideTools, LEAD_MS } from "./GuideTools";
import { type Cursor, cellAt, cells, moved } from "./grid";
import { ChannelCell, Row } from "./Row";
import { Tiles } from "./tiles";
import { useVisiblePart } from "./useVisiblePart";

interface GuideViewProps {
  channels: readonly Channel[];
  choice: Choice;
  onChoose: (choice: Choice) => void;
  onProgramme: (programme: Programme) => void;
}

export function GuideView({ channels, choice, onChoose, onProgramme }: GuideViewProps) {
  const now = useNow(MINUTE_MS / 2);
  const [filter, setFilter] = useState("");
  const listed = useMemo(
    () => matching(chosen(channels, choice), filter),
    [channels, choice, filter],
  );
  const today = startOfDay(now);
  const whole = useMemo(
    () => ({ from: startOfDay(today, -1), to: startOfDay(today, DAYS - 1) }),
    [today],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const { metrics, seen, day, look, showTime } = useVisiblePart(
    scroller,
    whole,
    listed.length,
    today,
  );
  const [, setVersion] = useState(0);
  const tiles = useMemo(() => new Tiles(() => setVersion((last) => last + 1)), []);
  const [cursor, setCursor] = useState<Cursor>({ row: 0, time: now });
  tiles.lay(useMemo(() => listed.map((each) => each.id), [listed]));

  const x = useCallback(
    (time: number) => ((time - whole.from) / HOUR_MS) * metrics.hour,
    [whole, metrics],
  );

  // A moment after scrolling, so that rows that only pass by are not requested.
  useEffect(() => {
    const timer = setTimeout(() => tiles.look(seen.rows, seen.span), 120);
    return () => clearTimeout(timer);
  }, [tiles, seen, listed, now]);

  const isPlaced = useRef(false);
  useLayoutEffect(() => {
    if (isPlaced.current) return;
    isPlaced.current = true;
    showTime(Date.now() - LEAD_MS);
  }, [showTime]);
  useLayoutEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
    setCursor((last) => ({ ...last, row: 0 }));
  }, [listed]);

  const rowCells = (row: number) => {
    const channel = listed[row];
    const programmes = channel ? tiles.programmes(channel.id, seen.span).programmes : [];
    return cells(programmes, seen.span);
  };

  const reveal = (at: Cursor) => {
    const element = scroller.current;
    if (!element) return;
    const top = at.row * metrics.row;
    const visible = element.clientHeight - HEAD_PX - metrics.row;
    if (top < element.scrollTop) element.scrollTo({ top });
    else if (top > element.scrollTop + visible) element.scrollTo({ top: top - visible });
    const left = x(at.time);
    const width = element.clientWidth - metrics.column;
    if (left < element.scrollLeft || left > element.scrollLeft + width * 0.75) {
      element.scrollTo({ left: Math.max(0, left - width * 0.15) });
    }
    look();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const row = rowCells(cursor.row);
    if (event.key === "Enter" || event.key === " ") {
      const programme = cellAt(row, cursor.time)?.programme;
      if (programme) onProgramme(programme.about);
      event.preventDefault();
      return;
    }
    const visible = scroller.current?.clientHeight ?? 0;
    const page = Math.max(1, Math.floor(visible / metrics.row) - 1);
    const next = moved(cursor, event.key, row, {
      rows: listed.length,
      page,
      span: whole,
      now: Date.now(),
    });
    if (next === undefined) return;
    // At the top row, let the focus move to the elements above.
    if (next.row === cursor.row && next.time === cursor.time && event.key === "ArrowUp") return;
    event.preventDefault();
    setCursor(next);
    reveal(next);
  };

  const rows: number[] = [];
  for (let row = seen.rows.first; row < seen.rows.end; row++) rows.push(row);
  const hours: number[] = [];
  for (let hour = seen.span.from; hour < seen.span.to; hour += HOUR_MS) hours.push(hour);
  const width = metrics.column + x(whole.to);

  return (
    <section class="guide" aria-label="Guide" data-testid="guide">
      <h1 class="unseen">Guide</h1>
      <GuideTools
        day={day}
        today={today}
        now={now}
        filter={filter}
        onFilter={setFilter}
        onTime={showTime}
      />
      <BouquetChips
        names={bouquets(channels)}
        hasRadio={channels.some((each) => each.radio)}
        choice={choice}
        onChoose={onChoose}
      />
      {tiles.trouble && (
        <p class="notice bad" role="alert">
          {tiles.trouble}
        </p>
      )}
      <div
        ref={scroller}
        class="grid"
        role="grid"
        aria-label="Programmes"
        aria-rowcount={listed.length}
        aria-activedescendant={`cell-${cursor.row}`}
        tabIndex={0}
        data-testid="guide-grid"
        onKeyDown={onKeyDown}
        style={{ "--row": `${metrics.row}px`, "--column": `${metrics.column}px` }}
      >
        <div class="grid-head" style={{ width: `${width}px` }}>
          <span class="grid-corner">{dayName(day, now)}</span>
          {hours.map((hour) => (
            <span key={hour} class="grid-hour" style={{ left: `${metrics.column + x(hour)}px` }}>
              {clock(hour)}
            </span>
          ))}
        </div>
        <div
          class="grid-body"
          style={{ width: `${width}px`, height: `${listed.length * metrics.row}px` }}
        >
          {now >= whole.from && (
            <span class="grid-now" style={{ left: `${metrics.column + x(now)}px` }} />
          )}
          {/* One column for all: each of them by itself would cost every frame of scrolling. */}
          <div class="grid-column" aria-hidden="true">
            {rows.map((row) => {
              const channel = listed[row];
              return (
                channel && (
                  <ChannelCell key={channel.id} channel={channel} top={row * metrics.row} />
                )
              );
            })}
          </div>
          {rows.map((row) => {
            const channel = listed[row];
            if (!channel) return null;
            const { programmes, isWhole } = tiles.programmes(channel.id, seen.span);
            const cell =
              row === cursor.row ? cellAt(cells(programmes, seen.span), cursor.time) : undefined;
            const gap = cell?.programme === undefined ? cell : undefined;
            return (
              <Row
                key={channel.id}
                row={row}
                channel={channel}
                programmes={programmes}
                signature={`${programmes.length} ${programmes[0]?.from} ${programmes[programmes.length - 1]?.to} ${isWhole}`}
                isWhole={isWhole}
                whole={whole}
                metrics={metrics}
                now={now}
                edge={seen.span.from}
                cursorTime={row === cursor.row ? cursor.time : undefined}
                gapFrom={gap?.from}
                gapTo={gap?.to}
                onProgramme={onProgramme}
              />
            );
          })}
        </div>
      </div>
      {listed.length === 0 && <p class="empty">No channels found.</p>}
    </section>
  );
}

/** Height of the line of hours. */
const HEAD_PX = 36;

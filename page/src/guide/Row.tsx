/** A row of the guide: a channel and its programmes. */
import { memo } from "preact/compat";
import type { Channel, Programme } from "../api/types";
import { Logo } from "../channels/Logo";
import { hashOf } from "../router";
import { clock, HOUR_MS, MINUTE_MS } from "../time";
import { type Metrics, place, type Span } from "./grid";
import type { Listed } from "./tiles";

interface RowProps {
  row: number;
  channel: Channel;
  programmes: readonly Listed[];
  /** Tells rows apart whose programmes are the same, though in another list. */
  signature: string;
  isWhole: boolean;
  whole: Span;
  metrics: Metrics;
  now: number;
  /** Beginning of the drawn time. Programmes that are cut there keep their title visible. */
  edge: number;
  /** Where the keys are, if in this row. */
  cursorTime: number | undefined;
  /** The time without a programme in which they are. */
  gapFrom: number | undefined;
  gapTo: number | undefined;
  onProgramme: (programme: Programme) => void;
}

export const Row = memo(
  function Row(props: RowProps) {
    const {
      row,
      channel,
      programmes,
      isWhole,
      whole,
      metrics,
      now,
      edge,
      cursorTime,
      gapFrom,
      gapTo,
      onProgramme,
    } = props;
    const gap =
      gapFrom !== undefined && gapTo !== undefined
        ? place({ from: gapFrom, to: gapTo }, metrics.hour, whole)
        : undefined;
    return (
      // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus, and names its cell
      <div
        class={`grid-row ${isWhole || programmes.length > 0 ? "" : "grid-wait"}`}
        role="row"
        aria-rowindex={row + 1}
        aria-label={`${channel.number} ${channel.name}`}
        style={{ transform: `translateY(${row * metrics.row}px)` }}
      >
        {programmes.length === 0 && (
          // biome-ignore lint/a11y/useFocusableInteractive: the grid names its active cell
          <span
            id={cursorTime === undefined ? undefined : `cell-${row}`}
            role="gridcell"
            aria-selected={cursorTime !== undefined}
            class={`${isWhole ? "grid-none" : "unseen"} ${cursorTime === undefined ? "" : "cell-cursor"}`}
          >
            {isWhole ? "No programme information" : "Loading"}
          </span>
        )}
        {programmes.length > 0 && gap && (
          // biome-ignore lint/a11y/useFocusableInteractive: the grid names its active cell
          <div
            id={`cell-${row}`}
            role="gridcell"
            aria-selected={true}
            aria-label={`${isWhole ? "No programme information" : "Loading"}, ${channel.name}`}
            class="cell cell-gap cell-cursor"
            style={{ left: `${metrics.column + gap.left}px`, width: `${gap.width}px` }}
          />
        )}
        {programmes.map((each) => {
          const { left, width } = place(each, metrics.hour, whole);
          const isCursor =
            cursorTime !== undefined && each.from <= cursorTime && cursorTime < each.to;
          const isOn = each.from <= now && now < each.to;
          const isOver = each.to <= now;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys for its cells
            // biome-ignore lint/a11y/useFocusableInteractive: the grid names its active cell
            <div
              key={each.from}
              id={isCursor ? `cell-${row}` : undefined}
              role="gridcell"
              aria-selected={isCursor}
              aria-label={`${each.about.title}, ${clock(each.from)} to ${clock(each.to)}, ${channel.name}`}
              class={`cell ${isOn ? "cell-on" : ""} ${isOver ? "cell-over" : ""} ${isCursor ? "cell-cursor" : ""} ${isCut(each, edge) ? "cell-cut" : ""}`}
              style={{ left: `${metrics.column + left}px`, width: `${width}px` }}
              onClick={() => onProgramme(each.about)}
            >
              <span class="cell-text">
                <span class="cell-title">{each.about.title}</span>{" "}
                {width > 60 && <span class="cell-time">{clock(each.from)}</span>}
              </span>
            </div>
          );
        })}
      </div>
    );
  },
  (last, next) =>
    last.channel === next.channel &&
    last.row === next.row &&
    last.signature === next.signature &&
    last.whole === next.whole &&
    last.metrics === next.metrics &&
    last.now === next.now &&
    last.edge === next.edge &&
    last.cursorTime === next.cursorTime &&
    last.gapFrom === next.gapFrom &&
    last.gapTo === next.gapTo &&
    last.onProgramme === next.onProgramme,
);

/** Tell whether a programme may begin before the visible time and end in it. */
function isCut(programme: Span, edge: number): boolean {
  return programme.from < edge + 2 * HOUR_MS + MINUTE_MS && programme.to > edge + HOUR_MS;
}

export const ChannelCell = memo(function ChannelCell({
  channel,
  top,
}: {
  channel: Channel;
  top: number;
}) {
  return (
    <a
      class="grid-channel"
      href={hashOf({ at: "channel", id: channel.id })}
      tabIndex={-1}
      title={channel.name}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span class="number">{channel.number}</span>
      <Logo channel={channel} />
      <span class="name">{channel.name}</span>
    </a>
  );
});

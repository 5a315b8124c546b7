/** The window that can be sought, with wall-clock times and the borders of programmes. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Programme } from "../api/types";
import type { Playback } from "./playback";
import { borders, clock, isLive, place, timeAt, type Window, wallClock } from "./timeline";

/** How often the bar moves, in ms. */
const TICK_MS = 500;

interface SeekBarProps {
  playback: Playback;
  video: HTMLVideoElement;
  programmes: readonly Programme[];
  isVisible: boolean;
}

interface Position {
  window: Window;
  time: number;
}

function hour(at: number | undefined, withSeconds = false): string {
  if (at === undefined) return "";
  return new Date(at).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds ? { second: "2-digit" } : {}),
  });
}

export function SeekBar({ playback, video, programmes, isVisible }: SeekBarProps) {
  const [position, setPosition] = useState<Position | undefined>(undefined);
  const [pointed, setPointed] = useState<number | undefined>(undefined);
  const bar = useRef<HTMLDivElement>(null);
  const isDragged = useRef(false);

  useEffect(() => {
    if (!isVisible) return;
    const look = () => {
      const window = playback.window();
      setPosition(window && { window, time: video.currentTime });
    };
    look();
    const timer = setInterval(look, TICK_MS);
    video.addEventListener("seeking", look);
    return () => {
      clearInterval(timer);
      video.removeEventListener("seeking", look);
    };
  }, [playback, video, isVisible]);

  if (position === undefined) return <div class="seek-row seek-empty" />;
  const { window, time } = position;
  const at = (where: number) => wallClock(window.spans, timeAt(window, where));
  const where = place(window, time);
  const behind = Math.max(0, window.live - time);
  const live = isLive(window, time);
  const placeOf = (event: PointerEvent) => {
    const box = bar.current?.getBoundingClientRect();
    return box ? Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) : 1;
  };
  const seek = (target: number) => playback.seekTo(timeAt(window, target));
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Home") playback.seekTo(window.start);
    else if (event.key === "End") playback.goLive();
    else return;
    event.preventDefault();
  };
  const label = live
    ? "live"
    : `${hour(wallClock(window.spans, time), true)}, ${clock(behind)} behind`;
  const percent = (value: number) => `${(value * 100).toFixed(2)}%`;

  return (
    <div class="seek-row">
      <span class="seek-time">{hour(at(0))}</span>
      <div
        ref={bar}
        class="seek-bar"
        role="slider"
        tabIndex={0}
        aria-label="Position"
        aria-valuemin={0}
        aria-valuemax={Math.round(window.live - window.start)}
        aria-valuenow={Math.round(time - window.start)}
        aria-valuetext={label}
        data-testid="seek"
        onKeyDown={onKey}
        onPointerDown={(event) => {
          isDragged.current = true;
          bar.current?.setPointerCapture(event.pointerId);
          setPointed(placeOf(event));
        }}
        onPointerMove={(event) => setPointed(placeOf(event))}
        onPointerLeave={() => !isDragged.current && setPointed(undefined)}
        onPointerCancel={() => {
          isDragged.current = false;
        }}
        onPointerUp={(event) => {
          isDragged.current = false;
          seek(placeOf(event));
          if (event.pointerType !== "mouse") setPointed(undefined);
        }}
      >
        <svg class="seek-svg" preserveAspectRatio="none" viewBox="0 0 1000 10" aria-hidden="true">
          <rect class="seek-rest" x="0" y="3" width="1000" height="4" />
          <rect class="seek-done" x="0" y="3" width={where * 1000} height="4" />
          {borders(window, programmes).map((border) => (
            <rect
              key={border.place}
              class="seek-border"
              x={border.place * 1000 - 1}
              y="0"
              width="2"
              height="10"
            >
              <title>{border.title}</title>
            </rect>
          ))}
        </svg>
        <Thumb place={where} />
        {pointed !== undefined && (
          <Hint place={pointed}>
            {hour(at(pointed), true)}
            <ProgrammeAt at={at(pointed)} programmes={programmes} />
          </Hint>
        )}
      </div>
      <span class="seek-time" title={`${percent(where)} of what is kept`}>
        {live ? hour(at(1)) : `-${clock(behind)}`}
      </span>
    </div>
  );
}

/** Places an element by script: the page's policy forbids style attributes in markup. */
function usePlace(where: number) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    element.current?.style.setProperty("left", `${where * 100}%`);
  });
  return element;
}

function Thumb({ place: where }: { place: number }) {
  return <span ref={usePlace(where)} class="seek-thumb" aria-hidden="true" />;
}

function Hint({ place: where, children }: { place: number; children: preact.ComponentChildren }) {
  return (
    <span ref={usePlace(where)} class="seek-hint" aria-hidden="true">
      {children}
    </span>
  );
}

function ProgrammeAt({
  at,
  programmes,
}: {
  at: number | undefined;
  programmes: readonly Programme[];
}) {
  if (at === undefined) return null;
  const found = programmes.find(
    ({ begin, end }) => Date.parse(begin) <= at && at < Date.parse(end),
  );
  return found ? <span class="seek-title">{found.title}</span> : null;
}

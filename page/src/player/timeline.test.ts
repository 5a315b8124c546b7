import assert from "node:assert/strict";
import { test } from "node:test";
import {
  borders,
  clock,
  isLive,
  isPlayedOut,
  mediaTime,
  place,
  type Span,
  timeAt,
  type Window,
  wallClock,
  withinWindow,
} from "./timeline";

const NOON = Date.UTC(2026, 10, 26, 12, 0, 0);

/** Ten minutes from 100 s on, with a hole of a minute in the broadcast at 400 s. */
const spans: Span[] = [
  { start: 100, end: 400, at: NOON },
  { start: 400, end: 700, at: NOON + 360_000 },
];
const window: Window = { start: 100, end: 702, live: 700, spans };

test("a media time is told as the wall-clock time of its own span", () => {
  assert.equal(wallClock(spans, 130), NOON + 30_000);
  assert.equal(wallClock(spans, 430), NOON + 390_000);
});

test("a time outside every span is told by the nearest one", () => {
  assert.equal(wallClock(spans, 95), NOON - 5000);
  assert.equal(wallClock(spans, 702), NOON + 662_000);
  assert.equal(wallClock([], 5), undefined);
});

test("a wall-clock time leads to the media time that has it", () => {
  for (const time of [100, 250, 399, 401, 699]) {
    const at = wallClock(spans, time);
    assert.equal(mediaTime(spans, at ?? 0), time);
  }
});

test("nothing is sought behind the live position or before the window", () => {
  assert.equal(withinWindow(window, 900), 700);
  assert.equal(withinWindow(window, 20), 101);
  assert.equal(withinWindow(window, 500), 500);
  assert.equal(withinWindow({ ...window, live: 100 }, 20), 100);
});

test("a window without length puts everything at its end", () => {
  const empty = { start: 5, end: 5, live: 5, spans: [] };
  assert.equal(place(empty, 5), 1);
  assert.equal(withinWindow(empty, 1), 5);
});

test("a place on the bar and its time are each other's inverse", () => {
  for (const where of [0, 0.25, 0.5, 1]) assert.equal(place(window, timeAt(window, where)), where);
  assert.equal(timeAt(window, 7), 700);
});

test("playback a moment behind the live position counts as live, and further back it does not", () => {
  assert.ok(isLive(window, 700));
  assert.ok(isLive(window, 698));
  assert.ok(!isLive(window, 690));
});

test("programmes that begin within the window have a border there", () => {
  const at = (ms: number) => ({ begin: new Date(ms).toISOString(), title: String(ms) });
  const found = borders(window, [at(NOON - 60_000), at(NOON + 60_000), at(NOON + 3_600_000)]);
  assert.deepEqual(found, [{ place: 0.1, title: String(NOON + 60_000) }]);
});

test("a duration is read as minutes and seconds, with hours where there are any", () => {
  assert.equal(clock(0), "0:00");
  assert.equal(clock(75.4), "1:15");
  assert.equal(clock(3725), "1:02:05");
  assert.equal(clock(-3), "0:00");
});

test("a stream is played out where it ended and nothing of it is left to come", () => {
  const ended = { live: false, edge: 6.3, targetduration: 2 };
  assert.ok(isPlayedOut(ended, 5.7, 5.7));
  assert.ok(!isPlayedOut(ended, 5.7, 4.7), "there is something to play yet");
  assert.ok(!isPlayedOut(ended, 1, 1), "what was sought is being loaded");
  assert.ok(!isPlayedOut({ ...ended, live: true }, 5.7, 5.7), "more may come");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { DAY_MS, dayName, duration, HOUR_MS, progress, startOfDay } from "./time";

test("a length is said in hours and minutes", () => {
  assert.equal(duration(0), "0 min");
  assert.equal(duration(59.4 * 60_000), "59 min");
  assert.equal(duration(60 * 60_000), "1 h");
  assert.equal(duration(90 * 60_000), "1 h 30 min");
  assert.equal(duration(-1), "0 min");
});

test("a day begins at midnight of this device's clock, whatever its length", () => {
  // The last Sunday of October has 25 hours in most of Europe.
  for (const day of [
    "2026-10-24T12:00",
    "2026-10-25T23:59",
    "2026-03-28T00:00",
    "2026-06-01T08:00",
  ]) {
    const time = new Date(day).getTime();
    for (const days of [-1, 0, 1, 7]) {
      const start = new Date(startOfDay(time, days));
      assert.deepEqual([start.getHours(), start.getMinutes(), start.getSeconds()], [0, 0, 0]);
    }
    assert.ok(startOfDay(time, 1) > time);
    assert.ok(startOfDay(time, 1) - startOfDay(time) <= DAY_MS + HOUR_MS);
  }
});

test("days near today have names", () => {
  const now = new Date("2026-11-26T20:15").getTime();
  assert.equal(dayName(now, now), "Today");
  assert.equal(dayName(startOfDay(now, 1), now), "Tomorrow");
  assert.equal(dayName(startOfDay(now) - 1, now), "Yesterday");
  assert.match(dayName(startOfDay(now, 3), now), /29/);
});

test("how much of a programme is over is never less than nothing or more than all", () => {
  const [begin, end] = ["2026-11-26T20:00:00Z", "2026-11-26T21:00:00Z"];
  const from = Date.parse(begin);
  assert.equal(progress(begin, end, from - 1), 0);
  assert.equal(progress(begin, end, from + HOUR_MS / 4), 0.25);
  assert.equal(progress(begin, end, from + 2 * HOUR_MS), 1);
  assert.equal(progress(end, begin, from), 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS } from "../time";
import { type Cursor, cellAt, cells, moved, place, rowsSeen, timeSeen } from "./grid";

const H = HOUR_MS;

test("every row that is seen is drawn, few others are, and none that is not there", () => {
  for (const count of [0, 1, 7, 500]) {
    for (let top = 0; top <= count * 60; top += 37) {
      const { first, end } = rowsSeen(top, 600, 60, count);
      assert.ok(first >= 0 && end <= count && first <= end);
      assert.ok(first <= Math.min(count, Math.floor(top / 60)));
      assert.ok(end >= Math.min(count, Math.ceil((top + 600) / 60)));
      assert.ok(end - first <= 10 + 16);
    }
  }
});

test("what is drawn does not change with each pixel", () => {
  const seen = new Set<string>();
  for (let top = 0; top < 2400; top++) seen.add(JSON.stringify(rowsSeen(top, 600, 60, 500)));
  assert.ok(seen.size <= 21, `${seen.size} different ones`);
});

test("every hour that is seen is drawn", () => {
  for (let left = 0; left < 5000; left += 61) {
    const { from, to } = timeSeen(left, 800, 240, 7 * H);
    assert.ok(from <= 7 * H + (left / 240) * H);
    assert.ok(to >= 7 * H + ((left + 800) / 240) * H);
    assert.ok(to - from <= (800 / 240) * H + 4 * H);
  }
});

test("a programme stands where its time is, cut to what the guide has", () => {
  const whole = { from: 10 * H, to: 20 * H };
  assert.deepEqual(place({ from: 11 * H, to: 12.5 * H }, 200, whole), { left: 200, width: 300 });
  assert.deepEqual(place({ from: 9 * H, to: 11 * H }, 200, whole), { left: 0, width: 200 });
  assert.deepEqual(place({ from: 19 * H, to: 30 * H }, 200, whole), { left: 1800, width: 200 });
});

const PROGRAMMES = [
  { from: 0, to: 2 * H },
  { from: 2 * H, to: 3 * H },
  { from: 5 * H, to: 6 * H },
];

test("programmes and gaps cover the whole time without overlap", () => {
  const row = cells(PROGRAMMES, { from: H, to: 8 * H });
  assert.deepEqual(
    row.map((cell) => [cell.from / H, cell.to / H, cell.programme !== undefined]),
    [
      [0, 2, true],
      [2, 3, true],
      [3, 5, false],
      [5, 6, true],
      [6, 8, false],
    ],
  );
  assert.deepEqual(cells([], { from: 0, to: H }), [{ from: 0, to: H, programme: undefined }]);
});

test("keys walk through programmes and gaps, and keep the time from row to row", () => {
  const span = { from: 0, to: 8 * H };
  const row = cells(PROGRAMMES, span);
  const limits = { rows: 3, page: 2, span, now: 5.5 * H };
  let cursor: Cursor = { row: 0, time: 2.5 * H };
  const press = (key: string) => {
    cursor = moved(cursor, key, row, limits) ?? assert.fail(key);
    return [cursor.row, cursor.time / H];
  };
  assert.deepEqual(press("ArrowRight"), [0, 3]);
  assert.deepEqual(press("ArrowRight"), [0, 5]);
  assert.deepEqual(press("ArrowDown"), [1, 5]);
  assert.deepEqual(press("PageDown"), [2, 5]);
  assert.deepEqual(press("ArrowDown"), [2, 5]);
  assert.deepEqual(press("ArrowRight"), [2, 6]);
  assert.deepEqual(press("ArrowRight"), [2, 6]);
  assert.deepEqual(press("PageUp"), [0, 6]);
  assert.deepEqual(press("ArrowUp"), [0, 6]);
  for (const time of [5, 3, 2, 0, 0]) assert.deepEqual(press("ArrowLeft"), [0, time]);
  assert.deepEqual(press("Home"), [0, 5.5]);
  assert.equal(cellAt(row, cursor.time)?.programme, PROGRAMMES[2]);
  assert.equal(moved(cursor, "x", row, limits), undefined);
});

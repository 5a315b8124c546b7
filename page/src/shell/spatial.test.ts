import assert from "node:assert/strict";
import { test } from "node:test";
import { type Box, nextBox } from "./spatial";

function box(left: number, top: number, width = 100, height = 40): Box {
  return { left, top, right: left + width, bottom: top + height };
}

// Two columns of three rows that touch.
const CELLS = [0, 40, 80].flatMap((top) => [box(0, top), box(100, top)]);

test("an arrow leads to the neighbour, and nowhere at the edge", () => {
  const expected = [
    ["ArrowRight", 0, 1],
    ["ArrowLeft", 1, 0],
    ["ArrowDown", 0, 2],
    ["ArrowDown", 3, 5],
    ["ArrowUp", 4, 2],
    ["ArrowUp", 0, -1],
    ["ArrowLeft", 2, -1],
    ["ArrowRight", 3, -1],
    ["ArrowDown", 5, -1],
  ] as const;
  for (const [direction, from, to] of expected) {
    const origin = CELLS[from] as Box;
    const others = CELLS.map((each) => (each === origin ? box(-1000, -1000) : each));
    const found = nextBox(origin, others, direction);
    const isElsewhere = found >= 0 && others[found]?.left === -1000;
    assert.equal(isElsewhere ? -1 : found, to, `${direction} from ${from}`);
  }
});

test("what lies straight ahead comes before what is nearer and aside", () => {
  const far = box(0, 200);
  const aside = box(300, 60);
  assert.equal(nextBox(box(0, 0), [aside, far], "ArrowDown"), 1);
});

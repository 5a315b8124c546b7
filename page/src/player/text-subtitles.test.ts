import assert from "node:assert/strict";
import { test } from "node:test";
import { cueTop } from "./text-subtitles";

test("a cue without a line stands at the bottom", () => {
  assert.equal(cueTop("auto", true), undefined);
  assert.equal(cueTop(Number.NaN, true), undefined);
});

test("a line in percent is a part of the picture", () => {
  assert.equal(cueTop(50, false), 0.5);
});

test("lines are counted from the top, and negative ones from the bottom", () => {
  assert.equal(cueTop(0, true), 0);
  assert.ok((cueTop(10, true) ?? 0) > (cueTop(9, true) ?? 0));
  assert.ok((cueTop(-1, true) ?? 0) > 0.9);
});

test("a cue never begins outside the picture", () => {
  for (const line of [-500, 500]) {
    for (const snap of [true, false]) {
      const top = cueTop(line, snap) ?? -1;
      assert.ok(top >= 0 && top < 1);
    }
  }
});

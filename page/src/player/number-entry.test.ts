import assert from "node:assert/strict";
import { test } from "node:test";
import { neighbour, typeDigit } from "./number-entry";

const channels = [1, 2, 12, 105, 1050].map((number) => ({ number, id: `c${number}` }));

function type(digits: string) {
  let entry = typeDigit(channels, "", digits.charAt(0));
  for (const digit of digits.slice(1)) entry = typeDigit(channels, entry.digits, digit);
  return entry;
}

test("a number that no other one continues is complete at once", () => {
  assert.equal(type("2").match?.number, 2);
  assert.ok(type("2").isComplete);
  assert.ok(type("1050").isComplete);
});

test("a number that others continue waits for another digit", () => {
  assert.equal(type("1").match?.number, 1);
  assert.ok(!type("1").isComplete);
  assert.equal(type("105").match?.number, 105);
  assert.ok(!type("105").isComplete);
});

test("zeros in front count for nothing", () => {
  assert.equal(type("002").match?.number, 2);
  assert.ok(type("002").isComplete);
  assert.equal(type("0").match, undefined);
  assert.ok(!type("0").isComplete);
});

test("a number that nobody has matches nothing and is never complete", () => {
  assert.equal(type("7").match, undefined);
  assert.ok(!type("7").isComplete);
});

test("digits beyond the fifth are left out", () => {
  assert.equal(type("1234567").digits, "12345");
});

test("zapping goes round the list in both directions", () => {
  assert.equal(neighbour(channels, "c1050", 1)?.id, "c1");
  assert.equal(neighbour(channels, "c1", -1)?.id, "c1050");
  assert.equal(neighbour(channels, "c2", 1)?.id, "c12");
});

test("zapping away from a channel that left the list begins at the first", () => {
  assert.equal(neighbour(channels, "gone", 1)?.id, "c1");
  assert.equal(neighbour([], "gone", 1), undefined);
});

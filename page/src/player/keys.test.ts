import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf } from "./keys";

function press(key: string, held: Partial<Record<"ctrlKey" | "altKey" | "metaKey", boolean>> = {}) {
  return actionOf({ key, ctrlKey: false, altKey: false, metaKey: false, ...held });
}

test("keys of a keyboard and of a remote control do the same", () => {
  assert.deepEqual(press("ArrowUp"), press("ChannelUp"));
  assert.deepEqual(press(" "), press("MediaPlayPause"));
  assert.deepEqual(press("ArrowLeft"), { kind: "seek", seconds: -10 });
});

test("letters work with shift and caps lock", () => {
  assert.deepEqual(press("F"), press("f"));
});

test("digits are digits", () => {
  assert.deepEqual(press("7"), { kind: "digit", digit: "7" });
});

test("keys with a modifier belong to the browser", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"] as const) {
    assert.equal(press("f", { [held]: true }), undefined);
  }
});

test("names of an object's own methods are no keys", () => {
  for (const key of ["constructor", "toString", "__proto__"]) assert.equal(press(key), undefined);
});

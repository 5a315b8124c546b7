import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, belongsToFocus } from "./keys";

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

const nowhere = { isPlayers: true, isField: false, isChoice: false, isButton: false };

test("while nothing has the focus every key is the player's", () => {
  for (const key of ["ArrowUp", " ", "Enter", "7", "m"]) assert.ok(!belongsToFocus(nowhere, key));
});

test("a text field keeps all keys", () => {
  for (const key of ["7", "m", " ", "ArrowLeft"]) {
    assert.ok(belongsToFocus({ ...nowhere, isPlayers: false, isField: true }, key));
  }
});

test("a button is pressed by its keys, and arrows still zap", () => {
  const button = { ...nowhere, isButton: true };
  assert.ok(belongsToFocus(button, " "));
  assert.ok(belongsToFocus(button, "Enter"));
  assert.ok(!belongsToFocus(button, "ArrowUp"));
});

test("in the lists of the page arrows move the focus, and digits still tune", () => {
  const link = { ...nowhere, isPlayers: false, isButton: true };
  assert.ok(belongsToFocus(link, "ArrowDown"));
  assert.ok(belongsToFocus(link, "Enter"));
  assert.ok(!belongsToFocus(link, "7"));
  assert.ok(!belongsToFocus(link, "m"));
});

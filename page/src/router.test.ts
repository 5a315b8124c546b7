import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, type Place, placeOf } from "./router";

test("a place and its hash name each other", () => {
  const places: Place[] = [
    { at: "channels" },
    { at: "channel", id: "1_0_19_283D_3FB_1_C00000_0_0_0" },
    { at: "channel", id: "web/ä %2F#?" },
    { at: "guide" },
    { at: "search" },
    { at: "status" },
    { at: "addresses" },
  ];
  for (const place of places) {
    assert.deepEqual(placeOf(hashOf(place)), place);
  }
});

test("a hash that names nothing leads to the channels", () => {
  for (const hash of [
    "",
    "#",
    "#/",
    "#/nothing",
    "#/channel",
    "#/channel/",
    "#/channel/%E0%A4%A",
  ]) {
    assert.deepEqual(placeOf(hash), { at: "channels" }, hash);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { playbackRate } from "./pace";

const live = { buffer: 1.5, behind: 0, rewound: 4, isLive: true };

test("playback at the live position has the broadcast's own pace", () => {
  assert.equal(playbackRate(live), 1);
});

test("a buffer that runs out slows playback down, and never more than can be heard", () => {
  const rate = playbackRate({ ...live, buffer: 0.2 });
  assert.ok(rate < 1 && rate >= 0.9);
});

test("who fell behind catches up while the buffer allows", () => {
  assert.ok(playbackRate({ ...live, behind: 1 }) > 1);
  assert.equal(playbackRate({ ...live, behind: 1, buffer: 0.6 }), 1);
  assert.ok(playbackRate({ ...live, behind: 1, buffer: 0.2 }) < 1);
});

test("who has rewound, and a stream that is over, keep their pace", () => {
  assert.equal(playbackRate({ ...live, behind: 30, buffer: 0.1 }), 1);
  assert.equal(playbackRate({ ...live, isLive: false, buffer: 0.1 }), 1);
});

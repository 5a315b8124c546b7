import assert from "node:assert/strict";
import { test } from "node:test";
import { TextCues } from "./text-cues";

function cue(startTime: number, endTime: number, text: string) {
  return { startTime, endTime, text };
}

function shown(cues: TextCues<ReturnType<typeof cue>>, time: number): string[] {
  return cues.at(time).map(({ text }) => text);
}

test("a cue is shown from its start on, and no longer at its end", () => {
  const cues = new TextCues<ReturnType<typeof cue>>();
  cues.add([cue(1, 3, "a"), cue(2, 4, "b")]);
  assert.deepEqual(shown(cues, 0.9), []);
  assert.deepEqual(shown(cues, 1), ["a"]);
  assert.deepEqual(shown(cues, 2.5), ["a", "b"]);
  assert.deepEqual(shown(cues, 3), ["b"]);
});

test("a file that is loaded again shows nothing twice", () => {
  const cues = new TextCues<ReturnType<typeof cue>>();
  for (let times = 0; times < 3; times++) cues.add([cue(1, 3, "a"), cue(1, 3, "b")]);
  assert.deepEqual(shown(cues, 2), ["a", "b"]);
});

test("files may come in any order", () => {
  const cues = new TextCues<ReturnType<typeof cue>>();
  cues.add([cue(5, 9, "late")]);
  cues.add([cue(1, 9, "early")]);
  assert.deepEqual(shown(cues, 6), ["early", "late"]);
});

test("cues of long ago are forgotten", () => {
  const cues = new TextCues<ReturnType<typeof cue>>();
  for (let from = 0; from < 6000; from += 1000) {
    cues.add(Array.from({ length: 1000 }, (_, index) => cue(from + index, from + index + 1, "x")));
  }
  assert.deepEqual(shown(cues, 500), []);
  assert.deepEqual(shown(cues, 5500), ["x"]);
});

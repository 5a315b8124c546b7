import assert from "node:assert/strict";
import { test } from "node:test";
import type { Channel, Shown } from "../api/types";
import { bouquets, type Choice, choiceOf, choiceText, chosen, matching, onAt } from "./lineup";

function channel(number: number, name: string, names: string[], radio = false): Channel {
  return {
    id: `id-${number}`,
    number,
    name,
    radio,
    bouquets: names,
    service: null,
    stream_url: "",
    logo_url: null,
  } as Channel;
}

const CHANNELS = [
  channel(1, "Das Erste HD", ["Favourites", "TV"]),
  channel(2, "Zürich Süd", ["TV"]),
  channel(12, "arte", ["TV", "Culture"]),
  channel(100, "Bayern 3", ["Radio"], true),
];
const numbers = (found: Channel[]) => found.map((each) => each.number);

test("bouquets come once each, in the order of the channels", () => {
  assert.deepEqual(bouquets(CHANNELS), ["Favourites", "TV", "Culture", "Radio"]);
});

test("a choice shows its channels alone", () => {
  assert.deepEqual(numbers(chosen(CHANNELS, { kind: "all" })), [1, 2, 12, 100]);
  assert.deepEqual(numbers(chosen(CHANNELS, { kind: "radio" })), [100]);
  assert.deepEqual(numbers(chosen(CHANNELS, { kind: "bouquet", name: "TV" })), [1, 2, 12]);
  assert.deepEqual(numbers(chosen(CHANNELS, { kind: "bouquet", name: "gone" })), []);
});

test("a search takes names in whatever case and accent, words in any order, and numbers", () => {
  const cases: [string, number[]][] = [
    ["", [1, 2, 12, 100]],
    ["hd erste", [1]],
    ["ZURICH", [2]],
    ["süd", [2]],
    ["1", [1, 12, 100]],
    ["012", [12]],
    ["3", [100]],
    ["nothing", []],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(numbers(matching(CHANNELS, text)), expected, text);
  }
});

test("a choice is kept and found again", () => {
  const choices: Choice[] = [
    { kind: "all" },
    { kind: "radio" },
    { kind: "bouquet", name: "radio" },
    { kind: "bouquet", name: "=all" },
  ];
  for (const choice of choices) assert.deepEqual(choiceOf(choiceText(choice)), choice);
  assert.deepEqual(choiceOf(null), { kind: "all" });
  assert.deepEqual(choiceOf("unknown"), { kind: "all" });
});

test("what is on moves on without another answer", () => {
  const slot = (begin: number, end: number) => ({
    begin: new Date(begin).toISOString(),
    end: new Date(end).toISOString(),
    title: `from ${begin}`,
    subtitle: "",
  });
  const shown = { channel: "x", now: slot(0, 100), next: slot(100, 200) } as Shown;
  assert.deepEqual(onAt(shown, 50), { now: shown.now, next: shown.next });
  assert.deepEqual(onAt(shown, 100), { now: shown.next, next: null });
  assert.deepEqual(onAt(shown, 200), { now: null, next: null });
  const later = { channel: "x", now: slot(0, 100), next: slot(150, 200) } as Shown;
  assert.deepEqual(onAt(later, 120), { now: null, next: later.next });
  assert.deepEqual(onAt(undefined, 0), { now: null, next: null });
});

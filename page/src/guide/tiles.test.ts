import assert from "node:assert/strict";
import { test } from "node:test";
import type { Programme } from "../api/types";
import { HOUR_MS } from "../time";
import type { Span } from "./grid";
import { MOST_TILES, TILE_CHANNELS, TILE_MS, Tiles } from "./tiles";

const IDS = Array.from({ length: 100 }, (_, at) => `c${at}`);

function programme(channel: string, from: number, to: number): Programme {
  return {
    channel,
    begin: new Date(from).toISOString(),
    end: new Date(to).toISOString(),
    title: `${channel} at ${from / HOUR_MS}`,
  } as Programme;
}

/** A daemon whose channels have programmes of four hours, and questions that wait for an answer. */
class Daemon {
  asked: { ids: readonly string[]; span: Span; answer: () => void; fail: () => void }[] = [];
  changes = 0;
  time = 0;
  tiles = new Tiles(
    () => this.changes++,
    (ids, span) =>
      new Promise((resolve, reject) => {
        const answer = () => {
          const found: Programme[] = [];
          for (
            let at = Math.floor(span.from / (4 * HOUR_MS)) * 4 * HOUR_MS;
            at < span.to;
            at += 4 * HOUR_MS
          ) {
            found.push(...ids.map((id) => programme(id, at, at + 4 * HOUR_MS)));
          }
          resolve(found);
        };
        this.asked.push({ ids, span, answer, fail: () => reject(new Error("it is off")) });
      }),
    () => this.time,
  );

  async answerAll(): Promise<void> {
    for (let turns = 0; turns < 200 && this.asked.length > 0; turns++) {
      for (const each of this.asked.splice(0)) each.answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

test("what is looked at is read once, a few questions at a time", async () => {
  const daemon = new Daemon();
  daemon.tiles.lay(IDS);
  daemon.tiles.look({ first: 30, end: 50 }, { from: HOUR_MS, to: 13 * HOUR_MS });
  assert.equal(daemon.asked.length, 3);
  const asked = new Set<string>();
  for (let turns = 0; turns < 9 && daemon.asked.length > 0; turns++) {
    for (const each of daemon.asked.splice(0)) {
      assert.ok(each.ids.length <= TILE_CHANNELS);
      const key = `${each.ids[0]} ${each.span.from}`;
      assert.ok(!asked.has(key), key);
      asked.add(key);
      each.answer();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(asked.size, 2 * 3);
  daemon.tiles.look({ first: 30, end: 50 }, { from: HOUR_MS, to: 13 * HOUR_MS });
  assert.equal(daemon.asked.length, 0);
});

test("a programme over the border of two tiles is there once", async () => {
  const daemon = new Daemon();
  daemon.tiles.lay(IDS);
  const span = { from: 0, to: 2 * TILE_MS };
  assert.deepEqual(daemon.tiles.programmes("c3", span), { programmes: [], isWhole: false });
  daemon.tiles.look({ first: 0, end: 5 }, span);
  await daemon.answerAll();
  const { programmes, isWhole } = daemon.tiles.programmes("c3", span);
  assert.deepEqual(
    programmes.map((each) => each.from / HOUR_MS),
    [0, 4, 8],
  );
  assert.ok(isWhole);
  assert.ok(programmes.every((each) => each.about.channel === "c3"));
});

test("what nobody looks at any more is not read", async () => {
  const daemon = new Daemon();
  daemon.tiles.lay(IDS);
  for (let hour = 0; hour < 24 * 5; hour += 6) {
    daemon.tiles.look({ first: 0, end: 20 }, { from: hour * HOUR_MS, to: (hour + 6) * HOUR_MS });
  }
  assert.equal(daemon.asked.length, 3);
  await daemon.answerAll();
  assert.ok(daemon.tiles.programmes("c0", { from: 114 * HOUR_MS, to: 120 * HOUR_MS }).isWhole);
  assert.ok(!daemon.tiles.programmes("c0", { from: 60 * HOUR_MS, to: 66 * HOUR_MS }).isWhole);
});

test("a failure is told, what was there stays, and it is asked again later", async () => {
  const daemon = new Daemon();
  daemon.tiles.lay(IDS);
  const look = () => daemon.tiles.look({ first: 0, end: 5 }, { from: 0, to: TILE_MS });
  look();
  await daemon.answerAll();
  daemon.time += 11 * 60_000;
  look();
  daemon.asked.splice(0)[0]?.fail();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(daemon.tiles.trouble, "it is off");
  assert.equal(daemon.tiles.programmes("c0", { from: 0, to: TILE_MS }).programmes.length, 2);
  look();
  assert.equal(daemon.asked.length, 0);
  daemon.time += 6000;
  look();
  await daemon.answerAll();
  assert.equal(daemon.tiles.trouble, undefined);
});

test("memory does not grow with the time that somebody scrolls", async () => {
  const daemon = new Daemon();
  daemon.tiles.lay(IDS);
  for (let tile = 0; tile < 2 * MOST_TILES; tile++) {
    daemon.tiles.look({ first: 0, end: 5 }, { from: tile * TILE_MS, to: (tile + 1) * TILE_MS });
    await daemon.answerAll();
  }
  assert.equal(daemon.tiles["tiles"].size, MOST_TILES);
  const latest = (2 * MOST_TILES - 1) * TILE_MS;
  assert.ok(daemon.tiles.programmes("c0", { from: latest, to: latest + TILE_MS }).isWhole);
});

test("an answer for channels that are no longer shown is not taken", async () => {
  const daemon = new Daemon();
  daemon.tiles.lay(IDS);
  daemon.tiles.look({ first: 0, end: 5 }, { from: 0, to: TILE_MS });
  const [late] = daemon.asked.splice(0);
  daemon.tiles.lay([...IDS].reverse());
  daemon.tiles.look({ first: 0, end: 5 }, { from: 0, to: TILE_MS });
  late?.answer();
  await daemon.answerAll();
  assert.equal(daemon.tiles.programmes("c99", { from: 0, to: TILE_MS }).programmes.length, 2);
  assert.equal(daemon.tiles.programmes("c0", { from: 0, to: TILE_MS }).programmes.length, 0);
});

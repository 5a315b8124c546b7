import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldOrderVote, judgeFrame, type Strip } from "./field-order";

const WIDTH = 8;
const HEIGHT = 64;

/** A slope that moves down four rows a field, seen at a time that is counted in fields. */
function brightness(y: number, time: number): number {
  return Math.round(128 + 100 * Math.sin((y - 4 * time) / 6));
}

/** A frame whose even rows are seen at one time and whose odd rows at another. */
function frame(top: number, bottom: number): Strip {
  const luma = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    luma.fill(brightness(y, y % 2 === 0 ? top : bottom), y * WIDTH, (y + 1) * WIDTH);
  }
  return { width: WIDTH, height: HEIGHT, luma };
}

test("frames whose top field is the earlier one are told", () => {
  assert.equal(judgeFrame(frame(0, 1), frame(2, 3), frame(4, 5)), "top-first");
});

test("frames whose bottom field is the earlier one are told", () => {
  assert.equal(judgeFrame(frame(1, 0), frame(3, 2), frame(5, 4)), "bottom-first");
});

test("frames whose fields are of one time are progressive", () => {
  assert.equal(judgeFrame(frame(0, 0), frame(2, 2), frame(4, 4)), "progressive");
});

test("a still picture tells nothing", () => {
  assert.equal(judgeFrame(frame(3, 3), frame(3, 3), frame(3, 3)), undefined);
});

test("the top field is taken for the first until most frames say otherwise", () => {
  const vote = new FieldOrderVote();
  assert.equal(vote.order, "top-first");
  for (let count = 0; count < 7; count++) vote.add("bottom-first");
  assert.equal(vote.order, "top-first");
  vote.add("bottom-first");
  assert.equal(vote.order, "bottom-first");
});

test("frames that tell nothing do not vote", () => {
  const vote = new FieldOrderVote();
  for (let count = 0; count < 7; count++) vote.add("bottom-first");
  for (let count = 0; count < 100; count++) vote.add(undefined);
  assert.equal(vote.order, "top-first");
});

test("a film within an interlaced broadcast is noticed, and its end sooner than its beginning", () => {
  const vote = new FieldOrderVote();
  for (let count = 0; count < 11; count++) vote.add("progressive");
  assert.equal(vote.order, "top-first");
  vote.add("progressive");
  assert.equal(vote.order, "progressive");
  for (let count = 0; count < 8; count++) vote.add("top-first");
  assert.equal(vote.order, "top-first");
});

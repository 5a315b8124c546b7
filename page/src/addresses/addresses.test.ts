import assert from "node:assert/strict";
import { test } from "node:test";
import type { Channel } from "../api/types";
import { baseOf } from "./Addresses";

const channel = (stream_url: string) => ({ stream_url }) as Channel;

test("addresses begin as the daemon says, and as the page's own where it says nothing", () => {
  const page = "http://box:8088/tv/";
  assert.equal(baseOf([], page), "http://box:8088/tv");
  assert.equal(baseOf([], "http://box:8088/"), "http://box:8088");
  assert.equal(
    baseOf([channel("https://tv.example.org/x/stream/1_0.ts")], page),
    "https://tv.example.org/x",
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream, Streams, Upstream } from "../api/types";
import { watched } from "./watched";

const stream = (id: string, upstream: string | null) =>
  ({ id, upstream, channel: `channel of ${id}`, channel_name: null }) as Stream;
const upstream = (id: string, state: string) =>
  ({ id, state, channel: `c${id}`, channel_name: `Channel ${id}` }) as Upstream;

test("viewers stand with the stream that they share, and each of them once", () => {
  const told: Streams = {
    streams: [stream("a", "1"), stream("b", "2"), stream("c", "1"), stream("d", null)],
    upstreams: [
      upstream("1", "running"),
      upstream("2", "reconnecting"),
      upstream("3", "lingering"),
      upstream("4", "opening"),
    ],
  };
  const found = watched(told);
  assert.deepEqual(
    found.map((each) => [each.channelName, each.streams.map((it) => it.id)]),
    [
      ["Channel 1", ["a", "c"]],
      ["Channel 2", ["b"]],
      ["Channel 3", []],
      ["channel of d", ["d"]],
    ],
  );
  assert.deepEqual(
    found.map((each) => each.note?.slice(0, 6)),
    [undefined, "The re", "No vie", "Openin"],
  );
});

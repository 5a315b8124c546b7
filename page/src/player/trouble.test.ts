import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, readRefusal } from "./trouble";

const IN_USE = JSON.stringify({
  status: 503,
  detail: "Every tuner is in use.",
  code: 805,
  users: [
    {
      stream_id: "s1",
      channel: "c",
      channel_name: "Eins",
      address: "192.168.1.7",
      since: "2026-11-26T09:00:00Z",
      is_own: true,
    },
    "nonsense",
  ],
});

test("who uses the tuners is told, with since when and whether it is oneself", () => {
  const trouble = readRefusal(503, "805 All Tuners In Use", IN_USE);
  const explanation = explain(trouble, 0);
  assert.match(explanation.title, /tuner/);
  assert.deepEqual(explanation.users, [
    {
      streamId: "s1",
      channelName: "Eins",
      address: "192.168.1.7",
      since: Date.UTC(2026, 10, 26, 9),
      isOwn: true,
    },
  ]);
  assert.equal(explanation.retryAfter, undefined);
});

test("a refusal is told by its header where the body says nothing", () => {
  for (const body of ["", "<html>", "null", "[]", "7"]) {
    const trouble = readRefusal(502, "811 Content Protection Required", body);
    assert.match(explain(trouble, 0).title, /scrambled/);
  }
});

test("no answer at all is the network's fault, and tried again ever later", () => {
  const trouble = readRefusal(0, null, "");
  assert.equal(trouble.kind, "network");
  const waits = [0, 1, 2, 3, 4, 50].map((attempt) => explain(trouble, attempt).retryAfter);
  assert.deepEqual(waits, [1, 2, 3, 5, 5, 5]);
});

test("a run that is over is left for the new one at once, and not for ever at once", () => {
  assert.equal(explain({ kind: "gone" }, 0).retryAfter, 0);
  assert.ok((explain({ kind: "gone" }, 1).retryAfter ?? 0) >= 1);
  assert.equal(explain({ kind: "ended" }, 0).retryAfter, 0);
});

test("no signal, a receiver that is off and one that sends nothing are different troubles", () => {
  const title = (status: number, code: string) => explain(readRefusal(status, code, ""), 0).title;
  const titles = [
    title(503, "806 Tune Failed"),
    title(502, "806 Tune Failed"),
    title(504, "807 No Video Data"),
    title(404, "801 Unknown Channel"),
  ];
  assert.equal(new Set(titles).size, 4);
});

test("a picture that browsers do not decode is offered to another player", () => {
  const trouble = readRefusal(406, null, JSON.stringify({ outcome: "not_offered" }));
  assert.ok(explain(trouble, 0).offersPlayer);
  assert.equal(explain(trouble, 0).retryAfter, undefined);
});

test("what the gateway says in words is shown where the page knows nothing better", () => {
  const trouble = readRefusal(
    503,
    "803 System Busy",
    JSON.stringify({ detail: "it is ending", advice: "Wait." }),
  );
  assert.equal(explain(trouble, 0).advice, "It is ending. Wait.");
  assert.equal(explain(trouble, 0).retryAfter, 15);
});

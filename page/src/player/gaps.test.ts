import assert from "node:assert/strict";
import { test } from "node:test";
import { shortenGaps } from "./gaps";

const HEAD = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:4
#EXT-X-PART-INF:PART-TARGET=0.33300
`;
const PARTS = `#EXT-X-MAP:URI="video/header-3.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-26T09:21:04.325Z
#EXT-X-PART:DURATION=0.32000,URI="video/3.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="video/3.1.m4s"
`;

function gap(number: number, date: string): string {
  return `#EXT-X-PROGRAM-DATE-TIME:${date}\n#EXT-X-GAP\n#EXTINF:4.00000,\nvideo/${number}.m4s\n`;
}

test("gaps in front become one short one, with number and date to match", () => {
  const gaps = [0, 1, 2].map((number) => gap(number, `2026-11-26T09:2${number}:00.000Z`)).join("");
  const playlist = `${HEAD}#EXT-X-MEDIA-SEQUENCE:0\n${gaps}${PARTS}`;
  assert.equal(
    shortenGaps(playlist),
    `${HEAD}#EXT-X-MEDIA-SEQUENCE:2
#EXT-X-GAP
#EXT-X-PROGRAM-DATE-TIME:2026-11-26T09:21:04.225Z
#EXTINF:0.1,
video/2.m4s
${PARTS}`,
  );
});

test("one gap in front stays, and becomes short", () => {
  const playlist = `${HEAD}#EXT-X-MEDIA-SEQUENCE:2\n${gap(2, "2026-11-26T09:21:00Z")}${PARTS}`;
  const short = shortenGaps(playlist);
  assert.match(short, /#EXT-X-MEDIA-SEQUENCE:2\n/);
  assert.match(short, /#EXTINF:0\.1,\nvideo\/2\.m4s/);
});

test("gaps behind segments or parts stay as they are", () => {
  const segment = "#EXTINF:2.00000,\nvideo/3.m4s\n";
  const behind = gap(4, "2026-11-26T09:21:06Z");
  for (const front of [segment, '#EXT-X-PART:DURATION=0.3,URI="video/3.0.m4s"\n']) {
    const playlist = `${HEAD}#EXT-X-MEDIA-SEQUENCE:3\n${front}${behind}${PARTS}`;
    assert.equal(shortenGaps(playlist), playlist);
  }
});

test("playlists without gaps, partial updates and other texts stay as they are", () => {
  for (const text of [
    `${HEAD}${PARTS}`,
    `${HEAD}#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n${gap(3, "2026-11-26T09:21:00Z")}`,
    "",
    "<html>#EXT-X-GAP</html>",
  ]) {
    assert.equal(shortenGaps(text), text);
  }
});

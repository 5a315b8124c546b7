import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CueEvent,
  ImageCues,
  imageRenditions,
  lastSegment,
  letterbox,
  placeImage,
} from "./image-cues";

function event(from: number, until: number | null, png?: string): CueEvent {
  const images = png === undefined ? [] : [{ x: 0, y: 0, width: 1, height: 1, png }];
  return { from_90k: from, until_90k: until, images };
}

function shown(cues: ImageCues, at: number): string | undefined {
  return cues.at(at)?.images[0]?.png;
}

test("an image is shown from its time on until its end", () => {
  const cues = new ImageCues();
  cues.add(7, { start_90k: 500, events: [event(1000, 2000, "a")] });
  assert.equal(shown(cues, 999), undefined);
  assert.equal(shown(cues, 1000), "a");
  assert.equal(shown(cues, 1999), "a");
  assert.equal(shown(cues, 2000), undefined);
});

test("an event without images clears the one before it, also across files", () => {
  const cues = new ImageCues();
  cues.add(7, { start_90k: 500, events: [event(1000, null, "a")] });
  assert.equal(shown(cues, 9000), "a");
  cues.add(8, { start_90k: 5000, events: [event(5000, null, "a"), event(6000, null)] });
  assert.equal(shown(cues, 5500), "a");
  assert.equal(shown(cues, 6000), undefined);
});

test("files that come in another order show the same", () => {
  const cues = new ImageCues();
  cues.add(8, { start_90k: 5000, events: [event(5000, null, "b")] });
  cues.add(7, { start_90k: 1000, events: [event(1000, null, "a")] });
  assert.equal(shown(cues, 4999), "a");
  assert.equal(shown(cues, 5000), "b");
});

test("times beyond 32 and 33 bits are compared as they are", () => {
  const cues = new ImageCues();
  const wrap = 2 ** 33;
  cues.add(1, {
    start_90k: wrap - 90,
    events: [event(wrap - 90, wrap + 90, "a"), event(wrap + 90, null, "b")],
  });
  assert.equal(shown(cues, wrap), "a");
  assert.equal(shown(cues, wrap + 90), "b");
});

test("a jump over the file that clears an image shows nothing of it", () => {
  const cues = new ImageCues();
  cues.add(7, { start_90k: 0, events: [event(1000, null, "a")] });
  cues.add(90, { start_90k: 9_000_000, events: [] });
  assert.equal(shown(cues, 9_000_100), undefined);
});

test("an image goes on while the next file is late, and not for ever", () => {
  const cues = new ImageCues();
  cues.add(7, { start_90k: 0, events: [event(1000, null, "a")] });
  assert.equal(shown(cues, 4 * 90_000), "a");
  assert.equal(shown(cues, 60 * 90_000), undefined);
});

test("files of long ago are forgotten", () => {
  const cues = new ImageCues();
  for (let segment = 0; segment < 500; segment++) {
    const at = segment * 100;
    cues.add(segment, { start_90k: at, events: [event(at, at + 100, `${segment}`)] });
  }
  assert.ok(!cues.has(0));
  assert.ok(cues.has(499));
  assert.equal(shown(cues, 49_950), "499");
});

test("a picture of another shape than its box has bars at two sides", () => {
  assert.deepEqual(letterbox(1920, 1080, 1600, 1600), { x: 0, y: 350, width: 1600, height: 900 });
  assert.deepEqual(letterbox(720, 576, 1000, 576), { x: 140, y: 0, width: 720, height: 576 });
  assert.deepEqual(letterbox(0, 0, 10, 20), { x: 0, y: 0, width: 10, height: 20 });
});

test("a place on the display becomes the same place on the picture, bars left out", () => {
  const picture = letterbox(1920, 1080, 1920, 1200);
  const place = placeImage(
    { x: 72, y: 288, width: 576, height: 288 },
    { width: 720, height: 576 },
    picture,
  );
  assert.deepEqual(place, { x: 192, y: 60 + 540, width: 1536, height: 540 });
});

test("image renditions are read with language and mark, and nothing leads out of the run", () => {
  assert.deepEqual(imageRenditions("images-201-1:ger,images-202-2:fra:hearing-impaired"), [
    { rendition: "images-201-1", language: "ger", isHearingImpaired: false },
    { rendition: "images-202-2", language: "fra", isHearingImpaired: true },
  ]);
  assert.deepEqual(imageRenditions("images-1-1:"), [
    { rendition: "images-1-1", language: null, isHearingImpaired: false },
  ]);
  assert.deepEqual(imageRenditions("images-../../x:ger,//host/images-1:ger,"), []);
  assert.deepEqual(imageRenditions(undefined), []);
});

test("the last segment is counted from the first one, with those that were skipped", () => {
  const segments = "#EXTINF:2.0,\n3.json\n#EXTINF:2.0,\n4.json\n";
  assert.equal(lastSegment(`#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:3\n${segments}`), 4);
  const skip = "#EXT-X-SKIP:SKIPPED-SEGMENTS=10\n";
  assert.equal(lastSegment(`#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:3\n${skip}${segments}`), 14);
  assert.equal(lastSegment("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:3\n"), undefined);
  assert.equal(lastSegment("<html>"), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { languageName, trackLabels } from "./language";

test("both codes of a language have its name", () => {
  assert.equal(languageName("ger"), "German");
  assert.equal(languageName("deu"), "German");
  assert.equal(languageName("FRE"), "French");
});

test("what broadcasters invented is named too", () => {
  assert.equal(languageName("qaa"), "Original version");
  assert.equal(languageName("mul"), "Several languages");
});

test("what means nothing has no name", () => {
  for (const code of [null, undefined, "", "und", "xyz", "???", "\u0000\u0001"]) {
    assert.equal(languageName(code), undefined);
  }
});

test("tracks that would read the same are numbered, and purposes are named", () => {
  const labels = trackLabels(
    [
      { language: "deu" },
      { language: "deu", purpose: "audio description" },
      { language: "deu" },
      { language: null },
    ],
    "Sound",
  );
  assert.deepEqual(labels, ["German", "German (audio description)", "German 2", "Sound"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULTS, parsePreferences } from "./preferences";

test("what was stored comes back", () => {
  const stored = { ...DEFAULTS, volume: 0.4, isMuted: true, sound: "deu", isDeinterlaced: false };
  assert.deepEqual(parsePreferences(JSON.stringify(stored)), stored);
});

test("what is missing, damaged or of another type is the default", () => {
  for (const text of [null, "", "{", "null", "7", '{"volume":"loud","sound":3}', '{"volume":9}']) {
    assert.deepEqual(parsePreferences(text), DEFAULTS);
  }
});

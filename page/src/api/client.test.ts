import assert from "node:assert/strict";
import { test } from "node:test";
import { apiUrl, relative } from "./client";

function at(page: string, work: () => void) {
  const before = Object.getOwnPropertyDescriptor(globalThis, "document");
  Object.defineProperty(globalThis, "document", { value: { baseURI: page }, configurable: true });
  try {
    work();
  } finally {
    if (before) Object.defineProperty(globalThis, "document", before);
    else Reflect.deleteProperty(globalThis, "document");
  }
}

test("everything is asked for where the page came from, below its path", () => {
  at("https://tv.example.org/house/#/guide", () => {
    assert.equal(apiUrl("/status"), "https://tv.example.org/house/api/v1/status");
    assert.equal(
      apiUrl("/guide", { search: "a&b ä", after: undefined, brief: true }),
      "https://tv.example.org/house/api/v1/guide?search=a%26b+%C3%A4&brief=true",
    );
    assert.equal(
      relative("http://192.168.1.2:8088/logos/1_0.png"),
      "https://tv.example.org/house/logos/1_0.png",
    );
  });
});

test("an address that is none of the daemon's stays as it is", () => {
  at("http://box:8088/", () => {
    assert.equal(relative("data:image/png;base64,AAAA"), "data:image/png;base64,AAAA");
  });
});

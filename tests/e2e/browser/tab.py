"""A page in a browser, as somebody in the house uses it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response

from tests.harness.house import PATIENCE_S, House

WITNESS = Path(__file__).with_name("witness.js")

PITCH_RESOLUTION_HZ = 25
"""Two lines of the witness's spectrum."""

BEEP_LEVEL = 0.3
"""The card's beeps are above it, what lies between them is not; 1 is full scale."""


@dataclass(frozen=True)
class Heard:
    """The loudest moment of some seconds."""

    level: float
    """1 is full scale."""
    pitch_hz: float
    """The strongest."""


@dataclass
class Tab:
    """A tab with the page in it. Complaints of the browser are kept while it is open."""

    page: Page
    house: House
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)
    is_left: bool = False

    def __post_init__(self) -> None:
        self.page.add_init_script(path=WITNESS)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.set_default_timeout(PATIENCE_S * 1000)

    def open(self, place: str = "") -> None:
        """Open the page at a place, as `#/guide`."""
        self.page.goto(f"{self.house.url}/{place}")

    def expect_complaint(self, pattern: str) -> None:
        """What matches is no fault, as the answer of a channel that cannot play."""
        self.expected.append(re.compile(pattern))

    def check(self) -> None:
        """Fail if the browser complained, a rule of the page's policy was broken, or anything was
        asked of another host."""
        if not self.is_left:
            self.complaints += self.page.evaluate("window.witness?.complaints ?? []")
        unexpected = [
            said
            for said in self.complaints
            if not any(pattern.search(said) for pattern in self.expected)
        ]
        assert unexpected == []
        assert self.foreign == []

    def leave(self) -> None:
        """Close the tab, as its cross does."""
        self.check()
        self.is_left = True
        self.page.close(run_before_unload=True)

    def __getitem__(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    def channel(self, name: str) -> Locator:
        """The entry of the channel list."""
        return self[f"channel-{self.channel_id(name)}"]

    def channel_id(self, name: str) -> str:
        found = [
            channel["id"]
            for channel in self.house.get("/api/v1/channels?limit=1000").json()["channels"]
            if channel["name"] == name
        ]
        assert found, f"there is no channel {name}"
        return str(found[0])

    def see_pictures(self, count: int = 25) -> None:
        """Wait until the picture has moved on by `count` frames, and is more than one colour."""
        self["video"].wait_for(state="attached")
        self.wait(f"witness.pictures({count})", f"{count} pictures are shown")
        # A card is white for a moment each second.
        self.until(
            lambda: bool(self.page.evaluate("witness.contrast()") > 50), "a picture is shown"
        )

    def listen(self, seconds: float = 1.5) -> Heard:
        """The card beeps each full second: the loudest moment is a beep."""
        self["video"].wait_for(state="attached")
        heard = self.wait(f"witness.listen({seconds})", "there is sound to listen to")
        return Heard(heard["level"], heard["pitch_hz"])

    def hear(self, pitch_hz: float) -> None:
        """Wait for the beep of a sound track, by which the tracks of a card differ."""
        heard: list[Heard] = []

        def is_heard() -> bool:
            heard.append(self.listen())
            return (
                heard[-1].level > BEEP_LEVEL
                and abs(heard[-1].pitch_hz - pitch_hz) < PITCH_RESOLUTION_HZ
            )

        self.until(is_heard, lambda: f"a beep of {pitch_hz} Hz is heard, not {heard}")

    def time_s(self) -> float:
        """Where the video element is."""
        return float(self.video("currentTime"))

    def video(self, expression: str) -> Any:
        """A property of the video element."""
        return self.page.evaluate(
            f"document.querySelector('video[data-testid=video]').{expression}"
        )

    def playing(self) -> str:
        """The id of the channel that the player shows."""
        return str(self["player"].get_attribute("data-channel"))

    def window_s(self) -> float:
        """How far back one can go."""
        return float(
            self.page.evaluate(
                """(({ seekable, currentTime }) =>
                     seekable.length ? currentTime - seekable.start(0) : 0
                   )(document.querySelector("video[data-testid=video]"))"""
            )
        )

    def wake(self) -> None:
        """Move the pointer over the picture: the controls are shown."""
        self["player"].hover()
        self.page.mouse.move(300, 200)

    def choose(self, menu: str, *words: str) -> None:
        """Choose the first entry of a menu whose value or label has all these words."""
        entries = self[menu].locator("option")

        def find() -> str | None:
            for entry in entries.all():
                value = entry.get_attribute("value") or ""
                if all(word in f"{value} {entry.inner_text()}" for word in words):
                    return value
            return None

        self.until(lambda: find() is not None, f"{menu} has an entry with {words}")
        self.wake()
        self[menu].select_option(value=find())

    def drawn(self, canvas: str) -> int:
        """Pixels of a canvas that are not transparent."""
        return int(
            self[canvas].evaluate(
                """(canvas) => {
                  if (!canvas.width || !canvas.height) return 0;
                  const { data } = canvas
                    .getContext("2d")
                    .getImageData(0, 0, canvas.width, canvas.height);
                  let count = 0;
                  for (let at = 3; at < data.length; at += 4) if (data[at] > 0) count += 1;
                  return count;
                }"""
            )
        )

    def until(self, condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
        """Wait for something that nothing announces, while the browser's events come in."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline_s:
                said = what if isinstance(what, str) else what()
                raise AssertionError(f"not in {PATIENCE_S} s: {said}; {self.complaints}")
            self.page.wait_for_timeout(100)

    def wait(self, promise: str, what: str) -> Any:
        """Wait for a promise of the page's and return what it comes to."""
        limit = f"new Promise((_, no) => setTimeout(no, {PATIENCE_S * 1000}, new Error('late')))"
        try:
            return self.page.evaluate(f"() => Promise.race([{promise}, {limit}])")
        except Exception as error:
            raise AssertionError(
                f"not in {PATIENCE_S} s: {what} ({error}); {self.complaints}"
            ) from None

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium's report of an answer, which is noted for either browser below.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob"):
            return
        if f"{parts.scheme}://{parts.netloc}" != self.house.url:
            self.foreign.append(request.url)

"""Answers to requests for playlists and files: now, later or never.

The rules are those of draft-pantos-hls-rfc8216bis-22, 6.2.5.2 and 6.2.6.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from math import ceil

from ...streaming.timers import CallLater
from .presentation import Presentation

_LATER_SEGMENTS = 2
"""A client may request the segment behind the one that comes next, and no later one."""

_FILE = re.compile(
    r"(?:header-(?P<header>\d{1,10})\.mp4|(?P<segment>\d{1,10})(?:\.(?P<part>\d{1,5}))?"
    r"\.(?P<extension>m4s|vtt|json))",
    re.ASCII,
)


class Decision(Enum):
    """How to answer a request."""

    SERVE = "serve"
    WAIT = "wait"
    """Decide again after the next event. After three target durations answer 503."""
    BAD = "bad"
    """400: it is further ahead than a client has reason to request."""
    MISSING = "missing"
    """404: there is no such playlist or file."""
    GONE = "gone"
    """410: it has been removed."""


def playlist_decision(
    presentation: Presentation, name: str, msn: int | None, part: int | None
) -> Decision:
    """Decide on the media playlist of a rendition, requested with `_HLS_msn` and `_HLS_part` where
    they are not None."""
    rendition = presentation.renditions.get(name)
    if rendition is None:
        return Decision.MISSING
    if msn is None and part is not None:
        return Decision.BAD
    if presentation.is_ended:
        return Decision.SERVE
    if not rendition.has_begun:
        return Decision.WAIT
    if msn is None or rendition.has(msn, part):
        return Decision.SERVE
    number, index = rendition.position
    if msn > number - 1 + _LATER_SEGMENTS:
        return Decision.BAD
    # Parts are counted from the last one on, across the end of its segment.
    is_far = part is not None and part >= index + advance_parts(presentation.part_s)
    return Decision.BAD if is_far else Decision.WAIT


def advance_parts(part_s: float) -> int:
    """Return the Advance Part Limit: by how many parts a request may be ahead."""
    return ceil(3 / part_s) if part_s < 1 else 3


def file_decision(presentation: Presentation, name: str, file_name: str) -> Decision:
    """Decide on a file of a rendition. `SERVE`: it was made, and the storage has it unless it was
    dropped. `WAIT` is for the part that the playlist hints at."""
    rendition = presentation.renditions.get(name)
    found = _FILE.fullmatch(file_name)
    if rendition is None or found is None:
        return Decision.MISSING
    if found["header"] is not None:
        number = int(found["header"])
        if any(header.segment == number for header in rendition.headers):
            return Decision.SERVE
        return Decision.GONE if number < presentation.window.first_number else Decision.MISSING
    if found["extension"] != rendition.extension:
        return Decision.MISSING
    number = int(found["segment"])
    if number < presentation.window.oldest_kept:
        return Decision.GONE
    if found["part"] is None:
        return Decision.SERVE if number < rendition.next_number else Decision.MISSING
    part = int(found["part"])
    if (number, part) < rendition.position:
        return Decision.SERVE
    is_hinted = (number, part) == rendition.position and not rendition.has_text
    return Decision.WAIT if is_hinted and not presentation.is_ended else Decision.MISSING


@dataclass(eq=False, slots=True)
class _Waiting:
    decide: Callable[[], Decision]
    decided: asyncio.Future[None]


class WaitingRequests:
    """Requests that wait for a part or playlist that does not exist yet."""

    def __init__(
        self, now: Callable[[], float], later: CallLater, on_waited: Callable[[float], None]
    ) -> None:
        """`on_waited` is called with the seconds that a request has waited."""
        self._now = now
        self._later = later
        self._on_waited = on_waited
        self._waiting: list[_Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    async def decided(self, decide: Callable[[], Decision], *, within_s: float) -> Decision:
        """Return the result of `decide` once it is no longer `WAIT`, or after `within_s`."""
        decision = decide()
        if decision is not Decision.WAIT:
            return decision
        began_s = self._now()
        waiting = _Waiting(decide, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        timer = self._later(within_s, partial(_resolve, waiting.decided))
        try:
            await waiting.decided
        finally:
            timer.cancel()
            self._waiting.remove(waiting)
            self._on_waited(self._now() - began_s)
        return decide()

    def wake(self, *, is_over: bool) -> None:
        """Wake the requests that can be answered now; with `is_over` all."""
        for waiting in self._waiting:
            if is_over or waiting.decide() is not Decision.WAIT:
                _resolve(waiting.decided)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

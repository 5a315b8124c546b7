"""The programme guide: events from answers of any size."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ..service_reference import ServiceReference
from .answers import (
    Body,
    DamagedJsonError,
    JsonItems,
    decode,
    flag,
    incremental_decoder,
    number,
    seconds,
    text,
)

_PIECE_BYTES = 64 * 1024
"""Read between two turns of the event loop: some 100 events, less than 1 ms."""
_LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Event:
    """A programme of a service, as broadcast. Its texts contain no HTML entities, and no control
    characters except line breaks."""

    service: ServiceReference
    """Without the name that some receivers add."""
    id: int
    """Unique within its service while the event is in the guide."""
    begin: datetime
    """In UTC."""
    duration: timedelta
    """0 when the broadcaster does not tell."""
    title: str
    short: str
    long: str
    genre_id: int | None
    """content_nibble levels 1 and 2 (EN 300 468, table 28): 0x10 to 0xFF."""


@lru_cache(maxsize=1024)
def _service(reference: str) -> ServiceReference:
    """Parse the reference of an event. Events of one service come together and share it."""
    return replace(ServiceReference.parse(reference), name="")


class DamagedGuideError(ValueError):
    """The answer is not a guide, or is damaged in the middle."""


async def read_events(body: Body) -> AsyncIterator[Event]:
    """Yield the events of an `epg…` answer in its order, without the placeholders of some services.

    Lets other tasks run in between. Raises `DamagedGuideError`, possibly after some events.
    """
    items = JsonItems("events")
    seen = False
    try:
        for piece in _pieces(body):
            for item in items.feed(piece):
                seen = True
                if isinstance(item, dict) and (event := _event(item)) is not None:
                    yield event
            await asyncio.sleep(0)
        if not seen:
            _check_result(body)
        elif not items.complete:
            raise DamagedGuideError("it ends in the middle")
    except (DamagedJsonError, OSError, EOFError, zlib.error) as error:
        raise DamagedGuideError(str(error)) from error


def _pieces(body: Body) -> Iterator[str]:
    reader, decoder = body.open(), incremental_decoder()
    while piece := reader.read(_PIECE_BYTES):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _check_result(body: Body) -> None:
    """Raise for an answer without events, unless it says that the guide is empty."""
    try:
        answer = json.loads(decode(body.read(_PIECE_BYTES)), strict=False)
    except (ValueError, RecursionError) as error:
        raise DamagedGuideError("it is not JSON") from error
    if not isinstance(answer, dict) or not flag(answer.get("result", "events" in answer)):
        raise DamagedGuideError("the receiver has no guide for this bouquet or service")


def _event(item: Mapping[str, Any]) -> Event | None:
    """Return the event, or None for a placeholder, which lacks begin, duration or title. A duration
    of 0 is valid: some broadcasters never tell it."""
    begin_s, duration_s = seconds(item.get("begin_timestamp")), seconds(item.get("duration_sec"))
    title = text(item.get("title"), escaped=True)
    if not begin_s or duration_s is None or begin_s < 0 or duration_s < 0 or not title:
        return None
    try:
        service = _service(str(item.get("sref")))
        begin = datetime.fromtimestamp(begin_s, UTC)
        duration = timedelta(seconds=duration_s)
    except (ValueError, OverflowError, OSError):
        return None
    if duration > _LONGEST:
        return None
    return Event(
        service=service,
        id=number(item.get("id")) or 0,
        begin=begin,
        duration=duration,
        title=title,
        short=text(item.get("shortdesc"), escaped=True),
        long=text(item.get("longdesc"), escaped=True),
        genre_id=number(item.get("genreid")) or None,
    )

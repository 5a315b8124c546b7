"""The programme guide: events out of answers of any size."""

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
"""Some 100 events, less than 1 ms: what is read between two turns of the event loop."""
_LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Event:
    """One programme of a service, as broadcast; its texts hold no entities and no control
    characters but line breaks."""

    service: ServiceReference
    """Without the name that some receivers put into it."""
    id: int
    """Unique within its service, and only while the event is in the guide."""
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
    """Events of a service come together; they share this."""
    return replace(ServiceReference.parse(reference), name="")


class DamagedGuideError(ValueError):
    """The answer is no guide, or stops to be one in the middle."""


async def read_events(body: Body) -> AsyncIterator[Event]:
    """Events of an `epg…` answer in its order, without the placeholders that some services have.

    Gives other tasks their turn. Raises `DamagedGuideError`, possibly after events.
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
    """An answer without events says whether there are none, or the question made no sense."""
    try:
        answer = json.loads(decode(body.read(_PIECE_BYTES)), strict=False)
    except (ValueError, RecursionError) as error:
        raise DamagedGuideError("it is no JSON") from error
    if not isinstance(answer, dict) or not flag(answer.get("result", "events" in answer)):
        raise DamagedGuideError("the receiver has no guide for it")


def _event(item: Mapping[str, Any]) -> Event | None:
    """The event, or None for a placeholder: one without beginning, duration or title. A duration
    of 0 is one: some broadcasters say of no programme how long it is."""
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

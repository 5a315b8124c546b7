"""Recordings: those on the disk, and the timers for new ones."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from ..service_reference import ServiceReference
from .answers import flag, number, text


class TimerState(IntEnum):
    """State of a timer."""

    WAITING = 0
    PREPARED = 1
    RUNNING = 2
    ENDED = 3


@dataclass(frozen=True, slots=True)
class Timer:
    """A recording that is programmed at the receiver."""

    service: ServiceReference
    service_name: str
    name: str
    description: str
    begin: datetime
    end: datetime
    """Begin and end are in UTC and include the receiver's margins."""
    state: TimerState
    enabled: bool
    records: bool
    """False for a timer that only zaps the television."""
    event_id: int | None


@dataclass(frozen=True, slots=True)
class Movie:
    """A recording on the receiver's disk."""

    service: ServiceReference
    path: str
    """Path of the file at the receiver."""
    title: str
    description: str
    service_name: str
    begin: datetime | None
    """In UTC."""
    duration: timedelta | None
    """None until the receiver has determined it."""
    size_bytes: int | None


def read_timers(entries: Iterable[object]) -> Iterator[Timer]:
    """Parse the entries of `/api/timerlist`; those without service or times are left out."""
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        service = _service(entry.get("serviceref"))
        begin, end = _time(entry.get("begin")), _time(entry.get("end"))
        if service is None or begin is None or end is None:
            continue
        state = number(entry.get("state"))
        yield Timer(
            service=service,
            service_name=text(entry.get("servicename")),
            name=text(entry.get("name")),
            description=text(entry.get("description")),
            begin=begin,
            end=end,
            state=TimerState(state) if state in list(TimerState) else TimerState.WAITING,
            enabled=not flag(entry.get("disabled")),
            records=not flag(entry.get("justplay")),
            event_id=number(entry.get("eit")),
        )


def read_movies(entries: Iterable[object]) -> Iterator[Movie]:
    """Parse the entries of `/api/movielist`."""
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        service = _service(entry.get("serviceref"))
        if service is None:
            continue
        yield Movie(
            service=service,
            path=str(entry.get("filename") or service.path),
            title=text(entry.get("eventname")),
            description=text(entry.get("description")),
            service_name=text(entry.get("servicename")),
            begin=_time(entry.get("recordingtime")),
            duration=_duration(str(entry.get("length"))),
            size_bytes=number(entry.get("filesize")),
        )


def _service(reference: object) -> ServiceReference | None:
    try:
        return ServiceReference.parse(str(reference))
    except ValueError:
        return None


def _time(value: object) -> datetime | None:
    seconds = number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def _duration(length: str) -> timedelta | None:
    """Parse minutes, which may be more than 59, and seconds: `59:30`."""
    match = re.fullmatch(r"(\d{1,5}):(\d\d)", length)
    return timedelta(minutes=int(match[1]), seconds=int(match[2])) if match else None

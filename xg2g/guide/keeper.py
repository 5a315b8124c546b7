"""Keeps the guide in the store: bouquet by bouquet, each piece kept once it is there."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import structlog

from ..lineup import Channel, Group, Lineup
from ..lineup.keeper import LineupKeeper
from ..receiver.errors import UnexpectedAnswerError
from ..receiver.openwebif import Event, ListedService
from ..receiver.service_reference import ServiceReference
from ..store import programmes
from ..store.database import Database
from ..store.facts import note
from .programme import Programme

log = structlog.get_logger()

PIECE = 2000
"""Programmes that are held in memory and written at a time."""


class Guide(Protocol):
    """What gives out events; `xg2g.receiver.openwebif.OpenWebif` does. Raises `ReceiverError`."""

    def events(
        self, bouquet: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        """Events of all services of a bouquet, those of one together."""
        ...

    def service_events(
        self, service: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        """Events of a service."""
        ...


class GuideKeeper:
    """The guide of the lineup's channels."""

    def __init__(
        self,
        receiver: Guide,
        lineup_keeper: LineupKeeper,
        database: Database,
        *,
        days: int,
        past_hours: float,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """`days` to come are read; what ended `past_hours` ago is forgotten. `clock_s` is the time
        since 1970."""
        self._receiver = receiver
        self._lineup_keeper = lineup_keeper
        self._database = database
        self._minutes = days * 24 * 60
        self._past_s = past_hours * 3600
        self._clock_s = clock_s

    async def refresh(self) -> None:
        """Read the guide anew. Raises `ReceiverError` and `StoreError`, with everything that was
        read before kept."""
        lineup = self._lineup_keeper.lineup
        if lineup is None:
            return
        begin_s = self._clock_s()
        changed = programmes_read = 0
        piece: dict[str, list[Programme]] = {}
        held = 0
        async for channel_id, programme in self._programmes(lineup):
            if held >= PIECE and channel_id not in piece:
                changed += await self._database.write(partial(programmes.put, received=piece))
                piece, held = {}, 0
            piece.setdefault(channel_id, []).append(programme)
            held += 1
            programmes_read += 1
        now_s = self._clock_s()

        def finish(connection: sqlite3.Connection) -> tuple[int, int]:
            note(connection, "guide_read_s", str(int(now_s)))
            last = programmes.put(connection, piece)
            return last, programmes.prune(connection, int(now_s - self._past_s))

        last, forgotten = await self._database.write(finish)
        changed += last
        log.info(
            "guide read",
            programmes=programmes_read,
            changed=changed,
            forgotten=forgotten,
            duration_s=round(now_s - begin_s, 1),
        )

    async def _programmes(self, lineup: Lineup) -> AsyncIterator[tuple[str, Programme]]:
        ids = _ids_by_reference(lineup)
        begin = datetime.fromtimestamp(self._clock_s(), UTC)
        covered: set[str] = set()
        for group in lineup.groups:
            # Favourites most often hold what other bouquets hold, too.
            if covered.issuperset(group.channel_ids):
                continue
            channels = [
                channel
                for channel_id in group.channel_ids
                if channel_id not in covered and (channel := lineup.find(channel_id))
            ]
            seen: set[str] = set()
            async for event in self._events(group, channels, begin):
                for channel_id in ids.get(_key(event.service), ()):
                    if channel_id not in covered:
                        seen.add(channel_id)
                        yield channel_id, Programme.of(event)
            for channel in channels:
                # Not every receiver resolves alternatives here.
                if channel.alternatives and channel.id not in seen:
                    async for event in self._service_events(channel, begin):
                        yield channel.id, Programme.of(event)
            covered.update(group.channel_ids)

    async def _events(
        self, group: Group, channels: Sequence[Channel], begin: datetime
    ) -> AsyncIterator[Event]:
        reference = ServiceReference.parse(group.reference)
        listed = ListedService(reference, group.reference, group.name)
        try:
            async for event in self._receiver.events(listed, begin=begin, minutes=self._minutes):
                yield event
        except UnexpectedAnswerError as error:
            log.info("guide is read channel by channel", bouquet=group.name, reason=str(error))
            for channel in channels:
                async for event in self._service_events(channel, begin):
                    yield event

    async def _service_events(self, channel: Channel, begin: datetime) -> AsyncIterator[Event]:
        reference = channel.reference
        if reference.path:
            # The guide of a web stream is what the bouquet's answer has of it, or nothing.
            return
        listed = ListedService(reference, reference.stream_path, channel.name)
        async for event in self._receiver.service_events(
            listed, begin=begin, minutes=self._minutes
        ):
            yield event


Key = tuple[tuple[int, ...], str]
"""What identifies a service: fields 3 to 10, and the path. Type and flags may differ."""
_GROUP_FIELDS = (1, 0, 0, 0, 0, 0, 0, 0)


def _ids_by_reference(lineup: Lineup) -> dict[Key, list[str]]:
    """Which channels an event's service belongs to. An event of a group of alternatives comes
    under its first member or under the group."""
    ids: dict[Key, list[str]] = {}
    for channel in lineup.channels:
        reference = channel.reference
        ids.setdefault(_key(reference), []).append(channel.id)
        if reference.path and reference.sid:
            # Bouquet editors give a web stream the fields of the service whose guide it takes.
            ids.setdefault((reference.numbers[2:], ""), []).append(channel.id)
        if channel.alternatives:
            ids.setdefault((_GROUP_FIELDS, channel.alternatives), []).append(channel.id)
    return ids


def _key(reference: ServiceReference) -> Key:
    return reference.numbers[2:], reference.path

"""Reads the guide of the lineup's channels from the receiver."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from ..lineup import Channel, Group, Lineup
from ..receiver.errors import UnexpectedAnswerError
from ..receiver.openwebif import Event, ListedService
from ..receiver.service_reference import ServiceReference
from .programme import Programme

log = structlog.get_logger()


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


async def read_programmes(
    receiver: Guide,
    lineup: Lineup,
    begin: datetime,
    minutes_for: Callable[[Sequence[Channel]], int],
) -> AsyncIterator[tuple[str, Programme]]:
    """Programmes with their channels, those of one together, of every channel in a bouquet.

    A whole bouquet at once where the receiver can do that, for so many minutes from `begin` as
    `minutes_for` its channels says. A bouquet whose channels others had already is left out.
    Raises `ReceiverError`.
    """
    ids = _ids_by_reference(lineup)
    covered: set[str] = set()
    for group in lineup.groups:
        # Favourites most often hold what other bouquets hold, too.
        channels = [
            channel
            for channel_id in group.channel_ids
            if channel_id not in covered and (channel := lineup.find(channel_id))
        ]
        if not channels:
            continue
        window = _Window(receiver, begin, minutes_for(channels))
        seen: set[str] = set()
        async for event in window.of_bouquet(group, channels):
            for channel_id in ids.get(_key(event.service), ()):
                if channel_id not in covered:
                    seen.add(channel_id)
                    yield channel_id, Programme.of(event)
        for channel in channels:
            # Not every receiver resolves alternatives here.
            if channel.alternatives and channel.id not in seen:
                async for event in window.of_channel(channel):
                    yield channel.id, Programme.of(event)
        covered.update(group.channel_ids)


class _Window:
    """So much of the receiver's guide."""

    def __init__(self, receiver: Guide, begin: datetime, minutes: int) -> None:
        self._receiver = receiver
        self._begin = begin
        self._minutes = minutes

    async def of_bouquet(self, group: Group, channels: Sequence[Channel]) -> AsyncIterator[Event]:
        reference = ServiceReference.parse(group.reference)
        listed = ListedService(reference, group.reference, group.name)
        try:
            async for event in self._receiver.events(
                listed, begin=self._begin, minutes=self._minutes
            ):
                yield event
        except UnexpectedAnswerError as error:
            log.info("guide is read channel by channel", bouquet=group.name, reason=str(error))
            for channel in channels:
                async for event in self.of_channel(channel):
                    yield event

    async def of_channel(self, channel: Channel) -> AsyncIterator[Event]:
        reference = channel.reference
        if reference.path:
            # The guide of a web stream is what the bouquet's answer has of it, or nothing.
            return
        listed = ListedService(reference, reference.stream_path, channel.name)
        async for event in self._receiver.service_events(
            listed, begin=self._begin, minutes=self._minutes
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

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


class GuideSource(Protocol):
    """Source of the guide's events, such as `OpenWebif`. Raises `ReceiverError`."""

    def events(
        self, bouquet: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        """Yield the events of all services of a bouquet, grouped by service."""
        ...

    def service_events(
        self, service: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        """Yield the events of a service."""
        ...


async def read_programmes(
    receiver: GuideSource,
    lineup: Lineup,
    begin: datetime,
    minutes_for: Callable[[Sequence[Channel]], int],
) -> AsyncIterator[tuple[str, Programme]]:
    """Yield the programmes of every channel in a bouquet, each with its channel's id and grouped by
    channel.

    A bouquet is read as a whole if the receiver can do that. `minutes_for` tells how many minutes
    from `begin` are read of some channels. Bouquets with no further channels are skipped. Raises
    `ReceiverError`.
    """
    ids = _ids_by_reference(lineup)
    covered: set[str] = set()
    for group in lineup.groups:
        # The channels of favourites are often in other bouquets as well.
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
                    yield channel_id, Programme.from_event(event)
        for channel in channels:
            # Not every receiver resolves alternatives in the guide of a bouquet.
            if channel.alternatives and channel.id not in seen:
                async for event in window.of_channel(channel):
                    yield channel.id, Programme.from_event(event)
        covered.update(group.channel_ids)


class _Window:
    """A part of the receiver's guide: some minutes from a begin on."""

    def __init__(self, receiver: GuideSource, begin: datetime, minutes: int) -> None:
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
            log.info("reading the guide channel by channel", bouquet=group.name, reason=str(error))
            for channel in channels:
                async for event in self.of_channel(channel):
                    yield event

    async def of_channel(self, channel: Channel) -> AsyncIterator[Event]:
        reference = channel.reference
        if reference.path:
            # Receivers have the guide of a web stream in a bouquet's answer only, if at all.
            return
        listed = ListedService(reference, reference.stream_path, channel.name)
        async for event in self._receiver.service_events(
            listed, begin=self._begin, minutes=self._minutes
        ):
            yield event


Key = tuple[tuple[int, ...], str]
"""Identifies a service: fields 3 to 10, and the path. Type and flags may differ."""
_GROUP_FIELDS = (1, 0, 0, 0, 0, 0, 0, 0)


def _ids_by_reference(lineup: Lineup) -> dict[Key, list[str]]:
    """Return the channels of each service that events may name. Events of a group of alternatives
    name its first member or the group."""
    ids: dict[Key, list[str]] = {}
    for channel in lineup.channels:
        reference = channel.reference
        ids.setdefault(_key(reference), []).append(channel.id)
        if reference.path and reference.sid:
            # Bouquet editors give a web stream the fields of the service whose guide it uses.
            ids.setdefault((reference.numbers[2:], ""), []).append(channel.id)
        if channel.alternatives:
            ids.setdefault((_GROUP_FIELDS, channel.alternatives), []).append(channel.id)
    return ids


def _key(reference: ServiceReference) -> Key:
    return reference.numbers[2:], reference.path

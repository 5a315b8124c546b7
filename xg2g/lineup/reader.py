"""Reads the bouquets from the receiver."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog

from ..receiver.errors import UnexpectedAnswerError
from ..receiver.openwebif import RADIO, TELEVISION, ListedBouquet, ListedService
from ..receiver.service_reference import ServiceReference
from .arrangement import Bouquet, Service

log = structlog.get_logger()

Recall = Callable[[str], Awaitable[Bouquet | None]]
"""Finds a bouquet, by its reference, as it was read the last time."""


class Lists(Protocol):
    """What gives out bouquets; `xg2g.receiver.openwebif.OpenWebif` does. Raises `ReceiverError`."""

    async def bouquets(self, kind: str = TELEVISION) -> Sequence[ListedService]:
        """The top bouquets of `TELEVISION` or `RADIO`."""
        ...

    async def services(
        self, bouquet: ListedService, *, picons: bool = False
    ) -> Sequence[ListedService]:
        """What is in a bouquet, or in a group of alternatives; `picons` with their picons."""
        ...

    async def all_services(self, kind: str = TELEVISION) -> Sequence[ListedBouquet]:
        """The top bouquets with what is in them, without picons."""
        ...


async def read_bouquets(receiver: Lists, recall: Recall) -> list[Bouquet]:
    """Ask the receiver for all bouquets, television before radio. Raises `ReceiverError`.

    All are read whichever are wanted, since those before count in a channel's number. One that
    the receiver cannot list, as some fail over a name in a wrong encoding, is recalled.
    """
    reading = _Reading(receiver, recall)
    return [
        await reading.bouquet(listed, radio=kind == RADIO)
        for kind in (TELEVISION, RADIO)
        for listed in await receiver.bouquets(kind)
    ]


async def read_at_once(receiver: Lists, recall: Recall) -> list[Bouquet]:
    """What `read_bouquets` reads, but for picons, in as few questions as the receiver allows.

    Quick where each answer takes its time, and one long answer instead of short ones: for when
    somebody waits. Raises `ReceiverError`, which says nothing of `read_bouquets`.
    """
    listed = {kind: await receiver.all_services(kind) for kind in (TELEVISION, RADIO)}
    known = {
        each.bouquet.raw_reference: each.entries for each in (*listed[TELEVISION], *listed[RADIO])
    }
    reading = _Reading(receiver, recall, known)
    return [
        await reading.bouquet(each.bouquet, radio=kind == RADIO)
        for kind in listed
        for each in listed[kind]
    ]


class _Reading:
    def __init__(
        self,
        receiver: Lists,
        recall: Recall,
        known: Mapping[str, Sequence[ListedService]] | None = None,
    ) -> None:
        """`known` is what need not be asked for: entries by the reference of their bouquet."""
        self._receiver = receiver
        self._recall = recall
        self._known = known or {}
        self._visited: set[str] = set()

    async def bouquet(self, listed: ListedService, *, radio: bool) -> Bouquet:
        """A bouquet and those inside it. One that was read before, as a bouquet inside itself
        would be, comes back empty."""
        empty = Bouquet(listed.name, (), listed.raw_reference, radio)
        if listed.raw_reference in self._visited:
            return empty
        self._visited.add(listed.raw_reference)
        try:
            entries = self._known.get(listed.raw_reference)
            if entries is None:
                entries = await self._receiver.services(listed, picons=True)
        except UnexpectedAnswerError as error:
            known = await self._recall(listed.raw_reference)
            log.warning("bouquet not read", bouquet=listed.name, reason=str(error))
            return known or empty
        read: list[Service | Bouquet] = []
        for entry in entries:
            if entry.reference.is_bouquet:
                read.append(await self.bouquet(entry, radio=radio))
            else:
                read.append(await self._service(entry, listed.raw_reference))
        return Bouquet(listed.name, tuple(read), listed.raw_reference, radio)

    async def _service(self, entry: ListedService, bouquet: str) -> Service:
        members: tuple[ServiceReference, ...] = ()
        if entry.reference.is_group:
            members = await self._alternatives(entry, bouquet)
        return Service(entry.reference, entry.name, members, entry.picon)

    async def _alternatives(
        self, group: ListedService, bouquet: str
    ) -> tuple[ServiceReference, ...]:
        try:
            return tuple(member.reference for member in await self._receiver.services(group))
        except UnexpectedAnswerError as error:
            log.warning("alternatives not read", group=group.name, reason=str(error))
        known = await self._recall(bouquet)
        for entry in known.entries if known else ():
            if isinstance(entry, Service) and entry.reference.path == group.reference.path:
                return entry.alternatives
        return ()

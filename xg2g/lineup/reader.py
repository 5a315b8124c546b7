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
"""Returns a bouquet as it was last read, by its reference."""


class BouquetSource(Protocol):
    """Source of bouquets, such as `OpenWebif`. Raises `ReceiverError`."""

    async def bouquets(self, kind: str = TELEVISION) -> Sequence[ListedService]:
        """Return the top bouquets of `TELEVISION` or `RADIO`."""
        ...

    async def services(
        self, bouquet: ListedService, *, picons: bool = False
    ) -> Sequence[ListedService]:
        """Return the entries of a bouquet or of a group of alternatives; `picons` adds picons."""
        ...

    async def all_services(self, kind: str = TELEVISION) -> Sequence[ListedBouquet]:
        """Return the top bouquets with their entries, without picons."""
        ...


async def read_bouquets(receiver: BouquetSource, recall: Recall) -> list[Bouquet]:
    """Read all bouquets, television before radio. Raises `ReceiverError`.

    All are read whichever are wanted, since the earlier ones count in a channel's number. A bouquet
    that the receiver cannot list is recalled: some fail over a name in a wrong encoding.
    """
    reading = _Reading(receiver, recall)
    return [
        await reading.bouquet(listed, radio=kind == RADIO)
        for kind in (TELEVISION, RADIO)
        for listed in await receiver.bouquets(kind)
    ]


async def read_at_once(receiver: BouquetSource, recall: Recall) -> list[Bouquet]:
    """Read what `read_bouquets` reads, without picons, in as few requests as possible.

    It is faster where each answer takes long, for use when somebody waits. Raises `ReceiverError`;
    `read_bouquets` may work all the same.
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
        receiver: BouquetSource,
        recall: Recall,
        known: Mapping[str, Sequence[ListedService]] | None = None,
    ) -> None:
        """`known` holds entries that need not be requested, by the reference of their bouquet."""
        self._receiver = receiver
        self._recall = recall
        self._known = known or {}
        self._visited: set[str] = set()

    async def bouquet(self, listed: ListedService, *, radio: bool) -> Bouquet:
        """Return a bouquet with those inside it. A bouquet that was read before comes back empty,
        such as a bouquet inside itself."""
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
            log.warning("reading a bouquet failed", bouquet=listed.name, reason=str(error))
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
            log.warning("reading alternatives failed", group=group.name, reason=str(error))
        known = await self._recall(bouquet)
        for entry in known.entries if known else ():
            if isinstance(entry, Service) and entry.reference.path == group.reference.path:
                return entry.alternatives
        return ()

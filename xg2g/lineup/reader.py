"""Reads the bouquets from the receiver."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from ..receiver.errors import UnexpectedAnswerError
from ..receiver.openwebif import RADIO, TELEVISION, ListedService
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


async def read_bouquets(receiver: Lists, recall: Recall) -> list[Bouquet]:
    """Ask the receiver for all bouquets, television before radio. Raises `ReceiverError`.

    All are read whichever are wanted, since those before count in a channel's number. One that
    the receiver cannot list, as some fail over a name in a wrong encoding, is recalled.
    """
    reading = _Reading(receiver, recall)
    return [
        await reading.bouquet(listed, radio=kind == RADIO)
        for kind in (TELEVISION, RADIO)
        for listed in filter(_is_text, await receiver.bouquets(kind))
    ]


class _Reading:
    def __init__(self, receiver: Lists, recall: Recall) -> None:
        self._receiver = receiver
        self._recall = recall
        self._visited: set[str] = set()

    async def bouquet(self, listed: ListedService, *, radio: bool) -> Bouquet:
        """A bouquet and those inside it. One that was read before, as a bouquet inside itself
        would be, comes back empty."""
        empty = Bouquet(listed.name, (), listed.raw_reference, radio)
        if listed.raw_reference in self._visited:
            return empty
        self._visited.add(listed.raw_reference)
        try:
            entries = await self._receiver.services(listed, picons=True)
        except UnexpectedAnswerError as error:
            known = await self._recall(listed.raw_reference)
            log.warning("bouquet not read", bouquet=listed.name, reason=str(error))
            return known or empty
        read: list[Service | Bouquet] = []
        for entry in filter(_is_text, entries):
            if entry.reference.is_bouquet:
                read.append(await self.bouquet(entry, radio=radio))
            else:
                read.append(await self._service(entry))
        return Bouquet(listed.name, tuple(read), listed.raw_reference, radio)

    async def _service(self, entry: ListedService) -> Service:
        alternatives: Sequence[ListedService] = ()
        if entry.reference.is_group:
            alternatives = await self._receiver.services(entry)
        members = tuple(member.reference for member in alternatives)
        return Service(entry.reference, entry.name, members, entry.picon)


def _is_text(entry: ListedService) -> bool:
    """Whether the reference can be sent back and stored; JSON can hold half a character."""
    try:
        entry.raw_reference.encode()
    except UnicodeEncodeError:
        return False
    return True

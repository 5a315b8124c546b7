"""Reads the lineup from the receiver, and tries again while that fails."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from .lineup import Bouquet, Lineup, Service, arrange
from .receiver.errors import ReceiverError
from .receiver.openwebif import RADIO, TELEVISION, ListedService, OpenWebif

log = structlog.get_logger()

RETRY_DELAYS_S = (1, 2, 5, 10, 30, 60)
"""Waits between attempts; the last one stays."""


async def read_lineup(receiver: OpenWebif) -> Lineup:
    """Ask the receiver for all bouquets, television before radio. Raises `ReceiverError`."""
    visited: set[str] = set()
    bouquets = [
        await _read(receiver, bouquet, visited)
        for kind in (TELEVISION, RADIO)
        for bouquet in await receiver.bouquets(kind)
    ]
    return arrange(bouquets)


class LineupKeeper:
    """Holds the lineup once it was read."""

    def __init__(
        self,
        read: Callable[[], Awaitable[Lineup]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read = read
        self._sleep = sleep
        self.lineup: Lineup | None = None
        """None until it was read once."""
        self.trouble: ReceiverError | None = None
        """Why the last attempt failed, if it did."""

    async def load(self) -> Lineup:
        """Read the lineup now. Raises `ReceiverError`."""
        try:
            self.lineup = await self._read()
        except ReceiverError as error:
            self.trouble = error
            raise
        self.trouble = None
        log.info("lineup read", channels=len(self.lineup.channels), left_out=self.lineup.left_out)
        return self.lineup

    async def load_in_the_end(self) -> None:
        """Read the lineup, waiting longer after each failure. Returns once there is one."""
        failures = 0
        while self.lineup is None:
            try:
                await self.load()
            except ReceiverError as error:
                delay_s = RETRY_DELAYS_S[min(failures, len(RETRY_DELAYS_S) - 1)]
                failures += 1
                log.warning("lineup not read", reason=str(error), next_attempt_s=delay_s)
                await self._sleep(delay_s)


async def _read(receiver: OpenWebif, listed: ListedService, visited: set[str]) -> Bouquet:
    """Read a bouquet and those inside it. One that was read before, as a bouquet inside itself
    would be, comes back empty."""
    if listed.raw_reference in visited:
        return Bouquet(listed.name, ())
    visited.add(listed.raw_reference)
    entries: list[Service | Bouquet] = []
    for entry in await receiver.services(listed):
        if entry.reference.is_bouquet:
            entries.append(await _read(receiver, entry, visited))
        else:
            entries.append(Service(entry.reference, entry.name))
    return Bouquet(listed.name, tuple(entries))

"""The receiver's channel logos, kept so that it is asked for each once in a week."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from ..receiver.errors import ReceiverError
from ..receiver.openwebif import ListedService, Picon
from ..receiver.openwebif.picon import picon_paths
from ..store.database import Database
from . import Channel, Lineup, picon_table
from .picon_table import StoredPicon

log = structlog.get_logger()

KEPT_S = 7 * 24 * 3600
"""How long an image is taken as it is."""
MISSING_S = 24 * 3600
"""How long a picon that the receiver does not have is not asked for again."""
LARGEST_BYTES = 512 * 1024
"""A picon of 400 x 240 pixels takes 20 to 60 kB."""
PATIENCE_S = 10
"""How long a client waits for a receiver that is busy. It finds the image later."""
AT_A_TIME = 64
"""Fetches that wait for their turn: a media server asks for all logos at once."""


class BusyError(Exception):
    """The receiver has not come to it yet."""


class PiconSource(Protocol):
    """What has picons; `xg2g.receiver.openwebif.OpenWebif` does. Raises `ReceiverError`."""

    async def picon(self, service: ListedService) -> Picon | None:
        """Fetch a service's logo; None when there is none."""
        ...


class Picons:
    """Logos of channels. An async context manager; leaving it ends fetches under way."""

    def __init__(
        self,
        receiver: PiconSource,
        database: Database,
        *,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._receiver = receiver
        self._database = database
        self._clock_s = clock_s
        self._fetches: dict[str, asyncio.Task[bytes | None]] = {}

    async def of(self, channel: Channel) -> bytes | None:
        """The channel's logo as PNG; None when the receiver has none.

        Raises `BusyError`, `ReceiverError` and `StoreError`. What was kept for too long is better
        than any of these.
        """
        known = await self._database.read(partial(picon_table.load, channel_id=channel.id))
        if known and self._clock_s() - known.asked_s < (KEPT_S if known.png else MISSING_S):
            return known.png
        try:
            return await self._fetched(channel)
        except (BusyError, ReceiverError):
            if known and known.png:
                return known.png
            raise

    async def fill(self, lineup: Lineup) -> None:
        """Fetch what is not kept yet, one after the other, before clients ask. Stops where the
        receiver does. Raises `StoreError`."""
        before_s = int(self._clock_s() - KEPT_S)
        missing = await self._database.read(partial(picon_table.asked_before, before_s=before_s))
        fetched = 0
        for channel in lineup.channels:
            # Without its path, a picon costs up to six requests: those come when somebody asks.
            if channel.id in missing and channel.picon and may_have_logo(channel):
                try:
                    fetched += await self._fetch(channel) is not None
                except ReceiverError as error:
                    log.info("picons not fetched", reason=str(error))
                    break
        if fetched:
            log.info("picons fetched", picons=fetched)

    async def _fetched(self, channel: Channel) -> bytes | None:
        fetch = self._fetches.get(channel.id)
        if fetch is None:
            if len(self._fetches) >= AT_A_TIME:
                raise BusyError
            fetch = asyncio.create_task(self._fetch(channel))
            self._fetches[channel.id] = fetch
            fetch.add_done_callback(partial(self._forget, channel.id))
        try:
            # Whoever asked leaves; the image comes all the same.
            return await asyncio.wait_for(asyncio.shield(fetch), PATIENCE_S)
        except TimeoutError as error:
            raise BusyError from error

    async def _fetch(self, channel: Channel) -> bytes | None:
        picon = await self._receiver.picon(_listed(channel))
        png = picon.png if picon and len(picon.png) <= LARGEST_BYTES else None
        stored = StoredPicon(int(self._clock_s()), png)
        await self._database.write(partial(picon_table.save, channel_id=channel.id, picon=stored))
        return png

    def _forget(self, channel_id: str, fetch: "asyncio.Task[bytes | None]") -> None:
        del self._fetches[channel_id]
        if not fetch.cancelled():
            # Everybody who waited may have left.
            fetch.exception()

    async def aclose(self) -> None:
        """End the fetches under way."""
        fetches = list(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)


def may_have_logo(channel: Channel) -> bool:
    """Whether the receiver, when it listed the channel, did not say that it has no picon for it."""
    return not channel.picon or bool(picon_paths(_listed(channel)))


def _listed(channel: Channel) -> ListedService:
    reference = channel.reference
    return ListedService(reference, reference.stream_path, channel.name, channel.picon)

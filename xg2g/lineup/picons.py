"""A cache of the receiver's picons: each is requested once a week."""

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
"""How long an image is used before it is requested again."""
MISSING_S = 24 * 3600
"""How long a missing picon is not requested again."""
LARGEST_BYTES = 512 * 1024
"""Limit of an image. A picon of 400 x 240 pixels takes 20 to 60 kB."""
CLIENT_WAIT_S = 10
"""How long a client waits for a busy receiver. The image is fetched all the same, for later."""
AT_A_TIME = 64
"""Limit of pending fetches: a media server requests all logos at once."""


class BusyError(Exception):
    """The picon could not be fetched yet: the receiver is busy."""


class PiconSource(Protocol):
    """Source of picons, such as `OpenWebif`. Raises `ReceiverError`."""

    async def picon(self, service: ListedService) -> Picon | None:
        """Return a service's picon, or None."""
        ...


class Picons:
    """Picons of channels. `aclose` cancels pending fetches."""

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

    async def get(self, channel: Channel) -> bytes | None:
        """Return the channel's picon as PNG; None when the receiver has none.

        Raises `BusyError`, `ReceiverError` and `StoreError`. An outdated image is returned instead
        of the first two.
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
        """Fetch missing and outdated picons one after the other, before clients request them. Stops
        at the first error of the receiver. Raises `StoreError`."""
        before_s = int(self._clock_s() - KEPT_S)
        missing = await self._database.read(partial(picon_table.asked_before, before_s=before_s))
        fetched = 0
        for channel in lineup.channels:
            # Without its path a picon costs up to six requests: it is fetched on demand only.
            if channel.id in missing and channel.picon and may_have_logo(channel):
                try:
                    fetched += await self._fetch(channel) is not None
                except ReceiverError as error:
                    log.info("fetching picons stopped", reason=str(error))
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
            # The fetch continues when its client leaves.
            return await asyncio.wait_for(asyncio.shield(fetch), CLIENT_WAIT_S)
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
            # Retrieve the error: all clients may have left.
            fetch.exception()

    async def aclose(self) -> None:
        """Cancel pending fetches."""
        fetches = list(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)


def may_have_logo(channel: Channel) -> bool:
    """Return False when the receiver listed the channel without a picon."""
    return not channel.picon or bool(picon_paths(_listed(channel)))


def _listed(channel: Channel) -> ListedService:
    reference = channel.reference
    return ListedService(reference, reference.stream_path, channel.name, channel.picon)

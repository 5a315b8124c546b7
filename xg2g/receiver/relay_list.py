"""Which services go through the softcam's stream relay."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from .errors import ReceiverError
from .service_reference import ServiceReference

log = structlog.get_logger()

_PATIENCE_S = 2.0
"""For the list when a viewer waits for it: the first after a start, if nobody asked before."""
_ASKED_AGAIN_S = 60.0
"""After a failure."""


class Whitelist(Protocol):
    """Who has the list; `xg2g.receiver.openwebif.OpenWebif` does. Raises `ReceiverError`."""

    async def relayed_services(self) -> frozenset[str]:
        """Channel ids."""
        ...


class RelayList:
    """The list as of the last time that the receiver was asked."""

    def __init__(self, receiver: Whitelist, *, now: Callable[[], float] = time.monotonic) -> None:
        self._receiver = receiver
        self._now = now
        self._channel_ids: frozenset[str] | None = None
        self._failed_at_s: float | None = None
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Ask for the list. A failure keeps the one there was."""
        try:
            self._channel_ids = await self._receiver.relayed_services()
        except ReceiverError as error:
            self._failed_at_s = self._now()
            log.warning("list of the stream relay not read", reason=str(error))

    async def includes(self, service: ServiceReference) -> bool:
        """Whether a service goes through the relay. Asks for the list if it was never read."""
        async with self._asking:
            if self._channel_ids is None and not self._has_failed():
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        await self.refresh()
                except TimeoutError:
                    self._failed_at_s = self._now()
        return service.channel_id in (self._channel_ids or ())

    def _has_failed(self) -> bool:
        return self._failed_at_s is not None and self._now() - self._failed_at_s < _ASKED_AGAIN_S

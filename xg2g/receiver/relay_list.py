"""The list of services that the softcam's stream relay sends."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from .errors import ReceiverError
from .service_reference import ServiceReference

log = structlog.get_logger()

_TIME_LIMIT_S = 2.0
"""Limit for the list when a viewer waits for it: the first one after a start."""
_RETRY_AFTER_S = 60.0
"""Pause after a failure."""


class RelaySource(Protocol):
    """Source of the list, such as `OpenWebif`. Raises `ReceiverError`."""

    async def relayed_services(self) -> frozenset[str]:
        """Return the channel ids of the services."""
        ...


class RelayList:
    """The list as the receiver last sent it."""

    def __init__(self, receiver: RelaySource, *, now: Callable[[], float] = time.monotonic) -> None:
        self._receiver = receiver
        self._now = now
        self._channel_ids: frozenset[str] | None = None
        self._failed_at_s: float | None = None
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Request the list. After a failure the previous list stays."""
        try:
            self._channel_ids = await self._receiver.relayed_services()
        except ReceiverError as error:
            self._failed_at_s = self._now()
            log.warning("the list of services for the stream relay was not read", reason=str(error))

    async def includes(self, service: ServiceReference) -> bool:
        """Return whether the relay sends a service. Requests the list if it was never read."""
        async with self._asking:
            if self._channel_ids is None and not self._has_failed():
                try:
                    async with asyncio.timeout(_TIME_LIMIT_S):
                        await self.refresh()
                except TimeoutError:
                    self._failed_at_s = self._now()
        return service.channel_id in (self._channel_ids or ())

    def _has_failed(self) -> bool:
        return self._failed_at_s is not None and self._now() - self._failed_at_s < _RETRY_AFTER_S

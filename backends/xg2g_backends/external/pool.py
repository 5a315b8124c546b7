"""The services together: opens each remuxer on one that can take it."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from ..base import RemuxOptions
from ..errors import InvalidArgumentError, UnavailableError
from .remote_remuxer import LostError, Session
from .transcoder import FullError, Service, UnusableError

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S: Final = 0.25
"""After a first failure. A service that is restarted listens again within some 0.1 s."""
LONGEST_PAUSE_S: Final = 2.0
"""After many failures: a viewer waits for the service to come back."""
LONGEST_REFUSAL_S: Final = 30.0
"""Of what a service that is full may ask for."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    due_s: float = 0.0


class Rotation(Generic[T]):
    """Spreads over services in turn, and leaves out for a while those that failed or are full."""

    def __init__(
        self, services: Sequence[T], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = tuple(services)
        self._records = [_Record() for _ in self._services]
        self._clock_s = clock_s
        self._turn = 0

    def ready(self) -> list[T]:
        """The services to try now, in this order; empty while all of them pause."""
        now_s = self._clock_s()
        return [s for s in self._take_turn() if self._record(s).due_s <= now_s]

    def all(self) -> list[T]:
        """Every service: those to try now, and then those that pause, the shortest first."""
        now_s = self._clock_s()
        return sorted(self._take_turn(), key=lambda s: max(self._record(s).due_s, now_s))

    def next_due_in_s(self) -> float:
        """Until a service can be tried."""
        return max(0.0, min(record.due_s for record in self._records) - self._clock_s())

    def worked(self, service: T) -> bool:
        """A remuxer was opened there; returns whether it had failed before."""
        record = self._record(service)
        had_failed = record.failures > 0
        record.failures, record.due_s = 0, 0.0
        return had_failed

    def failed(self, service: T) -> bool:
        """It cannot be used; returns whether it could before.

        Many streams notice at once that a service is gone: together they are one failure.
        """
        record = self._record(service)
        if record.due_s > self._clock_s():
            return False
        record.failures += 1
        pause_s = min(FIRST_PAUSE_S * 2 ** min(record.failures - 1, 10), LONGEST_PAUSE_S)
        record.due_s = self._clock_s() + pause_s
        return record.failures == 1

    def refused(self, service: T, retry_after_s: float) -> None:
        """It is full, and says when to ask again."""
        pause_s = min(max(retry_after_s, FIRST_PAUSE_S), LONGEST_REFUSAL_S)
        self._record(service).due_s = self._clock_s() + pause_s

    def _take_turn(self) -> tuple[T, ...]:
        first = self._turn
        self._turn = (first + 1) % len(self._services)
        return self._services[first:] + self._services[:first]

    def _record(self, service: T) -> _Record:
        return self._records[self._services.index(service)]


class Pool:
    """Spreads remuxers over services, and remembers which of them are in trouble."""

    def __init__(
        self,
        services: Sequence[Service],
        clock_s: Callable[[], float],
        *,
        has_fallback: bool = False,
    ) -> None:
        """`has_fallback`: streams can also go on without any service."""
        self.services = tuple(services)
        self._rotation = Rotation(self.services, clock_s)
        self._has_fallback = has_fallback
        for service in self.services:
            service.elsewhere = partial(self._is_elsewhere, service)
            service.returned = partial(self._rotation.worked, service)

    async def open(self, options: RemuxOptions) -> Session:
        """Open a remuxer, and ask every service before giving up.

        Raises `UnavailableError`, and `InvalidArgumentError` for options that are refused.
        """
        services = sorted(self._rotation.all(), key=lambda it: it.is_silent)
        if self._has_fallback:
            services = [it for it in services if not it.is_silent]
        return await self._open(services, options)

    async def open_now(self, options: RemuxOptions) -> Session:
        """Open a remuxer on one of the services that are neither left alone after trouble nor
        silent. Raises as `open` does."""
        services = [it for it in self._rotation.ready() if not it.is_silent]
        return await self._open(services, options)

    def next_due_in_s(self) -> float:
        """Until `open_now` will ask a service again."""
        return self._rotation.next_due_in_s()

    def lost(self, session: Session, error: LostError) -> None:
        """Leave a service alone for a while that a remuxer was lost with."""
        for service in self.services:
            # Behind a load balancer it is one instance that is lost, and another may do.
            if service.answers_for(session) and not error.service_is_well:
                self._failed(service, f"the transcoder at {service} is lost: {error}")

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(service.aclose() for service in self.services))

    def _is_elsewhere(self, service: Service) -> bool:
        others = (it for it in self.services if it is not service)
        return self._has_fallback or any(not it.is_silent for it in others)

    async def _open(self, services: Sequence[Service], options: RemuxOptions) -> Session:
        reason = "every transcoder is in trouble"
        for service in services:
            try:
                session = await service.open(options)
            except FullError as error:
                self._rotation.refused(service, error.retry_after_s)
                reason = str(error)
            except InvalidArgumentError as error:
                # Options that were good before are refused by a service that is older.
                if options.generation == 0:
                    raise
                reason = f"the transcoder at {service} takes no stream over: {error}"
                self._failed(service, reason)
            except UnusableError as error:
                self._failed(service, str(error))
                reason = str(error)
            else:
                if self._rotation.worked(service):
                    log.info("the transcoder at %s is used again", service)
                return session
        raise UnavailableError(reason)

    def _failed(self, service: Service, reason: str) -> None:
        service.forget()
        if self._rotation.failed(service):
            log.warning(reason)

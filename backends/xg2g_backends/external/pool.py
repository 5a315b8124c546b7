"""The services together: opens each remuxer on one that can take it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from ..base import RemuxOptions
from ..errors import InvalidArgumentError, UnavailableError
from .rotation import Rotation
from .service import FullError, Service, UnusableError
from .session import LostError, Session

log = logging.getLogger(__name__)


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

"""The backend that runs the remuxer in other processes, behind HTTP."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakSet

from ..base import Backend, BackendHealth, Remuxer, RemuxOptions
from ..embedded.library import shared_library
from ..errors import ClosedError, UnavailableError
from .address import ServiceAddress
from .background import Errands
from .deadlines import Deadlines
from .http_client import Line
from .observer import Observer, Unobserved
from .pool import Pool
from .remote_remuxer import Session
from .remuxer import ExternalRemuxer, Surroundings
from .transcoder import Description, Service, UnusableError


class ExternalBackend:
    """Opens remuxers of the services at these addresses in turn."""

    def __init__(
        self,
        addresses: Sequence[ServiceAddress],
        *,
        token: str | None = None,
        fallback: Backend | None = None,
        live: bool = True,
        observer: Observer | None = None,
        deadlines: Deadlines | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to ask the services, which all take the same token.

        `fallback` runs streams while no service can, and is closed with this backend. With `live`
        off nothing of the input is ever dropped: while there is no service, calls wait.
        """
        self._observer = observer or Unobserved()
        self._errands = Errands()
        lines = [Line(address, token, deadlines or Deadlines()) for address in addresses]
        services = [Service(line, self._errands, self._observer.retried) for line in lines]
        self._shared = Surroundings(
            pool=Pool(services, clock_s, has_fallback=fallback is not None),
            fallback=fallback,
            live=live,
            observer=self._observer,
            errands=self._errands,
            clock_s=clock_s,
        )
        self._remuxers: WeakSet[ExternalRemuxer] = WeakSet()
        self._closed = False

    @property
    def name(self) -> str:
        return "external"

    async def open(self, options: RemuxOptions) -> ExternalRemuxer:
        if self._closed:
            raise ClosedError("the backend is closed")
        # A takeover reads tables with it, and must not be the first to miss it.
        shared_library()
        remuxer = ExternalRemuxer(self._shared, options, await self._begin(options))
        self._remuxers.add(remuxer)
        return remuxer

    async def check(self) -> BackendHealth:
        try:
            shared_library()
        except UnavailableError as error:
            return BackendHealth(usable=False, detail=str(error))
        found = await asyncio.gather(*(_described(s) for s in self._shared.pool.services))
        answers = [item for item in found if isinstance(item, _Answering)]
        troubles = tuple(item for item in found if isinstance(item, str))
        if not answers:
            return await self._check_fallback(troubles)
        full = tuple(answer.full for answer in answers if answer.full)
        versions = answers[0].description.versions
        at = ", ".join(str(answer.service) for answer in answers)
        return BackendHealth(
            usable=not self._closed,
            detail=f"at {at}: " + ", ".join(f"{n} {v}" for n, v in versions.items()),
            versions=versions,
            open_remuxers=sum(answer.description.open_remuxers for answer in answers),
            warnings=troubles + full,
        )

    async def aclose(self) -> None:
        self._closed = True
        await self._errands.aclose()
        await self._shared.pool.aclose()
        if self._shared.fallback is not None:
            await self._shared.fallback.aclose()

    async def _begin(self, options: RemuxOptions) -> Session | Remuxer:
        try:
            return await self._shared.pool.open(options)
        except UnavailableError:
            if self._shared.fallback is None:
                raise
            remuxer = await self._shared.fallback.open(options)
            self._shared.observer.fallen_back()
            return remuxer

    async def _check_fallback(self, troubles: tuple[str, ...]) -> BackendHealth:
        if self._shared.fallback is None:
            return BackendHealth(usable=False, detail="; ".join(troubles))
        health = await self._shared.fallback.check()
        return replace(health, warnings=troubles + health.warnings)


@dataclass(frozen=True, slots=True)
class _Answering:
    service: Service
    description: Description

    @property
    def full(self) -> str:
        """What to say of a service that has no room now, which does not stay so."""
        count, limit = self.description.open_remuxers, self.description.max_remuxers
        if count < limit:
            return ""
        return (
            f"the transcoder at {self.service} is full: {count} of {limit} remuxers are open; "
            "raise its --max-remuxers, or add another one"
        )


async def _described(service: Service) -> _Answering | str:
    try:
        answering = _Answering(service, await service.describe())
        await service.check_ending()
        return answering
    except UnusableError as error:
        return str(error)

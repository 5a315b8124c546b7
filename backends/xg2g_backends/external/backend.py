"""The backend that runs the remuxer in other processes, behind HTTP."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..base import Backend, BackendHealth, Remuxer, RemuxOptions
from ..embedded.shared_library import shared_library
from ..errors import ClosedError, UnavailableError
from .address import ServiceAddress
from .background import BackgroundTasks
from .deadlines import Deadlines
from .http_client import HttpClient
from .observer import NoObserver, Observer
from .pool import TranscoderPool
from .remote_remuxer import RemoteRemuxer
from .remuxer import Context, ExternalRemuxer
from .transcoder import Description, Transcoder, UnusableError


class ExternalBackend:
    """Opener of remuxers in transcoder services, which take turns."""

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
        """Prepare to use the services at `addresses`. This connects to none of them yet.

        `token`: bearer token of every service.
        `fallback`: backend for streams while no service is available; it is closed with this one.
        `live`: input arrives in real time, so the oldest is dropped when it piles up during an
        outage. False: nothing is dropped; calls wait until a service is available.
        `observer`: receives the events that a caller may want to count.
        """
        self._observer = observer or NoObserver()
        self._background = BackgroundTasks()
        clients = [HttpClient(address, token, deadlines or Deadlines()) for address in addresses]
        transcoders = [
            Transcoder(client, self._background, self._observer.retried) for client in clients
        ]
        self._context = Context(
            pool=TranscoderPool(transcoders, clock_s, has_fallback=fallback is not None),
            fallback=fallback,
            live=live,
            observer=self._observer,
            background=self._background,
            clock_s=clock_s,
        )
        self._closed = False

    @property
    def name(self) -> str:
        return "external"

    async def open(self, options: RemuxOptions) -> ExternalRemuxer:
        if self._closed:
            raise ClosedError("the backend is closed")
        # A splice needs the library: report a missing one here, not in the middle of a stream.
        shared_library()
        return ExternalRemuxer(self._context, options, await self._open_first(options))

    async def check(self) -> BackendHealth:
        try:
            shared_library()
        except UnavailableError as error:
            return BackendHealth(usable=False, detail=str(error))
        found = await asyncio.gather(*(_checked(it) for it in self._context.pool.transcoders))
        usable = [item for item in found if isinstance(item, _Usable)]
        problems = tuple(item for item in found if isinstance(item, str))
        if not usable:
            return await self._check_fallback(problems)
        warnings = tuple(item.warning for item in usable if item.warning)
        versions = usable[0].description.versions
        at = ", ".join(str(item.transcoder) for item in usable)
        return BackendHealth(
            usable=not self._closed,
            detail=f"at {at}: " + ", ".join(f"{n} {v}" for n, v in versions.items()),
            versions=versions,
            open_remuxers=sum(item.description.open_remuxers for item in usable),
            warnings=problems + warnings,
        )

    async def aclose(self) -> None:
        self._closed = True
        await self._background.aclose()
        await self._context.pool.aclose()
        if self._context.fallback is not None:
            await self._context.fallback.aclose()

    async def _open_first(self, options: RemuxOptions) -> RemoteRemuxer | Remuxer:
        try:
            return await self._context.pool.open(options)
        except UnavailableError:
            if self._context.fallback is None:
                raise
            remuxer = await self._context.fallback.open(options)
            self._context.observer.fallen_back()
            return remuxer

    async def _check_fallback(self, problems: tuple[str, ...]) -> BackendHealth:
        if self._context.fallback is None:
            return BackendHealth(usable=False, detail="; ".join(problems))
        health = await self._context.fallback.check()
        return replace(health, warnings=problems + health.warnings)


@dataclass(frozen=True, slots=True)
class _Usable:
    transcoder: Transcoder
    description: Description

    @property
    def warning(self) -> str:
        """Warning about a full transcoder, a state that passes; empty when it has room."""
        count, limit = self.description.open_remuxers, self.description.max_remuxers
        if count < limit:
            return ""
        return (
            f"the transcoder at {self.transcoder} is full: {count} of {limit} remuxers are open; "
            "raise its --max-remuxers, or add another transcoder"
        )


async def _checked(transcoder: Transcoder) -> _Usable | str:
    try:
        usable = _Usable(transcoder, await transcoder.describe())
        await transcoder.check_stopping()
        return usable
    except UnusableError as error:
        return str(error)

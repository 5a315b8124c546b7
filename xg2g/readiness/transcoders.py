"""The backend: each remuxer that cannot be opened reports the state of the transcoders."""

from xg2g_backends.base import Backend, BackendHealth, Remuxer, RemuxOptions
from xg2g_backends.errors import UnavailableError
from xg2g_backends.external.observer import Observer

from .readiness import READY, Finding, Part, Readiness, State


async def probe_backend(backend: Backend) -> Finding:
    """Check whether remuxers can be opened, and by which of the transcoders."""
    health = await backend.check()
    if not health.usable:
        return Finding(State.NOT_READY, health.detail)
    if health.warnings:
        return Finding(State.DEGRADED, "; ".join(health.warnings))
    return READY


class WatchedBackend:
    """A `Backend` that reports to `Readiness`."""

    def __init__(self, backend: Backend, readiness: Readiness) -> None:
        self._backend = backend
        self._readiness = readiness

    @property
    def name(self) -> str:
        return self._backend.name

    async def open(self, options: RemuxOptions) -> Remuxer:
        try:
            remuxer = await self._backend.open(options)
        except UnavailableError as error:
            self._readiness.failed(Part.TRANSCODER, str(error))
            raise
        if self._readiness.finding(Part.TRANSCODER).state is not State.READY:
            # The stream is converted in this process, or by one of several services.
            self._readiness.suspect(Part.TRANSCODER)
        return remuxer

    async def check(self) -> BackendHealth:
        return await self._backend.check()

    async def aclose(self) -> None:
        await self._backend.aclose()


class WatchedServices:
    """An `Observer` that has the transcoders probed after each problem with a service."""

    def __init__(self, observer: Observer, readiness: Readiness) -> None:
        self._observer = observer
        self._readiness = readiness

    def retried(self) -> None:
        self._observer.retried()
        self._suspect()

    def spliced(self) -> None:
        self._observer.spliced()
        self._suspect()

    def fallen_back(self) -> None:
        self._observer.fallen_back()
        self._suspect()

    def dropped(self, count: int) -> None:
        self._observer.dropped(count)
        self._suspect()

    def _suspect(self) -> None:
        self._readiness.suspect(Part.TRANSCODER)

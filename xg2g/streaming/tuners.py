"""The receiver's tuners: who has one, who may have one, and for how long one stays tuned.

A tuner receives a transponder; all services of it can be had at once. So leases are counted by
transponder, and a viewer of another service there needs no tuner more.

A service stays open for a moment after its last viewer. Media servers open a channel to see what it
is, close it, and open it again to play; without the moment the receiver would tune twice.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog

from ..receiver.errors import NoTunerError, ReceiverError
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import LiveSource
from .live import Receiver

log = structlog.get_logger()

RELEASE_S = (0.5, 1.0, 2.0)
"""Waits before asking again after an own lease was given up: a receiver frees a tuner seconds after
its stream was closed."""

Transponder = tuple[int, int, int]
"""Namespace, transport stream id, original network id."""


def transponder(service: ServiceReference) -> Transponder | None:
    """What a tuner has to receive for the service; None for one that needs no tuner."""
    if not service.is_dvb_service:
        return None
    _, _, _, _, tsid, onid, namespace, *_ = service.numbers
    return namespace, tsid, onid


@dataclass(eq=False, slots=True)
class _Lingering:
    """A stream without a viewer, read on so that it stays up to date."""

    service: ServiceReference
    source: LiveSource
    closing: AsyncExitStack
    draining: asyncio.Task[None] = field(init=False)


class Tuners:
    """A `Receiver` that gives no more tuners than there are.

    `open` raises `NoTunerError` when all are in use, before the receiver is asked.
    """

    def __init__(
        self,
        receiver: Receiver,
        *,
        linger_s: float,
        limit: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`limit` is the number of tuners; None while nobody has said it: then the receiver
        alone refuses."""
        self.receiver = receiver
        self.limit = limit
        self.linger_s = linger_s
        self._sleep = sleep
        self._leases: Counter[Transponder] = Counter()
        self._lingering: list[_Lingering] = []

    @property
    def in_use(self) -> int:
        """Tuners that are tuned, as far as is known here."""
        return len(self._leases)

    @property
    def lingering(self) -> int:
        """Streams that nobody watches any more."""
        return len(self._lingering)

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        """Open a service's stream, or take over one that lingers. Raises `ReceiverError`."""
        source, closing = await self._resume(service) or await self._open(service)
        watched = _Watched(source)
        try:
            yield watched
        finally:
            await self._leave(service, watched, closing)

    async def aclose(self) -> None:
        """Close what lingers."""
        for lingering in tuple(self._lingering):
            await self._give_up(lingering)

    async def _resume(self, service: ServiceReference) -> tuple[LiveSource, AsyncExitStack] | None:
        for lingering in self._lingering:
            if lingering.service == service:
                self._lingering.remove(lingering)
                await _end(lingering.draining)
                return lingering.source, lingering.closing
        return None

    async def _open(self, service: ServiceReference) -> tuple[LiveSource, AsyncExitStack]:
        gave_up = await self._make_room(service)
        delays_s = iter(RELEASE_S)
        while True:
            closing = AsyncExitStack()
            self._take(service, closing)
            try:
                return await closing.enter_async_context(self.receiver.open(service)), closing
            except NoTunerError:
                await closing.aclose()
                # A recording or the television itself may hold what we count as free.
                gave_up = await self._give_up_others(service) or gave_up
                delay_s = next(delays_s, None) if gave_up else None
                if delay_s is None:
                    raise
                await self._sleep(delay_s)
            except BaseException:
                await closing.aclose()
                raise

    def _take(self, service: ServiceReference, closing: AsyncExitStack) -> None:
        if (needed := transponder(service)) is not None:
            self._leases[needed] += 1
            closing.callback(self._return, needed)

    def _return(self, leased: Transponder) -> None:
        self._leases[leased] -= 1
        if not self._leases[leased]:
            del self._leases[leased]

    async def _make_room(self, service: ServiceReference) -> bool:
        """Give up lingering streams until there is a tuner. Raises `NoTunerError`."""
        needed = transponder(service)
        gave_up = False
        while (
            needed is not None
            and needed not in self._leases
            and self.limit is not None
            and len(self._leases) >= self.limit
        ):
            if not await self._give_up_others(service, one=True):
                raise NoTunerError(f"all {self.limit} tuners of the receiver are in use")
            gave_up = True
        return gave_up

    async def _give_up_others(self, service: ServiceReference, *, one: bool = False) -> bool:
        """Close lingering streams of other transponders, the oldest first; whether there was one.
        With `one`, only until a tuner is free by it."""
        gave_up = False
        for lingering in tuple(self._lingering):
            if transponder(lingering.service) in (None, transponder(service)):
                continue
            before = self.in_use
            await self._give_up(lingering)
            gave_up = True
            if one and self.in_use < before:
                break
        return gave_up

    async def _leave(
        self, service: ServiceReference, watched: "_Watched", closing: AsyncExitStack
    ) -> None:
        """Let the stream linger, if it is sound; else close it."""
        if self.linger_s <= 0 or watched.over:
            await closing.aclose()
            return
        lingering = _Lingering(service, watched.source, closing)
        lingering.draining = asyncio.create_task(self._drain(lingering))
        self._lingering.append(lingering)

    async def _drain(self, lingering: _Lingering) -> None:
        """Read on for `linger_s`, and close then; or until it is taken over."""
        try:
            async with asyncio.timeout(self.linger_s):
                while await lingering.source.read():
                    pass
        except (TimeoutError, ReceiverError):
            pass
        if lingering in self._lingering:
            self._lingering.remove(lingering)
            await lingering.closing.aclose()

    async def _give_up(self, lingering: _Lingering) -> None:
        if lingering not in self._lingering:
            return
        self._lingering.remove(lingering)
        await _end(lingering.draining)
        await lingering.closing.aclose()


class _Watched:
    """A source that remembers whether it has ended."""

    def __init__(self, source: LiveSource) -> None:
        self.source = source
        self.over = False

    async def read(self) -> bytes:
        try:
            chunk = await self.source.read()
        except ReceiverError:
            self.over = True
            raise
        self.over = not chunk
        return chunk


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})

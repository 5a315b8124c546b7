"""The receiver's tuners: who has one, who may have one, and for how long one stays tuned.

A tuner receives a transponder; all services of it can be had at once. So leases are counted by
transponder, and a viewer of another service there needs no tuner more.

A service stays open for a moment after its last viewer. Media servers open a channel to see what it
is, close it, and open it again to play; without the moment the receiver would tune twice.
"""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ..receiver.errors import NoTunerError, ReceiverError, UnknownServiceError
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import LiveSource
from .ledger import RELEASE_S, Transponder, transponder
from .live import Receiver
from .recent import RecentSource

HANDOVER_S = 0.1
"""For a viewer of the same service to leave: who looks first and then plays closes one connection
and opens the other at once, and which is noticed first is chance."""
STALE_S = 1.0
"""A stream that stands still for longer is opened anew rather than handed over."""


@dataclass(eq=False, slots=True)
class _Open:
    """A stream of the receiver: watched, or lingering while `draining`."""

    service: ServiceReference
    receiver: Receiver
    source: RecentSource
    closing: AsyncExitStack
    draining: asyncio.Task[None] | None = None

    async def stop_draining(self) -> None:
        """Leave the stream to who asks. Cancelled meanwhile, it is closed."""
        if self.draining is not None:
            self.draining.cancel()
            try:
                await asyncio.wait({self.draining})
            except BaseException:
                await self.closing.aclose()
                raise
            self.draining = None


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
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit` is the number of tuners; None while nobody has said it: then the receiver
        alone refuses. `sleep` and `now` are for tests."""
        self.receiver = receiver
        """Who opens streams from now on. What another one has opened does not linger."""
        self.limit = limit
        self.linger_s = linger_s
        self._sleep = sleep
        self._now = now
        self._leases: Counter[Transponder] = Counter()
        self._closed_at_s = -math.inf
        self._open: list[_Open] = []
        self._lingering: list[_Open] = []
        self._somebody_left = asyncio.Event()

    @property
    def in_use(self) -> int:
        """Tuners that are tuned, as far as is known here."""
        return len(self._leases)

    @property
    def lingering(self) -> int:
        """Streams that nobody watches any more."""
        return len(self._lingering)

    @property
    def services(self) -> tuple[ServiceReference, ...]:
        """What is streamed now, one service of each transponder."""
        tuned = {transponder(it.service): it.service for it in self._open}
        return tuple(service for needed, service in tuned.items() if needed)

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        """Open a service's stream, or take over one that lingers. Raises `ReceiverError`."""
        stream = await self._resume(service) or await self._begin(service)
        try:
            yield stream.source
        except ReceiverError:
            # What could not be shown, noise for one, is not looked at again.
            stream.source.is_over = True
            raise
        finally:
            await self._leave(stream)

    async def aclose(self) -> None:
        """Close what lingers."""
        for stream in tuple(self._lingering):
            await self._give_up(stream)

    async def _resume(self, service: ServiceReference) -> _Open | None:
        if self.linger_s > 0 and any(it.service == service for it in self._open):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HANDOVER_S):
                    while self._left_of(service) is None:
                        self._somebody_left.clear()
                        await self._somebody_left.wait()
        stream = self._left_of(service)
        if stream is None:
            return None
        if stream.source.stands_still_s() > STALE_S or stream.receiver is not self.receiver:
            await self._give_up(stream)
            return None
        self._lingering.remove(stream)
        await stream.stop_draining()
        stream.source.rewind()
        return stream

    def _left_of(self, service: ServiceReference) -> _Open | None:
        return next((it for it in self._lingering if it.service == service), None)

    async def _begin(self, service: ServiceReference) -> _Open:
        delays_s = iter(RELEASE_S)
        while True:
            await self._make_room(service)
            receiver, closing = self.receiver, AsyncExitStack()
            self._take(service, closing)
            try:
                live = await closing.enter_async_context(receiver.open(service))
            except (NoTunerError, UnknownServiceError):
                await closing.aclose()
                # A recording or the television itself may hold what we count as free, and the
                # receiver what we have given back.
                await self._give_up_others(service)
                may_be_freed = self._now() - self._closed_at_s <= sum(RELEASE_S)
                delay_s = next(delays_s, None) if may_be_freed else None
                if delay_s is None:
                    raise
                await self._sleep(delay_s)
            except BaseException:
                await closing.aclose()
                raise
            else:
                stream = _Open(service, receiver, RecentSource(live, self._now), closing)
                self._open.append(stream)
                closing.callback(self._close, stream)
                return stream

    def _take(self, service: ServiceReference, closing: AsyncExitStack) -> None:
        if (needed := transponder(service)) is not None:
            self._leases[needed] += 1
            closing.callback(self._return, needed)

    def _return(self, leased: Transponder) -> None:
        self._leases[leased] -= 1
        if not self._leases[leased]:
            del self._leases[leased]

    def _close(self, stream: _Open) -> None:
        self._open.remove(stream)
        if transponder(stream.service):
            self._closed_at_s = self._now()

    async def _make_room(self, service: ServiceReference) -> None:
        """Give up lingering streams until there is a tuner. Raises `NoTunerError`."""
        needed = transponder(service)
        while (
            needed is not None
            and needed not in self._leases
            and self.limit is not None
            and len(self._leases) >= self.limit
        ):
            if not await self._give_up_others(service, one=True):
                raise NoTunerError(
                    "the receiver's only tuner is in use"
                    if self.limit == 1
                    else f"all {self.limit} tuners of the receiver are in use"
                )

    async def _give_up_others(self, service: ServiceReference, *, one: bool = False) -> bool:
        """Close lingering streams of other transponders, the oldest first; whether there was one.
        With `one`, only until a tuner is free by it."""
        gave_up = False
        for stream in tuple(self._lingering):
            if transponder(stream.service) in (None, transponder(service)):
                continue
            before = self.in_use
            await self._give_up(stream)
            gave_up = True
            if one and self.in_use < before:
                break
        return gave_up

    async def _leave(self, stream: _Open) -> None:
        """Let the stream linger, if it is sound and none of its service does; else close it."""
        if (
            self.linger_s <= 0
            or stream.source.is_over
            or stream.receiver is not self.receiver
            or self._left_of(stream.service) is not None
        ):
            await stream.closing.aclose()
            return
        stream.source.keep_on()
        stream.draining = asyncio.create_task(self._drain(stream))
        self._lingering.append(stream)
        self._somebody_left.set()

    async def _drain(self, stream: _Open) -> None:
        """Read on for `linger_s`, and close then; or until it is taken over."""
        try:
            async with asyncio.timeout(self.linger_s):
                while await stream.source.read():
                    pass
        except (TimeoutError, ReceiverError):
            pass
        if stream in self._lingering:
            self._lingering.remove(stream)
            await stream.closing.aclose()

    async def _give_up(self, stream: _Open) -> None:
        if stream in self._lingering:
            self._lingering.remove(stream)
            await stream.stop_draining()
            await stream.closing.aclose()

"""The hub: one upstream for all viewers of a channel."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from xg2g_backends.base import Backend, RemuxOptions

from ..metrics import Metrics
from ..receiver.errors import NoTunerError, ReceiverError
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import StreamOpener
from .ledger import Evict, Ledger, Refuse, transponder
from .reader import MakeJoiner
from .upstream import RECONNECT_S, Means, State, Upstream, UpstreamReader


class Timer(Protocol):
    """A call that was put off."""

    def cancel(self) -> None:
        """Call nothing."""
        ...


def _later(delay_s: float, call: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay_s, call)


class Hub:
    """Opens services for viewers, who share an upstream for each service.

    The first viewer of a service begins its upstream. After the last one has left it lingers:
    media servers open a channel to see what it is, close it, and open it again to play. What is
    assigned here is for viewers who come later; those who watch go on.
    """

    def __init__(
        self,
        receiver: StreamOpener,
        backend: Backend,
        options: RemuxOptions,
        *,
        metrics: Metrics,
        linger_s: float,
        first_output_s: float,
        scrambled_after_s: float = 5,
        reconnect_s: float = RECONNECT_S,
        limit: int | None = None,
        make_joiner: MakeJoiner,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        later: Callable[[float, Callable[[], None]], Timer] = _later,
    ) -> None:
        """`first_output_s` is how long a stream that does arrive may give nothing to show, and
        `scrambled_after_s` how long it may be scrambled. A lost stream of the receiver is opened
        again for `reconnect_s`. `limit` is the number of tuners; None while it is unknown. `now`,
        `sleep` and `later` are for tests."""
        self.linger_s = linger_s
        """How long an upstream goes on after its last viewer has left."""
        self._receiver = receiver
        self._options = options
        self._later = later
        self._ledger: Ledger[Upstream] = Ledger(limit, now)
        self._means = Means(
            backend=backend,
            ledger=self._ledger,
            metrics=metrics,
            make_joiner=make_joiner,
            first_output_s=first_output_s,
            scrambled_after_s=scrambled_after_s,
            reconnect_s=reconnect_s,
            now=now,
            sleep=sleep,
        )
        self._upstreams: list[Upstream] = []
        self._timers: dict[Upstream, Timer] = {}

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Those that take viewers, the earliest first."""
        return tuple(each for each in self._upstreams if each.state is not State.ENDED)

    @property
    def backend(self) -> Backend:
        """Where streams are converted."""
        return self._means.backend

    @property
    def receiver(self) -> StreamOpener:
        """Where streams come from."""
        return self._receiver

    @receiver.setter
    def receiver(self, receiver: StreamOpener) -> None:
        self._receiver = receiver
        self._end_outdated()

    @property
    def options(self) -> RemuxOptions:
        """How streams are converted."""
        return self._options

    @options.setter
    def options(self, options: RemuxOptions) -> None:
        self._options = options
        self._end_outdated()

    @property
    def first_output_s(self) -> float:
        """How long a stream that does arrive may give nothing to show."""
        return self._means.first_output_s

    @first_output_s.setter
    def first_output_s(self, first_output_s: float) -> None:
        self._means.first_output_s = first_output_s

    @property
    def limit(self) -> int | None:
        """Number of tuners; None while it is unknown: the receiver alone refuses then."""
        return self._ledger.limit

    @limit.setter
    def limit(self, limit: int | None) -> None:
        self._ledger.limit = limit

    @property
    def in_use(self) -> int:
        """Number of tuners that are tuned, as far as is known here."""
        return self._ledger.in_use

    @property
    def lingering(self) -> int:
        """Number of upstreams that nobody watches."""
        return len(self._ledger.lingering)

    @property
    def services(self) -> tuple[ServiceReference, ...]:
        """What is streamed now, one service of each transponder."""
        return tuple(each.service for each in self._ledger.tuned)

    @asynccontextmanager
    async def open(
        self, service: ServiceReference, *, from_oldest: bool = False
    ) -> AsyncIterator[UpstreamReader]:
        """Open a service for one viewer. The first output can be read when this returns: the
        newest picture that decodes alone, or with `from_oldest` the oldest that is kept.

        Entering the context, and reading, raise `ReceiverError` and `BackendError`.
        """
        upstream = self._enter(service)
        may_linger = True
        reader = None
        try:
            reader = await upstream.reader(from_oldest=from_oldest)
            upstream.readers.append(reader)
            yield reader
        except ReceiverError:
            # What could not be shown is not looked at again.
            may_linger = False
            raise
        finally:
            if reader is not None:
                upstream.readers.remove(reader)
                reader.makes_way = False
                reader.close()
            await self._leave(upstream, may_linger=may_linger)

    @asynccontextmanager
    async def open_first(
        self, services: Sequence[ServiceReference], *, from_oldest: bool = False
    ) -> AsyncIterator[UpstreamReader]:
        """Open the first of these that the receiver can bring. As `open`; raises what was wrong
        with the last."""
        async with AsyncExitStack() as stack:
            for service in services:
                try:
                    reader = await stack.enter_async_context(
                        self.open(service, from_oldest=from_oldest)
                    )
                    break
                except ReceiverError:
                    if service is services[-1]:
                        raise
            yield reader

    async def aclose(self) -> None:
        """End every upstream, and wait until all is given back."""
        for each in self._upstreams:
            each.end()
        for each in tuple(self._upstreams):
            await each.stop()

    def _enter(self, service: ServiceReference) -> Upstream:
        """Count a viewer at the service's upstream, which may be a new one. Raises
        `NoTunerError`."""
        replaced = None
        for each in self.upstreams:
            if each.service == service and self._is_current(each):
                if each.viewers or not each.is_stale:
                    self._watch(each)
                    return each
                replaced = each
                each.end()
        upstream = Upstream(service, self._options_for(service), self._receiver, self._means)
        decision = self._ledger.request(upstream, transponder(service))
        if isinstance(decision, Refuse):
            raise NoTunerError(decision.reason)
        evicted = decision.holders if isinstance(decision, Evict) else ()
        if replaced is not None:
            evicted = (*evicted, replaced)
        upstream.viewers = 1
        self._upstreams.append(upstream)
        upstream.begin(evicted, self._forget)
        return upstream

    def _watch(self, upstream: Upstream) -> None:
        if not upstream.viewers:
            self._stop_timer(upstream)
        upstream.note_watched(viewers=1)

    async def _leave(self, upstream: Upstream, *, may_linger: bool) -> None:
        upstream.note_watched(viewers=-1)
        if upstream.viewers:
            return
        if may_linger and self.linger_s > 0 and upstream.may_linger and self._is_current(upstream):
            self._ledger.lingers(upstream)
            self._timers[upstream] = self._later(self.linger_s, upstream.end)
        else:
            await upstream.stop()

    def _options_for(self, service: ServiceReference) -> RemuxOptions:
        # The PAT lists the whole transponder, the stream holds one service of it. A web stream
        # has what it has, whatever number its entry was given.
        return replace(self._options, program=0 if service.path else service.sid)

    def _is_current(self, upstream: Upstream) -> bool:
        """Whether a new upstream of its service would be like it."""
        return upstream.receiver is self._receiver and upstream.options == self._options_for(
            upstream.service
        )

    def _end_outdated(self) -> None:
        for each in self.upstreams:
            if not each.viewers and not self._is_current(each):
                each.end()

    def _stop_timer(self, upstream: Upstream) -> None:
        timer = self._timers.pop(upstream, None)
        if timer is not None:
            timer.cancel()

    def _forget(self, upstream: Upstream) -> None:
        self._stop_timer(upstream)
        self._upstreams.remove(upstream)

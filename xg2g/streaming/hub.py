"""The hub: one upstream for all viewers of a channel."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from xg2g_backends.base import Backend, Point, RemuxOptions, RemuxStats

from ..metrics import Metrics
from ..receiver.errors import NoTunerError, ReceiverError
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import StreamOpener
from .conversion import StartLimits
from .reader import MakeJoiner, Reader
from .reconnection import RECONNECT_S
from .timers import CallLater, Timer, call_later
from .tuner_ledger import Evict, Refuse, TunerLedger, transponder
from .upstream import State, Upstream, UpstreamContext


class UpstreamReader(Reader):
    """A viewer's reader of an upstream."""

    def __init__(self, upstream: Upstream, point: Point, make_joiner: MakeJoiner) -> None:
        super().__init__(upstream.ring, point, make_joiner)
        self.upstream = upstream
        self._makes_way = False

    @property
    def makes_way(self) -> bool:
        """Whether another channel may take the tuner, though this reader goes on."""
        return self._makes_way

    @makes_way.setter
    def makes_way(self, makes_way: bool) -> None:
        if makes_way is not self._makes_way:
            self._makes_way = makes_way
            self.upstream.note_watched(making_way=1 if makes_way else -1)

    @property
    def may_rush(self) -> bool:
        """Whether the stream may come faster than it plays: an IPTV entry may be a file."""
        return bool(self.upstream.service.path)

    async def stats(self) -> RemuxStats:
        """Return the counters of the upstream's remuxer. Raises `BackendError`."""
        return await self.upstream.stats()


class Hub:
    """Opens services for viewers, who share an upstream for each service.

    The first viewer of a service begins its upstream. After the last one has left, the upstream
    lingers: media servers open a channel to probe it, close it, and open it again to play.
    Settings that are assigned here apply to later viewers; current viewers keep theirs.
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
        later: CallLater = call_later,
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
        self._ledger: TunerLedger[Upstream] = TunerLedger(limit, now)
        self._make_joiner = make_joiner
        self._context = UpstreamContext(
            backend=backend,
            ledger=self._ledger,
            metrics=metrics,
            limits=StartLimits(first_output_s=first_output_s, scrambled_after_s=scrambled_after_s),
            reconnect_s=reconnect_s,
            now=now,
            sleep=sleep,
        )
        self._upstreams: list[Upstream] = []
        self._timers: dict[Upstream, Timer] = {}

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Upstreams that take viewers, the earliest first."""
        return tuple(each for each in self._upstreams if each.state is not State.ENDED)

    @property
    def backend(self) -> Backend:
        """The backend that converts all streams."""
        return self._context.backend

    @property
    def receiver(self) -> StreamOpener:
        """The receiver that new streams come from."""
        return self._receiver

    @receiver.setter
    def receiver(self, receiver: StreamOpener) -> None:
        self._receiver = receiver
        self._end_outdated()

    @property
    def options(self) -> RemuxOptions:
        """The options of new streams."""
        return self._options

    @options.setter
    def options(self, options: RemuxOptions) -> None:
        self._options = options
        self._end_outdated()

    @property
    def first_output_s(self) -> float:
        """How long a stream that does arrive may give nothing to show."""
        return self._context.limits.first_output_s

    @first_output_s.setter
    def first_output_s(self, first_output_s: float) -> None:
        self._context.limits.first_output_s = first_output_s

    @property
    def limit(self) -> int | None:
        """Number of tuners; None while it is unknown: the receiver alone refuses then."""
        return self._ledger.limit

    @limit.setter
    def limit(self, limit: int | None) -> None:
        self._ledger.limit = limit

    @property
    def in_use(self) -> int:
        """Number of tuners that xg2g uses."""
        return self._ledger.in_use

    @property
    def lingering(self) -> int:
        """Number of upstreams without viewers."""
        return len(self._ledger.lingering)

    @property
    def services(self) -> tuple[ServiceReference, ...]:
        """Streamed services, one of each transponder."""
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
            point = await upstream.start_point(from_oldest=from_oldest)
            reader = UpstreamReader(upstream, point, self._make_joiner)
            upstream.readers.append(reader)
            yield reader
        except ReceiverError:
            # A stream that could not be shown is not kept for the next viewer.
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
        """Open the first of these services that can be opened. As `open`; raises the error of the
        last one."""
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
        upstream = Upstream(service, self._options_for(service), self._receiver, self._context)
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
        # The PAT lists the whole transponder, the stream holds one service of it. The service
        # number of an IPTV entry says nothing about its stream.
        return replace(self._options, program=0 if service.path else service.sid)

    def _is_current(self, upstream: Upstream) -> bool:
        """Return whether a new upstream of its service would have the same receiver and options."""
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

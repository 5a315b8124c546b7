"""The one stream of a channel that all its viewers share: from the receiver into a ring."""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import structlog

from xg2g_backends.base import Backend, Point, Remuxer, RemuxOptions, RemuxStats
from xg2g_backends.errors import BackendError

from ..metrics import Metrics
from ..receiver.errors import FileOverError, NoTunerError, ReceiverError, UnknownServiceError
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import LiveSource, StreamOpener
from .conversion import Conversion, PointSupport, StartLimits, no_output, scrambled, silence
from .reader import Reader
from .reconnection import Reconnection
from .ring import Ring
from .tuner_ledger import TunerLedger

log = structlog.get_logger()

STALE_S: Final = 1.0
"""Time without output after which a stream without viewers does not serve the next viewer."""
GENERATION_STEP: Final = 8
"""Difference between the remuxers' generations at both sides of a seam: an external backend counts
its own splices in between."""
AHEAD_BYTES: Final = 4 * 1024 * 1024
"""How far an IPTV stream is read ahead of its fastest reader: it may be a file."""
AHEAD_POLL_S: Final = 0.02
"""Interval between two checks of that reader's position."""

_ID_BYTES: Final = 6


class State(StrEnum):
    """States of an upstream."""

    OPENING = "opening"
    """There is no output yet."""
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    """The receiver's stream was lost and is opened again."""
    LINGERING = "lingering"
    """It has no viewers; the next one begins at once."""
    ENDED = "ended"
    """It takes no more viewers, and closes its streams."""


@dataclass(slots=True, kw_only=True)
class UpstreamContext:
    """Parts that all upstreams of a hub share. Later assignments are for later upstreams."""

    backend: Backend
    ledger: TunerLedger["Upstream"]
    metrics: Metrics
    limits: StartLimits
    reconnect_s: float
    now: Callable[[], float]
    """A monotonic clock."""
    sleep: Callable[[float], Awaitable[None]]


class Upstream:
    """The one stream of a service with certain options, for all its readers.

    It runs as a task of its own from `begin` on, until the receiver or the backend ends it, or
    `stop`. It owns the tuner's lease, the receiver's stream, the remuxer and the ring, and gives
    them back whatever ends it.
    """

    def __init__(
        self,
        service: ServiceReference,
        options: RemuxOptions,
        receiver: StreamOpener,
        context: UpstreamContext,
    ) -> None:
        self.id = secrets.token_hex(_ID_BYTES)
        self.service = service
        self.options = options
        self.receiver = receiver
        self.since = datetime.now(UTC)
        self.ring = Ring(context.now)
        self.readers = list[Reader]()
        self.viewers = 0
        """Number of viewers: those who read, and those who wait for the first output."""
        self.freezes = 0
        """How often no output came although the receiver sent."""
        self.reconnections = 0
        """How often a lost stream of the receiver came back."""
        self._making_way = 0
        self._context = context
        self._state = State.OPENING
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._is_freed = asyncio.Event()
        self._conversion: Conversion | None = None
        """Conversion of the receiver's present stream; None while there is no stream."""
        self._begun_at_s = math.inf
        """When the receiver's present stream began to be shown."""
        self._has_begun = False
        self._point_support = PointSupport()

    @property
    def state(self) -> State:
        """State of the stream."""
        if self._state is State.RUNNING and not self.viewers:
            return State.LINGERING
        return self._state

    @property
    def is_stale(self) -> bool:
        """Whether no output came for so long that a viewer should not begin with it."""
        newest_s = self.ring.newest_at_s
        return newest_s is not None and self._context.now() - newest_s > STALE_S

    @property
    def may_linger(self) -> bool:
        """Whether it would serve a viewer who comes after the last one has left."""
        return (
            self._conversion is not None
            # It would rush by, and the next viewer begin somewhere in it.
            and not self._conversion.is_file
            and self._state in (State.OPENING, State.RUNNING)
        )

    def begin(self, evicted: "Sequence[Upstream]", on_end: "Callable[[Upstream], None]") -> None:
        """Begin to run, with a lease that was granted. `evicted` are stopped first, and `on_end` is
        called when everything was given back."""
        for other in evicted:
            other.end()
        self._task = asyncio.create_task(self._run(evicted))
        # A task that is cancelled before its first step runs nothing of its own.
        self._task.add_done_callback(lambda _: self._ended(on_end))

    def end(self) -> None:
        """Begin to stop. From now on it takes no more viewers."""
        if self._state is State.ENDED:
            return
        self._state = State.ENDED
        self._context.ledger.closing(self)
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        """Stop, and wait until everything is given back. It stops if this is cancelled, too."""
        self.end()
        if self._task is not None:
            await asyncio.wait({self._task})

    def note_watched(self, *, viewers: int = 0, making_way: int = 0) -> None:
        """Count viewers who came (or left, if negative), and those of them who make way for
        another channel. The ledger learns whether the tuner may be taken."""
        was_watched = self.viewers > self._making_way
        self.viewers += viewers
        self._making_way += making_way
        is_watched = self.viewers > self._making_way
        if self._state is State.ENDED or is_watched is was_watched:
            return
        if is_watched:
            self._context.ledger.watched(self)
        elif self.viewers:
            self._context.ledger.lingers(self)

    async def stats(self) -> RemuxStats:
        """Return the counters of the present remuxer. Raises `BackendError`."""
        return RemuxStats() if self._conversion is None else await self._conversion.stats()

    async def start_point(self, *, from_oldest: bool = False) -> Point:
        """Return the point where a new reader begins, once there is one: the newest, or with
        `from_oldest` the oldest that is kept.

        Raises the error that ended the upstream, or the reason why nobody can begin:
        `ReceiverError`, `BackendError`.
        """
        if self._state is State.RUNNING and self.ring.newest_point() is None:
            first_output_s = self._context.limits.first_output_s
            try:
                async with asyncio.timeout(first_output_s):
                    return await self._next_start_point(from_oldest)
            except TimeoutError as error:
                raise silence(first_output_s) from error
        return await self._next_start_point(from_oldest)

    async def _next_start_point(self, from_oldest: bool) -> Point:
        ring = self.ring
        kept_point = ring.oldest_point if from_oldest else ring.newest_point
        has_waited = self._state is not State.RUNNING
        while True:
            if self._state is State.RUNNING or ring.is_closed:
                # Viewers who waited for the beginning get the whole stream, even if it has ended.
                point = ring.first_point(ring.seam_offset) if has_waited else kept_point()
                if point is not None and self._has_begun:
                    return point
                if ring.is_closed:
                    raise (ring.error or no_output()).with_traceback(None)
                scrambled_s = self._conversion.scrambled_s if self._conversion else 0.0
                if scrambled_s >= self._context.limits.scrambled_after_s:
                    raise scrambled()
            await ring.changed()

    async def _run(self, evicted: "Sequence[Upstream]") -> None:
        try:
            for other in evicted:
                await other._is_freed.wait()
            await self._stream()
        except (ReceiverError, BackendError) as error:
            self._error = error
        except Exception as error:
            log.exception("stream failed unexpectedly", channel=self.service.channel_id)
            self._error = error

    def _ended(self, on_end: "Callable[[Upstream], None]") -> None:
        self._state = State.ENDED
        self._is_freed.set()
        self._context.ledger.release(self)
        self.ring.close(self._error)
        on_end(self)

    async def _stream(self) -> None:
        """Stream until the receiver's stream is lost for good. Raises why, unless it just ended."""
        context = self._context
        reconnection = Reconnection(context.reconnect_s)
        while True:
            loss: ReceiverError | None = None
            self._begun_at_s = math.inf
            try:
                async with asyncio.timeout(reconnection.left_s(context.now())) as attempt:
                    await self._session(attempt)
            except FileOverError:  # opened again, it would begin anew
                if not self._has_begun:
                    raise
                return
            except ReceiverError as error:
                if not self._has_begun:
                    raise
                loss = error
            except BackendError:
                if not reconnection.has_begun or self._begun_at_s < math.inf:
                    raise
            except TimeoutError:
                pass
            delay_s = reconnection.next_delay_s(loss, context.now(), self._begun_at_s)
            if delay_s is None or not self.viewers:
                if reconnection.loss is not None:
                    raise reconnection.loss
                return
            self._note_loss(reconnection.loss)
            await context.sleep(delay_s)

    def _note_loss(self, loss: ReceiverError | None) -> None:
        if self._state is State.RUNNING:
            reason = str(loss or "the receiver ended it")
            log.warning("stream lost, reconnecting", channel=self.service.channel_id, reason=reason)
        self._state = State.RECONNECTING
        self.ring.seam()

    async def _session(self, attempt: asyncio.Timeout) -> None:
        """Open a stream of the receiver and convert it until it ends. Raises `ReceiverError` and
        `BackendError`."""
        context = self._context
        # The remuxer is closed after the receiver's stream: others wait for the tuner.
        async with AsyncExitStack() as stack, self._source() as source:
            generation = GENERATION_STEP * self.ring.generation
            remuxer = await context.backend.open(replace(self.options, generation=generation))
            stack.push_async_callback(self._close, remuxer)
            conversion = self._conversion = Conversion(
                self.ring,
                source,
                remuxer,
                point_support=self._point_support,
                bytes_in=context.metrics.bytes_in,
                on_freeze=self._note_freeze,
                before_read=self._await_readers if self.service.path else None,
                now=context.now,
            )
            try:
                await conversion.await_point(context.limits)
                attempt.reschedule(None)
                self._note_begin()
                await conversion.run()
            except ReceiverError:
                if self._has_begun:
                    await conversion.finish()
                raise

    async def _close(self, remuxer: Remuxer) -> None:
        self._conversion = None
        await remuxer.aclose()

    @asynccontextmanager
    async def _source(self) -> AsyncIterator[LiveSource]:
        """Open the receiver's stream, asking again for as long as the ledger says so."""
        ledger = self._context.ledger
        try:
            async with AsyncExitStack() as stack:
                while True:
                    try:
                        source = await stack.enter_async_context(self.receiver.open(self.service))
                        break
                    except (NoTunerError, UnknownServiceError):
                        retry = ledger.refused(self)
                        if retry is None:
                            raise
                        for other in retry.holders:
                            other.end()
                        for other in retry.holders:
                            await other._is_freed.wait()
                        await self._context.sleep(retry.wait_s)
                ledger.began(self)
                yield source
        finally:
            ledger.lost(self)
            if self._state is State.ENDED:
                self._is_freed.set()

    async def _await_readers(self) -> None:
        """Wait while even the fastest reader is far behind: the stream may be a file."""
        # Polled, so that readers need not wake this task.
        while (  # noqa: ASYNC110
            self.readers and min(it.unread_bytes for it in self.readers) > AHEAD_BYTES
        ):
            await asyncio.sleep(AHEAD_POLL_S)

    def _note_begin(self) -> None:
        if self._has_begun:
            self.reconnections += 1
            self._context.metrics.reconnections.inc()
            log.info("stream reconnected", channel=self.service.channel_id)
        self._has_begun = True
        self._begun_at_s = self._context.now()
        self._state = State.RUNNING
        # Wake those who wait for the state.
        self.ring.append(b"")

    def _note_freeze(self, frozen_s: float) -> None:
        if self._has_begun:
            self.freezes += 1
            for reader in self.readers:
                self._context.metrics.freeze_s.observe(frozen_s)
                reader.on_freeze(frozen_s)

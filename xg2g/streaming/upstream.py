"""A channel's way from the receiver through a remuxer into the ring that its viewers share."""

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

from xg2g_backends.base import (
    Backend,
    Piece,
    Point,
    PointKind,
    Remuxer,
    RemuxOptions,
    RemuxStats,
)
from xg2g_backends.errors import BackendError

from ..metrics import Metrics
from ..receiver.errors import (
    FileOverError,
    NoSignalError,
    NoTunerError,
    ReceiverError,
    ScrambledError,
    TimeLimitError,
    UnknownServiceError,
)
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import LiveSource, StreamOpener
from .freeze import FreezeWatch
from .ledger import Ledger
from .reader import MakeJoiner, Reader
from .ring import Ring

log = structlog.get_logger()

PATIENCE_S: Final = 5.0
"""Longest time between two random access points (TS 101 154). The remuxer then tells where a viewer
can begin all the same."""
PICTURES_BYTES: Final = 64 * 1024
"""Output that is more than tables: pictures come, if nothing yet to begin with."""
RECONNECT_S: Final = 12.0
"""For a lost stream of the receiver to come back under its viewers."""
RECONNECT_DELAYS_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Waits before each attempt; the last repeats."""
STEADY_S: Final = 10.0
"""A stream that held for so long is reconnected as if it were lost for the first time."""
STALE_S: Final = 1.0
"""A stream that brought nothing for so long is not taken over from viewers who left."""
GENERATION_STEP: Final = 8
"""Between the remuxers' generations of two seams: an external backend counts its own takeovers in
between."""
AHEAD_BYTES: Final = 4 * 1024 * 1024
"""How far a stream from the web is read ahead of its fastest reader: it may be a file."""
AHEAD_LOOK_S: Final = 0.02
"""Between two looks whether that reader has read on."""

_ID_BYTES: Final = 6


class FileSource:
    """A source that is a file: opened again it begins anew, and nothing is missed if it is left
    unread. Its end raises `FileOverError`."""


class State(StrEnum):
    """What an upstream does."""

    OPENING = "opening"
    """Nobody can begin to watch yet."""
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    """The receiver's stream was lost and is opened again."""
    LINGERING = "lingering"
    """Nobody watches; the next viewer begins at once."""
    ENDED = "ended"
    """It takes no more viewers, and closes what it holds."""


@dataclass(slots=True, kw_only=True)
class Means:
    """What all upstreams of a hub work with. What is assigned later is for later upstreams."""

    backend: Backend
    ledger: Ledger["Upstream"]
    metrics: Metrics
    make_joiner: MakeJoiner
    first_output_s: float
    """How long a stream that does arrive may give no output: garbage, or another service."""
    scrambled_after_s: float
    """How long a stream may be scrambled: a softcam may need some seconds to open it."""
    reconnect_s: float = RECONNECT_S
    now: Callable[[], float]
    """A monotonic clock."""
    sleep: Callable[[float], Awaitable[None]]


class UpstreamReader(Reader):
    """A reader of an upstream's ring."""

    def __init__(self, upstream: "Upstream", point: Point, make_joiner: MakeJoiner) -> None:
        super().__init__(upstream.ring, point, make_joiner)
        self.upstream = upstream
        self._makes_way = False

    @property
    def makes_way(self) -> bool:
        """Whether the tuner may be taken for another channel, though this reader goes on."""
        return self._makes_way

    @makes_way.setter
    def makes_way(self, makes_way: bool) -> None:
        if makes_way is not self._makes_way:
            self._makes_way = makes_way
            self.upstream.note_watched(making_way=1 if makes_way else -1)

    @property
    def may_rush(self) -> bool:
        """Whether the stream may come faster than it plays: from the web, it may be a file."""
        return bool(self.upstream.service.path)

    async def stats(self) -> RemuxStats:
        """Return the counters of the upstream's remuxer; raises `BackendError`."""
        return await self.upstream.stats()


class Upstream:
    """The one stream of a service with certain options, for all its readers.

    It runs as a task of its own from `begin` on, until the receiver or the backend ends it, or
    `stop`. It owns the tuner's lease, the receiver's stream, the remuxer and the ring, and gives
    them back whatever ends it.
    """

    def __init__(
        self, service: ServiceReference, options: RemuxOptions, receiver: StreamOpener, means: Means
    ) -> None:
        self.id = secrets.token_hex(_ID_BYTES)
        self.service = service
        self.options = options
        self.receiver = receiver
        self.since = datetime.now(UTC)
        self.ring = Ring(means.now)
        self.readers: list[UpstreamReader] = []
        """The readers that have begun."""
        self.viewers = 0
        """Number of readers, and of those who wait to become one."""
        self._making_way = 0
        self.freezes = 0
        """How often no output came although the receiver sent."""
        self.reconnections = 0
        """How often a lost stream of the receiver came back."""
        self._means = means
        self._state = State.OPENING
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._is_freed = asyncio.Event()
        self._remuxer: Remuxer | None = None
        self._base = 0
        """Offset in the ring where the present remuxer's output begins."""
        self._is_over = False
        """The receiver's stream has ended."""
        self._is_file = False
        self._freeze = FreezeWatch(means.now)
        self._scrambled_since_s: float | None = None
        self._begun_at_s = math.inf
        """When the present stream of the receiver began to be shown."""
        self._has_begun = False
        self._tells_points = False
        self._begins_anywhere = False
        """The remuxer is in a transcoder service of before the points: each piece begins with
        one."""

    @property
    def state(self) -> State:
        """What it does."""
        if self._state is State.RUNNING and not self.viewers:
            return State.LINGERING
        return self._state

    @property
    def generation(self) -> int:
        """Number of seams so far."""
        return self.ring.generation

    @property
    def is_stale(self) -> bool:
        """Whether nothing came for so long that nobody should begin with it."""
        newest_s = self.ring.newest_at_s
        return newest_s is not None and self._means.now() - newest_s > STALE_S

    @property
    def may_linger(self) -> bool:
        """Whether it would serve a viewer who comes after the last one has left."""
        return (
            self._remuxer is not None
            # It would rush by, and the next viewer begin somewhere in it.
            and not self._is_file
            and self._state in (State.OPENING, State.RUNNING)
        )

    @property
    def _scrambled_s(self) -> float:
        since_s = self._scrambled_since_s
        return 0.0 if since_s is None else self._means.now() - since_s

    def begin(self, evicted: "Sequence[Upstream]", on_end: "Callable[[Upstream], None]") -> None:
        """Begin to run, with a lease that was granted. `evicted` are stopped first, and `on_end` is
        called when everything was given back."""
        for other in evicted:
            other.end()
        self._task = asyncio.create_task(self._run(evicted))
        # A task that is cancelled before its first step runs nothing of its own.
        self._task.add_done_callback(lambda _: self._ended())
        self._task.add_done_callback(lambda _: on_end(self))

    def end(self) -> None:
        """Begin to stop. From now on it takes no more viewers."""
        if self._state is not State.ENDED:
            self._state = State.ENDED
            self._means.ledger.closing(self)
            if self._task is not None:
                self._task.cancel()

    async def stop(self) -> None:
        """Stop, and wait until everything is given back. It stops if this is cancelled, too."""
        self.end()
        if self._task is not None:
            await asyncio.wait({self._task})

    def note_watched(self, *, viewers: int = 0, making_way: int = 0) -> None:
        """Count viewers who came (or left, if negative), and readers of theirs that make way for
        another channel. The ledger learns whether the tuner may be taken."""
        was_watched = self.viewers > self._making_way
        self.viewers += viewers
        self._making_way += making_way
        is_watched = self.viewers > self._making_way
        if self._state is State.ENDED or is_watched is was_watched:
            return
        if is_watched:
            self._means.ledger.watched(self)
        elif self.viewers:
            self._means.ledger.lingers(self)

    async def stats(self) -> RemuxStats:
        """Return the counters of the present remuxer; raises `BackendError`."""
        return RemuxStats() if self._remuxer is None else await self._remuxer.stats()

    async def reader(self, *, from_oldest: bool = False) -> UpstreamReader:
        """Return a new reader, once there is a point where it can begin: the newest, or with
        `from_oldest` the oldest that is kept.

        Raises what ended the upstream, or why nobody can begin: `ReceiverError`, `BackendError`.
        """
        if self._state is State.RUNNING and self.ring.newest_point() is None:
            first_output_s = self._means.first_output_s
            try:
                async with asyncio.timeout(first_output_s):
                    return await self._next_reader(from_oldest)
            except TimeoutError as error:
                raise _silence(first_output_s) from error
        return await self._next_reader(from_oldest)

    async def _next_reader(self, from_oldest: bool) -> UpstreamReader:
        ring = self.ring
        kept_point = ring.oldest_point if from_oldest else ring.newest_point
        has_waited = self._state is not State.RUNNING
        while True:
            if self._state is State.RUNNING or ring.is_closed:
                # Who waited for the beginning gets all of it, though it may be over by now.
                point = ring.first_point(self._base) if has_waited else kept_point()
                if point is not None and self._has_begun:
                    return UpstreamReader(self, point, self._means.make_joiner)
                if ring.is_closed:
                    raise (ring.error or _nothing_shown()).with_traceback(None)
                if self._scrambled_s >= self._means.scrambled_after_s:
                    raise _scrambled()
            await ring.changed()

    async def _run(self, evicted: "Sequence[Upstream]") -> None:
        try:
            for other in evicted:
                await other._is_freed.wait()
            await self._stream()
        except (ReceiverError, BackendError) as error:
            self._error = error
        except Exception as error:
            log.exception("stream broke", channel=self.service.channel_id)
            self._error = error

    def _ended(self) -> None:
        self._state = State.ENDED
        self._is_freed.set()
        self._means.ledger.release(self)
        self.ring.close(self._error)

    async def _stream(self) -> None:
        """Stream until the receiver's stream is lost for good. Raises why, unless it just ended."""
        outage: _Outage | None = None
        while True:
            loss: ReceiverError | None = None
            self._begun_at_s = math.inf
            left_s = None if outage is None else outage.left_s(self._means.now())
            try:
                async with asyncio.timeout(left_s) as attempt:
                    await self._session(attempt)
            except FileOverError:
                # Opened again, it would begin anew.
                if not self._has_begun:
                    raise
                return
            except ReceiverError as error:
                if not self._has_begun:
                    raise
                loss = error
            except BackendError:
                if outage is None or self._begun_at_s < math.inf:
                    raise
            except TimeoutError:
                pass
            now_s = self._means.now()
            if outage is None or now_s - self._begun_at_s >= STEADY_S:
                outage = _Outage(loss, now_s, self._means.reconnect_s)
            delay_s = outage.next_delay_s()
            if not self.viewers or delay_s >= outage.left_s(now_s):
                if outage.loss is not None:
                    raise outage.loss
                return
            await self._await_reconnection(outage, delay_s)

    async def _await_reconnection(self, outage: "_Outage", delay_s: float) -> None:
        if self._state is State.RUNNING:
            log.warning(
                "stream lost, reconnecting",
                channel=self.service.channel_id,
                reason=str(outage.loss or "the receiver ended it"),
            )
        self._state = State.RECONNECTING
        if self.ring.end > self._base:
            self.ring.seam()
            self._base = self.ring.end
        self._scrambled_since_s = None
        self._is_over = False
        # What the viewers wait for now is the receiver.
        self._freeze.sent()
        await self._means.sleep(delay_s)

    async def _session(self, attempt: asyncio.Timeout) -> None:
        """Open a stream of the receiver and pass it on until it ends. Raises `ReceiverError` and
        `BackendError`."""
        async with AsyncExitStack() as stack:
            # The receiver's stream is closed before: the tuner is what others wait for.
            stack.push_async_callback(self._close_remuxer)
            source = await stack.enter_async_context(self._source())
            self._is_file = isinstance(source, FileSource)
            generation = GENERATION_STEP * self.generation
            remuxer = await self._means.backend.open(replace(self.options, generation=generation))
            self._remuxer = remuxer
            try:
                await self._await_point(source, remuxer)
                attempt.reschedule(None)
                self._note_begin()
                while not self._is_over:
                    await self._pass_on(source, remuxer)
            except ReceiverError:
                if self._has_begun:
                    self._put(await remuxer.finish())
                raise

    @asynccontextmanager
    async def _source(self) -> AsyncIterator[LiveSource]:
        """Open the receiver's stream, asking again for as long as the ledger says so."""
        ledger = self._means.ledger
        try:
            async with AsyncExitStack() as stack:
                while True:
                    try:
                        source = await stack.enter_async_context(self.receiver.open(self.service))
                        break
                    except (NoTunerError, UnknownServiceError):
                        again = ledger.refused(self)
                        if again is None:
                            raise
                        for other in again.holders:
                            other.end()
                        for other in again.holders:
                            await other._is_freed.wait()
                        await self._means.sleep(again.wait_s)
                ledger.began(self)
                yield source
        finally:
            ledger.lost(self)
            if self._state is State.ENDED:
                self._is_freed.set()

    async def _close_remuxer(self) -> None:
        remuxer, self._remuxer = self._remuxer, None
        if remuxer is not None:
            await remuxer.aclose()

    async def _await_point(self, source: LiveSource, remuxer: Remuxer) -> None:
        """Pass the stream on until there is a point where a reader can begin. Raises
        `ScrambledError`, `TimeLimitError` or `NoSignalError` if none comes."""
        now = asyncio.get_running_loop().time
        first_output_s = self._means.first_output_s
        began_s, scrambled_until_s = now(), 0.0
        was_scrambled = has_pictures = False
        try:
            async with asyncio.timeout(first_output_s) as deadline:
                while self.ring.first_point(self._base) is None:
                    if self._is_over:
                        raise _nothing_shown()
                    await self._pass_on(source, remuxer)
                    is_scrambled = self._scrambled_since_s is not None
                    if is_scrambled and not was_scrambled:
                        scrambled_until_s = scrambled_until_s or (
                            now() + self._means.scrambled_after_s
                        )
                        deadline.reschedule(scrambled_until_s)
                    elif was_scrambled and not is_scrambled:
                        deadline.reschedule(now() + PATIENCE_S + first_output_s)
                    elif not has_pictures and self.ring.end - self._base >= PICTURES_BYTES:
                        has_pictures = True
                        if not is_scrambled:
                            deadline.reschedule(began_s + PATIENCE_S + first_output_s)
                    elif has_pictures and now() - began_s > PATIENCE_S + 1:
                        self._begins_anywhere = not self._tells_points
                    was_scrambled = is_scrambled
        except TimeoutError as error:
            if was_scrambled:
                raise _scrambled() from error
            raise _silence(first_output_s) from error

    def _note_begin(self) -> None:
        if self._has_begun:
            self.reconnections += 1
            self._means.metrics.reconnections.inc()
            log.info("stream reconnected", channel=self.service.channel_id)
        self._has_begun = True
        self._begun_at_s = self._means.now()
        self._state = State.RUNNING
        # Those who wait for the state.
        self.ring.append(b"")

    async def _pass_on(self, source: LiveSource, remuxer: Remuxer) -> None:
        """Read from the receiver, and put what comes of it into the ring."""
        if self.service.path:
            await self._await_readers()
        asked_s = self._means.now()
        chunk = await source.read()
        self._freeze.received(self._means.now() - asked_s)
        self._means.metrics.bytes_in.inc(len(chunk))
        if chunk:
            self._put(await self._timed(remuxer.process(chunk)))
        else:
            self._is_over = True
            self._put(await remuxer.finish())

    async def _await_readers(self) -> None:
        """Wait while even the fastest reader is far behind.

        What comes from the web may be a file, which would come as fast as the network allows.
        """
        # Polled, so that readers have nobody to wake.
        while (  # noqa: ASYNC110
            self.readers and min(it.unread_bytes for it in self.readers) > AHEAD_BYTES
        ):
            await asyncio.sleep(AHEAD_LOOK_S)

    def _put(self, piece: Piece) -> None:
        points = piece.points
        if points:
            self._tells_points = True
        elif self._begins_anywhere:
            points = (Point(offset=self.ring.end - self._base, kind=PointKind.ENTRY, program=0),)
        if points and self._base:
            points = tuple(replace(it, offset=it.offset + self._base) for it in points)
        self.ring.append(piece.data, points)
        for point in points:
            if point.kind is PointKind.SCRAMBLED:
                self.ring.forget_points(before=point.offset)
                if self._scrambled_since_s is None:
                    self._scrambled_since_s = self._means.now()
            elif point.kind is PointKind.CLEAR:
                self._scrambled_since_s = None

    async def _timed(self, converting: Awaitable[Piece]) -> Piece:
        """Await what comes of input, and tell for how long the viewers have waited for it."""
        piece = None
        try:
            piece = await converting
        finally:
            if piece is None or piece.data:
                frozen_s = self._freeze.sent()
                if frozen_s is not None and self._has_begun:
                    self._tell_freeze(frozen_s)
        return piece

    def _tell_freeze(self, frozen_s: float) -> None:
        self.freezes += 1
        for reader in self.readers:
            self._means.metrics.freeze_s.observe(frozen_s)
            reader.on_freeze(frozen_s)


class _Outage:
    """A time in which the receiver's stream is lost, or comes back only to be lost again."""

    def __init__(self, loss: ReceiverError | None, began_s: float, limit_s: float) -> None:
        self.loss = loss
        """None if the receiver just ended it."""
        self._until_s = began_s + limit_s
        self._delays_s = iter(RECONNECT_DELAYS_S)

    def left_s(self, now_s: float) -> float:
        """Return how much longer to try."""
        return max(0.0, self._until_s - now_s)

    def next_delay_s(self) -> float:
        """Return how long to wait before the next attempt."""
        return next(self._delays_s, RECONNECT_DELAYS_S[-1])


def _scrambled() -> ScrambledError:
    return ScrambledError(
        "the receiver does not descramble this channel: check its card or softcam"
    )


def _silence(limit_s: float) -> TimeLimitError:
    return TimeLimitError(f"nothing of this service came from the receiver for {limit_s:g} s")


def _nothing_shown() -> NoSignalError:
    return NoSignalError("the receiver's stream ended before anything could be shown")

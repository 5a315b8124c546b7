"""The conversion of one stream of the receiver: through a remuxer into the ring."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from prometheus_client import Counter

from xg2g_backends.base import Piece, Point, PointKind, Remuxer, RemuxStats

from ..receiver.errors import NoSignalError, ReceiverError, ScrambledError, TimeLimitError
from ..receiver.stream import LiveSource
from .ring import Ring

RANDOM_ACCESS_S: Final = 5.0
"""Longest time between two random access points (TS 101 154). After it the remuxer also reports
entries, where some viewers can begin."""
PICTURES_BYTES: Final = 64 * 1024
"""Output of this size is more than tables: pictures arrive, but no random access point yet."""
FREEZE_S: Final = 0.5
"""Shortest freeze that viewers see: players have buffered more than this."""
STALL_S: Final = 0.25
"""Shortest pause of the receiver that is not counted as a freeze of the conversion."""


class FileSource:
    """A source that is a file: it starts from the beginning each time it is opened, and loses
    nothing while nobody reads it. Its end raises `FileOverError`."""


@dataclass(slots=True, kw_only=True)
class StartLimits:
    """How long a stream may take to show something."""

    first_output_s: float
    """For a stream that arrives and gives no output: garbage, or another service."""
    scrambled_after_s: float
    """For a scrambled stream: a softcam may need some seconds for its key."""


@dataclass(slots=True)
class PointSupport:
    """Whether a channel's remuxers tell points: a transcoder service of an older version does not.
    It is known from the first of them on."""

    is_seen: bool = False
    is_missing: bool = False
    """Viewers begin with any piece of output."""


class FreezeTimer:
    """Times freezes: output that does not come although input does."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock."""
        self._now = now
        self._since_s: float | None = None

    def received(self, waited_s: float) -> None:
        """Note input. `waited_s` is how long the receiver made it wait."""
        if self._since_s is None:
            self._since_s = self._now()
        elif waited_s >= STALL_S:
            self._since_s += waited_s

    def sent(self) -> float | None:
        """Note output, or its failure. Return the length of the freeze that it ends, in seconds;
        None if viewers saw none."""
        since_s, self._since_s = self._since_s, None
        frozen_s = self._now() - since_s if since_s is not None else 0.0
        return frozen_s if frozen_s >= FREEZE_S else None


class Conversion:
    """Reads a stream of the receiver, and writes the remuxer's output into the ring.

    Call `await_point`, then `run`, then `finish`.
    """

    def __init__(
        self,
        ring: Ring,
        source: LiveSource,
        remuxer: Remuxer,
        *,
        point_support: PointSupport,
        bytes_in: Counter,
        on_freeze: Callable[[float], None],
        before_read: Callable[[], Awaitable[None]] | None = None,
        now: Callable[[], float],
    ) -> None:
        """`point_support` is the channel's, `bytes_in` counts input, `on_freeze` is called with the
        seconds of each freeze, and `before_read` is awaited before each read. `now` is a monotonic
        clock."""
        self.is_file = isinstance(source, FileSource)
        self._ring = ring
        self._base = ring.end
        """Offset in the ring where the remuxer's output begins."""
        self._source = source
        self._remuxer = remuxer
        self._point_support = point_support
        self._bytes_in = bytes_in
        self._on_freeze = on_freeze
        self._before_read = before_read
        self._now = now
        self._freeze = FreezeTimer(now)
        self._is_over = False
        """The receiver's stream has ended."""
        self._scrambled_since_s: float | None = None

    @property
    def scrambled_s(self) -> float:
        """How long the stream has been scrambled; 0 while it is clear."""
        since_s = self._scrambled_since_s
        return 0.0 if since_s is None else self._now() - since_s

    async def stats(self) -> RemuxStats:
        """Return the remuxer's counters. Raises `BackendError`."""
        return await self._remuxer.stats()

    async def await_point(self, limits: StartLimits) -> None:
        """Convert until there is a point where a reader can begin. Raises `ScrambledError`,
        `TimeLimitError` or `NoSignalError` if none comes."""
        now = asyncio.get_running_loop().time
        began_s, scrambled_until_s = now(), 0.0
        was_scrambled = has_pictures = False
        try:
            async with asyncio.timeout(limits.first_output_s) as deadline:
                while self._ring.first_point(self._base) is None:
                    if self._is_over:
                        raise no_output()
                    await self._convert_next()
                    is_scrambled = self._scrambled_since_s is not None
                    if is_scrambled and not was_scrambled:
                        scrambled_until_s = scrambled_until_s or now() + limits.scrambled_after_s
                        deadline.reschedule(scrambled_until_s)
                    elif was_scrambled and not is_scrambled:
                        deadline.reschedule(now() + RANDOM_ACCESS_S + limits.first_output_s)
                    elif not has_pictures and self._ring.end - self._base >= PICTURES_BYTES:
                        has_pictures = True
                        if not is_scrambled:
                            deadline.reschedule(began_s + RANDOM_ACCESS_S + limits.first_output_s)
                    elif has_pictures and now() - began_s > RANDOM_ACCESS_S + 1:
                        self._point_support.is_missing = not self._point_support.is_seen
                    was_scrambled = is_scrambled
        except TimeoutError as error:
            if was_scrambled:
                raise scrambled() from error
            raise silence(limits.first_output_s) from error

    async def run(self) -> None:
        """Convert until the receiver's stream ends. Raises `ReceiverError` and `BackendError`."""
        while not self._is_over:
            await self._convert_next()

    async def finish(self) -> None:
        """Put what the remuxer still holds into the ring. Raises `BackendError`."""
        self._put(await self._remuxer.finish())

    async def _convert_next(self) -> None:
        if self._before_read is not None:
            await self._before_read()
        began_s = self._now()
        chunk = await self._source.read()
        self._freeze.received(self._now() - began_s)
        self._bytes_in.inc(len(chunk))
        if chunk:
            self._put(await self._timed(self._remuxer.process(chunk)))
        else:
            self._is_over = True
            await self.finish()

    async def _timed(self, converting: Awaitable[Piece]) -> Piece:
        """Await output, and report the freeze that it ends."""
        piece = None
        try:
            piece = await converting
        finally:
            if piece is None or piece.data:
                frozen_s = self._freeze.sent()
                if frozen_s is not None:
                    self._on_freeze(frozen_s)
        return piece

    def _put(self, piece: Piece) -> None:
        points = piece.points
        if points:
            self._point_support.is_seen = True
        elif self._point_support.is_missing:
            points = (Point(offset=self._ring.end - self._base, kind=PointKind.ENTRY, program=0),)
        if points and self._base:
            points = tuple(replace(it, offset=it.offset + self._base) for it in points)
        self._ring.append(piece.data, points)
        for point in points:
            if point.kind is PointKind.SCRAMBLED:
                self._ring.forget_points(before=point.offset)
                if self._scrambled_since_s is None:
                    self._scrambled_since_s = self._now()
            elif point.kind is PointKind.CLEAR:
                self._scrambled_since_s = None


def scrambled() -> ReceiverError:
    """Return the error of a channel that stays scrambled."""
    return ScrambledError(
        "the receiver does not descramble this channel: check its card or softcam"
    )


def silence(limit_s: float) -> ReceiverError:
    """Return the error of a channel without output for `limit_s`."""
    return TimeLimitError(f"the receiver sent nothing of this channel for {limit_s:g} s")


def no_output() -> ReceiverError:
    """Return the error of a stream that ended before its first output."""
    return NoSignalError("the receiver's stream ended before anything could be shown")

"""The ring: the last seconds of an upstream's output, which all its readers share."""

import asyncio
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from xg2g_backends.base import Point, PointKind

RING_S: Final = 10.0
"""How long output is kept. A reader that is further behind goes on at a later join point."""
RING_BYTES: Final = 24 * 1024 * 1024
"""Largest size of the kept output: 10 s at 20 Mbit/s."""
POINT_S: Final = 20.0
"""How long the newest join point is kept, with the output behind it, while `RING_BYTES` allow."""

POINTS_KEPT: Final = 256
"""Most join points that are kept: a stream may have one in each packet."""

JOIN_KINDS: Final = frozenset({PointKind.RANDOM_ACCESS, PointKind.ENTRY})
"""Kinds of points where a reader can begin."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of output, as it came from the remuxer."""

    data: bytes
    offset: int
    """Number of bytes before it, since the ring began."""
    at_s: float
    """When it came."""
    generation: int
    """Number of seams before it."""


@dataclass(frozen=True, slots=True)
class _Join:
    point: Point
    at_s: float


class Ring:
    """The newest output, in chunks, with the points where a reader can begin.

    Offsets count the bytes of output since the ring began; `Point.offset` is one of them. Nothing
    is copied: readers get the chunks themselves.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        kept_s: float = RING_S,
        kept_bytes: int = RING_BYTES,
        point_s: float = POINT_S,
    ) -> None:
        """`now` is a monotonic clock."""
        self.now = now
        self.end = 0
        """Offset behind the newest byte."""
        self.generation = 0
        """Number of seams so far."""
        self.seam_offset = 0
        """Offset of the newest seam; 0 before the first."""
        self.is_closed = False
        self.error: Exception | None = None
        """Why the ring was closed; None if the stream just ended."""
        self._kept_s = kept_s
        self._kept_bytes = kept_bytes
        self._point_s = point_s
        self._chunks: deque[Chunk] = deque()
        self._first = 0
        self._joins: list[_Join] = []
        self._joins_from = 0
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def start(self) -> int:
        """Offset of the oldest byte that is kept."""
        return self._chunks[0].offset if self._chunks else self.end

    @property
    def kept_bytes(self) -> int:
        """Size of the kept output."""
        return self.end - self.start

    @property
    def kept_s(self) -> float:
        """Time between the oldest and the newest chunk that is kept."""
        return self._chunks[-1].at_s - self._chunks[0].at_s if self._chunks else 0.0

    @property
    def newest_at_s(self) -> float | None:
        """When the newest chunk came; None before the first."""
        return self._chunks[-1].at_s if self._chunks else None

    def append(self, data: bytes, points: Iterable[Point] = ()) -> None:
        """Add output and the points that were found with it, and wake the readers.

        A point may lie in earlier output. It is ignored when that is no longer kept.
        """
        now_s = self.now()
        if data:
            self._chunks.append(Chunk(data, self.end, now_s, self.generation))
            self.end += len(data)
        for point in points:
            if point.kind in JOIN_KINDS and point.offset >= max(self.start, self._joins_from):
                insort(self._joins, _Join(point, now_s), key=_offset)
        del self._joins[:-POINTS_KEPT]
        self._trim(now_s)
        self._wake()

    def seam(self) -> None:
        """Mark that the output from here on does not continue the output before it. Two seams
        without output in between are one."""
        if self.end > self.seam_offset:
            self.generation += 1
            self.seam_offset = self.end

    def close(self, error: Exception | None = None) -> None:
        """Mark the end of the output. Readers that have read it all get `error` raised."""
        if not self.is_closed:
            self.is_closed, self.error = True, error
            self._wake()

    def newest_point(self) -> Point | None:
        """Return the point for a reader that wants to be as close to the end as possible.

        A random access point comes before any other.
        """
        newest = None
        for join in reversed(self._joins):
            if join.point.kind is PointKind.RANDOM_ACCESS:
                return join.point
            newest = newest or join.point
        return newest

    def oldest_point(self) -> Point | None:
        """Return the point for a reader that wants as much of the kept output as possible.

        A random access point comes before any other.
        """
        points = [join.point for join in self._joins]
        random = (point for point in points if point.kind is PointKind.RANDOM_ACCESS)
        return next(random, points[0] if points else None)

    def first_point(self, offset: int) -> Point | None:
        """Return the first join point at or behind an offset."""
        return next((it.point for it in self._joins if it.point.offset >= offset), None)

    def forget_points(self, before: int) -> None:
        """Forget the join points before an offset, also those that are still to be appended."""
        self._joins_from = before
        self._joins = [join for join in self._joins if join.point.offset >= before]

    @property
    def first_number(self) -> int:
        """Number of the oldest chunk that is kept, or of the next one to come."""
        return self._first

    def number_at(self, offset: int) -> int:
        """Return the number of the chunk that holds this offset, or of the next one to come."""
        for back, chunk in enumerate(reversed(self._chunks), 1):
            if chunk.offset <= offset:
                behind = offset >= chunk.offset + len(chunk.data)
                return self._first + len(self._chunks) - back + behind
        return self._first

    def chunk(self, number: int) -> Chunk | None:
        """Return the chunk of a number; None if it has not come yet.

        Raises `IndexError` if it is no longer kept.
        """
        index = number - self._first
        if index >= len(self._chunks):
            return None
        if index < 0:
            raise IndexError(number)
        return self._chunks[index]

    def changed(self) -> asyncio.Future[None]:
        """Return a future that is done when something is appended or the ring is closed."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def _trim(self, now_s: float) -> None:
        self._joins = [join for join in self._joins if join.at_s >= now_s - self._point_s]
        newest = self.newest_point()
        keep_from = self.end if newest is None else newest.offset
        chunks = self._chunks
        while len(chunks) > 1 and (
            self.kept_bytes > self._kept_bytes
            or (chunks[0].at_s < now_s - self._kept_s and chunks[1].offset <= keep_from)
        ):
            chunks.popleft()
            self._first += 1
        start = self.start
        if self._joins and self._joins[0].point.offset < start:
            self.forget_points(start)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _offset(join: _Join) -> int:
    return join.point.offset

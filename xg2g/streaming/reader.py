"""A reader: the place of one viewer in a ring."""

from collections.abc import Callable
from typing import Protocol

from xg2g_backends.base import Point

from .ring import Ring


class Joining(Protocol):
    """Cuts the beginning of a stream at a point; `xg2g_backends.joining.Joiner` is one."""

    @property
    def is_over(self) -> bool:
        """Whether `take` returns its input from now on."""
        ...

    def take(self, data: bytes) -> bytes:
        """Return what is left of the next output. The first output begins at the point."""
        ...

    def close(self) -> None:
        """Free its memory."""
        ...


class MakeJoiner(Protocol):
    """Makes a `Joining` that begins at a point."""

    def __call__(self, point: Point, *, after_gap: bool = False) -> Joining:
        """`after_gap` is True when the reader has read other output before."""
        ...


class Reader:
    """A cursor in a ring.

    A reader never blocks the ring or another reader. Two readers that begin at the same point
    read the same bytes. At a seam, and where the ring has let go of what comes next, a reader goes
    on at a later join point, and marks the discontinuity.
    """

    on_freeze: Callable[[float], None]
    """Called with the seconds for which no output came although the receiver sent."""
    on_skip: Callable[[int], None]
    """Called with the number of bytes left out, whenever the reader fell behind the ring."""

    def __init__(self, ring: Ring, point: Point, make_joiner: MakeJoiner) -> None:
        """Begin at a join point of the ring."""
        self.on_freeze = lambda frozen_s: None
        self.on_skip = lambda skipped_bytes: None
        self.skips = 0
        """How often the reader fell behind the ring."""
        self.skipped_bytes = 0
        self.bytes_out = 0
        self._ring = ring
        self._make_joiner = make_joiner
        self._joiner: Joining | None = None
        self._number = 0
        """Number of the next chunk to read."""
        self._from = point.offset
        """Offset of the next byte to read."""
        self._generation = 0
        self._waits_from: int | None = None
        """Offset from which on the reader waits for the next join point; None while it reads."""
        self._has_skipped = False
        self._begin(point, after_gap=False)

    @property
    def lag_s(self) -> float:
        """How long the next output has waited to be read."""
        chunk = self._ring.chunk(max(self._number, self._ring.first_number))
        return 0.0 if chunk is None else max(0.0, self._ring.now() - chunk.at_s)

    @property
    def unread_bytes(self) -> int:
        """Size of the output that was not read yet; 0 while the reader waits for a join point:
        more output has to come then."""
        return 0 if self._waits_from is not None else max(0, self._ring.end - self._from)

    async def read(self) -> bytes:
        """Return the next output, at least a byte; `b""` once the ring is closed.

        Raises the error that closed the ring, once everything before it was read. Nothing is lost
        when this is cancelled.
        """
        while not (data := self._next()):
            if data is not None:
                continue
            if self._ring.is_closed:
                if self._ring.error is not None:
                    raise self._ring.error.with_traceback(None)
                return b""
            await self._ring.changed()
        self.bytes_out += len(data)
        return data

    def close(self) -> None:
        """Free the joiner's memory."""
        joiner, self._joiner = self._joiner, None
        if joiner is not None:
            joiner.close()

    def _next(self) -> bytes | None:
        """Return what is left of the next chunk, maybe nothing; None if the chunk has not come."""
        if self._waits_from is not None and not self._go_on():
            return None
        try:
            chunk = self._ring.chunk(self._number)
        except IndexError:
            self._skip()
            return b""
        if chunk is None:
            return None
        if chunk.generation != self._generation:
            # Output between a seam and the first point behind it cannot be decoded.
            self._waits_from = chunk.offset
            return b""
        data = chunk.data[self._from - chunk.offset :] if self._from > chunk.offset else chunk.data
        self._number += 1
        self._from = chunk.offset + len(chunk.data)
        return data if self._joiner is None else self._joined(data, self._joiner)

    def _joined(self, data: bytes, joiner: Joining) -> bytes:
        data = joiner.take(data)
        if joiner.is_over:
            self.close()
        return data

    def _skip(self) -> None:
        self.skips += 1
        self._has_skipped = True
        newest = self._ring.newest_point()
        self._waits_from = self._ring.end if newest is None else newest.offset

    def _go_on(self) -> bool:
        """Go on at the awaited join point. Return False if it has not come."""
        assert self._waits_from is not None
        point = self._ring.first_point(self._waits_from)
        if point is None:
            return False
        if self._has_skipped:
            skipped_bytes = point.offset - self._from
            self.skipped_bytes += skipped_bytes
            self.on_skip(skipped_bytes)
        self._begin(point, after_gap=True)
        return True

    def _begin(self, point: Point, *, after_gap: bool) -> None:
        self.close()
        self._joiner = self._make_joiner(point, after_gap=after_gap)
        self._from = point.offset
        self._number = self._ring.number_at(point.offset)
        chunk = self._ring.chunk(self._number)
        self._generation = self._ring.generation if chunk is None else chunk.generation
        self._waits_from = None
        self._has_skipped = False

"""Joining a running stream at one of its points."""

from types import TracebackType
from typing import Self
from weakref import finalize

from .base import Point
from .embedded.shared_library import shared_library
from .errors import ClosedError


class Joiner:
    """A filter that turns a remuxer's output from a point on into a stream that begins there.

    Its output begins with the point's tables, followed by the packets of each PID from its next
    access unit on. Audio of more than a second before the point is dropped, and so are pictures
    that do not decode for a viewer who starts there. Two joiners of one point return the same
    bytes, for any split of the input.

    >>> def join(point: Point, output: bytes) -> bytes:
    ...     # `output`: a remuxer's whole output so far.
    ...     with Joiner(point) as joiner:
    ...         return joiner.take(output[point.offset :])

    A joiner runs in this process, whichever backend made the stream. It is a context manager;
    garbage collection closes it as well.
    """

    def __init__(self, point: Point, *, after_gap: bool = False) -> None:
        """Prepare to begin at `point`, a random access point or an entry.

        `after_gap`: the reader has already read an earlier part of this stream. The first packet of
        each PID then signals a discontinuity.

        Raises `UnavailableError` when the library does not load, `InvalidArgumentError` for another
        kind of point.
        """
        self._library = shared_library()
        self._handle: int | None = self._library.open_joiner(point, after_gap=after_gap)
        self._close = finalize(self, self._library.free_joiner, self._handle)
        self._room = 2 * len(point.tables)
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """True once `take` returns its input unchanged; it need not be called any more."""
        return self._is_over

    def take(self, data: bytes) -> bytes:
        """Filter the stream's next bytes. The first call's begin at the point.

        Raises `ClosedError` after `close`.
        """
        if self._handle is None:
            raise ClosedError("the joiner is closed")
        if self._is_over:
            return data
        output = self._library.join(self._handle, data, self._room)
        self._room = 0
        self._is_over = self._library.has_joined(self._handle)
        return output

    def close(self) -> None:
        """Free the memory. Closing again does nothing."""
        self._handle = None
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

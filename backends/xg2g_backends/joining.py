"""Beginning in the middle of a stream: at one of its points."""

from types import TracebackType
from typing import Self
from weakref import finalize

from .base import Point
from .embedded.library import shared_library
from .errors import ClosedError


class Joiner:
    """Turns a remuxer's output from a point on into a stream that begins there.

    What leaves first is the point's tables, then the packets of each PID from its next unit on.
    Sound that belongs more than a second before the point is left out, and so are pictures that do
    not decode for who begins there. Two joiners of one point give the same bytes, and any split of
    the input does.

    It runs in this process, whichever backend made the stream. A context manager; forgetting it
    closes it too.
    """

    def __init__(self, point: Point, *, after_gap: bool = False) -> None:
        """Prepare to begin at `point`, a random access point or an entry.

        `after_gap`: the reader has read something else of this stream before. The first packet of
        each PID is then announced as not following that.

        Raises `UnavailableError` when the library does not load, `InvalidArgumentError` when nobody
        can begin at such a point.
        """
        self._library = shared_library()
        self._handle: int | None = self._library.open_joiner(point, after_gap=after_gap)
        self._close = finalize(self, self._library.free_joiner, self._handle)
        self._room = 2 * len(point.tables)
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether `take` returns whatever it is given: it need not be called any more."""
        return self._is_over

    def take(self, data: bytes) -> bytes:
        """Return what leaves of the stream's next bytes; those of the first call begin at the
        point.

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
        """Give the memory back. Closing again does nothing."""
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

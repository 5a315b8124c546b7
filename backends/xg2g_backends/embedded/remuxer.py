"""The owner of one handle of the library."""

import asyncio
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import Final, Self

from ..base import Piece, RemuxStats
from ..errors import ClosedError
from .library import Library

HOLD_S: Final = 0.0008
"""The longest that a call is expected to take on the event loop: with what estimates miss, less
than a millisecond."""

UNKNOWN_BYTES: Final = 8 * 1024
"""What is converted on the event loop of a stream of which nothing is known yet."""

_LEAST_BYTES: Final = 4 * 1024
"""Smaller chunks are judged as if they had this size: a frame of sound that becomes whole costs the
same whether it came with 188 bytes or with all of its own."""

_FORGOTTEN: Final = 0.9
"""What is left of the dearest call after each further one."""


class EmbeddedRemuxer:
    """Converts one stream in this process. Made by `EmbeddedBackend.open`.

    Calls that are expected to be short are made on the event loop, others on a worker thread:
    docs/design/embedded-backend.md has the measurements.

    The handle is freed once, by the last one out: by `aclose`, or when the call that is inside
    the library then has returned. A call that is cancelled ends only when it has returned, which
    takes milliseconds: a thread cannot be cancelled.
    """

    def __init__(
        self,
        library: Library,
        handle: int,
        workers: Executor,
        *,
        worked_s: Callable[[], float] = time.thread_time,
    ) -> None:
        """`worked_s` is the CPU time of the thread that asks; for tests."""
        self._library = library
        self._handle: int | None = handle
        self._workers = workers
        self._worked_s = worked_s
        self._cost = CallCost()
        self._lock = asyncio.Lock()
        self._inside: asyncio.Future[Piece] | None = None
        self._closed = False

    async def process(self, chunk: bytes) -> Piece:
        async with self._lock:
            handle = self._open_handle()
            if self._cost.is_short(len(chunk)):
                return self._processed(handle, chunk)
            loop = asyncio.get_running_loop()
            self._inside = loop.run_in_executor(self._workers, self._processed, handle, chunk)
            self._inside.add_done_callback(self._left)
            return await _to_the_end(self._inside)

    async def finish(self) -> Piece:
        async with self._lock:
            handle = self._open_handle()
            return Piece(self._library.finish(handle), self._library.points(handle))

    async def stats(self) -> RemuxStats:
        async with self._lock:
            return RemuxStats.from_json(self._library.stats(self._open_handle()))

    async def aclose(self) -> None:
        self._closed = True
        if self._inside is None:
            self._free()
        else:
            await asyncio.wait((self._inside,))

    @property
    def closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=1)
            # A call that is inside would hold on to this object.
            self._free()

    def _open_handle(self) -> int:
        if self._closed or self._handle is None:
            raise ClosedError("the remuxer is closed")
        return self._handle

    def _processed(self, handle: int, chunk: bytes) -> Piece:
        """Call the library, on whichever thread; nobody else is inside meanwhile."""
        began_s = self._worked_s()
        piece = Piece(self._library.process(handle, chunk), self._library.points(handle))
        self._cost.learn(len(chunk), self._worked_s() - began_s)
        return piece

    def _left(self, _: asyncio.Future[Piece]) -> None:
        self._inside = None
        if self._closed:
            self._free()

    def _free(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._library.free(handle)


class CallCost:
    """The cost of one stream, in CPU time for each byte: that of its dearest recent call."""

    def __init__(self) -> None:
        self._s_per_byte = HOLD_S / UNKNOWN_BYTES

    def is_short(self, size: int) -> bool:
        """Return True if a call with so many bytes may be made on the event loop."""
        return self._s_per_byte * max(size, _LEAST_BYTES) <= HOLD_S

    def learn(self, size: int, took_s: float) -> None:
        """Take a finished call into account; `took_s` is CPU time of the thread that made it."""
        per_byte = took_s / max(size, _LEAST_BYTES)
        self._s_per_byte = max(per_byte, self._s_per_byte * _FORGOTTEN)


async def _to_the_end(call: asyncio.Future[Piece]) -> Piece:
    """Wait for a call through every cancellation, and only then be cancelled."""
    cancelled: asyncio.CancelledError | None = None
    while not call.done():
        try:
            await asyncio.wait((call,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        call.exception()
        raise cancelled
    return call.result()

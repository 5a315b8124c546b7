"""A remuxer of the library in this process."""

import asyncio
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import Final, Self

from ..base import Piece, RemuxStats
from ..errors import ClosedError
from .shared_library import Library

HOLD_S: Final = 0.0008
"""Longest expected time of a call on the event loop. With the error of the estimate it stays below
a millisecond."""

UNKNOWN_BYTES: Final = 8 * 1024
"""Longest chunk that is converted on the event loop before the stream's cost is known."""

_LEAST_BYTES: Final = 4 * 1024
"""Size assumed for smaller chunks. Completing an audio frame costs the same whether its last 188
bytes arrive or the whole frame."""

_DECAY: Final = 0.9
"""Factor by which the highest cost decays with each call."""


class EmbeddedRemuxer:
    """A remuxer of one stream in this process. Made by `EmbeddedBackend.open`.

    Calls that are expected to be short run on the event loop, others on a worker thread:
    docs/design/embedded-backend.md has the measurements.

    The handle is freed once: by `aclose`, or when the call that is running at that time has
    returned. A cancelled call ends when the library returns, after milliseconds: a thread cannot be
    cancelled.
    """

    def __init__(
        self,
        library: Library,
        handle: int,
        workers: Executor,
        *,
        worked_s: Callable[[], float] = time.thread_time,
    ) -> None:
        """Take the handle, and run long calls on `workers`.

        `worked_s`: returns the CPU time of the calling thread. Tests replace it.
        """
        self._library = library
        self._handle: int | None = handle
        self._workers = workers
        self._worked_s = worked_s
        self._cost = CallCost()
        self._lock = asyncio.Lock()
        self._running: asyncio.Future[Piece] | None = None
        self._closed = False

    async def process(self, chunk: bytes) -> Piece:
        async with self._lock:
            handle = self._open_handle()
            if self._cost.is_short(len(chunk)):
                return self._processed(handle, chunk)
            loop = asyncio.get_running_loop()
            self._running = loop.run_in_executor(self._workers, self._processed, handle, chunk)
            self._running.add_done_callback(self._returned)
            return await _to_the_end(self._running)

    async def finish(self) -> Piece:
        async with self._lock:
            handle = self._open_handle()
            return Piece(self._library.finish(handle), self._library.points(handle))

    async def stats(self) -> RemuxStats:
        async with self._lock:
            return RemuxStats.from_json(self._library.stats(self._open_handle()))

    async def aclose(self) -> None:
        self._closed = True
        if self._running is None:
            self._free()
        else:
            await asyncio.wait((self._running,))

    @property
    def closed(self) -> bool:
        """True once `aclose` was called."""
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
            # No call is running: it would keep this object alive.
            self._free()

    def _open_handle(self) -> int:
        if self._closed or self._handle is None:
            raise ClosedError("the remuxer is closed")
        return self._handle

    def _processed(self, handle: int, chunk: bytes) -> Piece:
        """Call the library, on any thread. The lock keeps other calls out."""
        began_s = self._worked_s()
        piece = Piece(self._library.process(handle, chunk), self._library.points(handle))
        self._cost.learn(len(chunk), self._worked_s() - began_s)
        return piece

    def _returned(self, _: asyncio.Future[Piece]) -> None:
        self._running = None
        if self._closed:
            self._free()

    def _free(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._library.free(handle)


class CallCost:
    """The cost of one stream in CPU time per byte: the highest of its recent calls."""

    def __init__(self) -> None:
        self._s_per_byte = HOLD_S / UNKNOWN_BYTES

    def is_short(self, size: int) -> bool:
        """Return True if a call with `size` bytes may run on the event loop."""
        return self._s_per_byte * max(size, _LEAST_BYTES) <= HOLD_S

    def learn(self, size: int, took_s: float) -> None:
        """Note the cost of a finished call. `took_s`: CPU time of its thread."""
        per_byte = took_s / max(size, _LEAST_BYTES)
        self._s_per_byte = max(per_byte, self._s_per_byte * _DECAY)


async def _to_the_end(call: asyncio.Future[Piece]) -> Piece:
    """Wait for a call until it ends, even if cancelled; raise `CancelledError` afterwards."""
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

"""The receive buffer of a live stream's connection.

It replaces asyncio's `StreamReader`, which reads on while nobody takes anything, so that each piece
from the network wakes the event loop, and which copies each piece twice.
"""

import asyncio
import socket
import sys

from .read_pacing import CHUNK_BYTES, ReadPacing

KERNEL_BYTES = 512 * 1024
"""Size of the kernel's buffer, for the time between two reads: `GATHER_S` of 40 Mbit/s."""

_FULL_READ_BYTES = 64 * 1024 if sys.platform == "win32" else CHUNK_BYTES
"""A read of so many bytes left more behind. Windows' event loop reads no more at once
(asyncio.proactor_events)."""

_TIMER_SLACK_S = 0.002
"""Tolerance for timers: event loops round their time to a millisecond."""


class ReceiveBuffer(asyncio.Protocol):
    """Holds received bytes until they are read: less than two `CHUNK_BYTES`, and at most 256 KiB
    of one read of the socket."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._held = b""
        self._is_over = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._waiting_since_s = 0.0
        self._is_paused = False
        self._due_s = 0.0
        self._due: asyncio.TimerHandle | None = None
        self._pace: ReadPacing | None = None
        self._stall_s: float | None = None
        self._stall: asyncio.TimerHandle | None = None

    def write(self, data: bytes) -> None:
        """Send bytes to the server."""
        self._transport.write(data)

    async def read(self) -> bytes:
        """Return 1 to `CHUNK_BYTES` received bytes; `b""` at the end.

        A cancelled call loses nothing. Raises `OSError` when the connection broke, and
        `TimeoutError` when nothing came for the time given to `begin_stream`.
        """
        if not self._held and not self._is_over:
            await self._arrival()
        if not self._held and self._error is not None:
            raise self._error
        if len(self._held) <= CHUNK_BYTES:
            data, self._held = self._held, b""
        else:
            data, self._held = self._held[:CHUNK_BYTES], self._held[CHUNK_BYTES:]
        return data

    def put_back(self, data: bytes) -> None:
        """Return these bytes first from the next read."""
        self._held = data + self._held

    def begin_stream(self, stall_s: float) -> None:
        """Read with pacing from now on; a read waits `stall_s` at most."""
        self._pace = ReadPacing(self._loop.time(), full_bytes=_FULL_READ_BYTES)
        self._stall_s = stall_s

    def abort(self) -> None:
        """Close at once and drop unread bytes."""
        for timer in (self._due, self._stall):
            if timer is not None:
                timer.cancel()
        self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        _make_room(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        data = bytes(data)  # A bytearray on Windows, in spite of what asyncio promises.
        self._held = self._held + data if self._held else data
        now_s = self._loop.time()
        wait_s = self._pace.wait_s(len(data), now_s) if self._pace else 0.0
        self._due_s = now_s + wait_s
        if wait_s or len(self._held) >= CHUNK_BYTES:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._is_over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        self._error = exc
        self._wake()

    async def _arrival(self) -> None:
        """Wait until there is something to return."""
        self._waiter = self._loop.create_future()
        self._waiting_since_s = self._loop.time()
        if self._is_paused and self._due is None:
            if self._due_s > self._waiting_since_s:
                self._due = self._loop.call_at(self._due_s, self._resume)
            else:
                self._resume()
        if self._stall is None and self._stall_s is not None:
            self._watch_stall(self._stall_s)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _resume(self) -> None:
        self._due = None
        self._is_paused = False
        if not self._is_over:
            self._transport.resume_reading()

    def _watch_stall(self, stall_s: float) -> None:
        """Fail the present read when it has waited too long. One timer serves many reads."""

        def look() -> None:
            self._stall = None
            if self._waiter is None or self._waiter.done():
                return
            left_s = self._waiting_since_s + stall_s - self._loop.time()
            if left_s > _TIMER_SLACK_S:
                self._stall = self._loop.call_later(left_s, look)
            else:
                self._waiter.set_exception(TimeoutError())

        self._stall = self._loop.call_later(stall_s, look)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _make_room(connection: socket.socket) -> None:
    """Enlarge the kernel's buffer to `KERNEL_BYTES` from the beginning. On Linux SO_RCVLOWAT
    enlarges it and leaves it adaptive; SO_RCVBUF would fix its size, below `net.core.rmem_max`."""
    if sys.platform == "linux":
        for low in (KERNEL_BYTES, 1):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, low)

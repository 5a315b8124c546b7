"""A viewer whose every byte is kept, with the time at which it came."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, field

READ_BYTES = 256 * 1024


@dataclass
class Captured:
    """A stream as it came. Times are those of the monotonic clock."""

    asked_s: float = 0.0
    status: str = ""
    """First line of the answer; empty when none came."""
    data: bytearray = field(default_factory=bytearray, repr=False)
    times_s: list[float] = field(default_factory=list, repr=False)
    ends: list[int] = field(default_factory=list, repr=False)
    """Bytes that had come by those times."""

    _has_begun: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def after_s(self, end: int) -> float:
        """How long after the request the first `end` bytes had come; infinite if never."""
        at = bisect_left(self.ends, end)
        return self.times_s[at] - self.asked_s if at < len(self.ends) else float("inf")

    async def take(self, port: int, path: str) -> None:
        """Ask, and read until the stream ends or this is cancelled."""
        self.asked_s = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=READ_BYTES)
        try:
            # HTTP/1.0, so that the body comes as it is.
            writer.write(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            self.status = head.partition(b"\r\n")[0].decode()
            if " 200 " not in self.status:
                return
            while piece := await reader.read(READ_BYTES):
                self.data += piece
                self.times_s.append(time.monotonic())
                self.ends.append(len(self.data))
                self._has_begun.set()
        finally:
            writer.transport.abort()

    async def take_for(self, port: int, path: str, seconds: float, patience_s: float) -> None:
        """Take so much behind the first byte, for which to wait as long as the patience lasts."""
        taking = asyncio.create_task(self.take(port, path))
        first = asyncio.create_task(self._has_begun.wait())
        await asyncio.wait([taking, first], timeout=patience_s, return_when="FIRST_COMPLETED")
        first.cancel()
        if self.data:
            await asyncio.wait([taking], timeout=seconds)
        taking.cancel()
        with suppress(asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
            await taking

"""Viewers: each reads a stream into a file and remembers when what came."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

READ_BYTES = 256 * 1024
PACKET_BYTES = 188


@dataclass
class Viewer:
    """One stream as it arrived. Times are those of the monotonic clock."""

    channel: str
    url: str
    file: Path
    times_s: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Bytes in the file at those times."""
    ended: str = ""
    """Why it ended before it was told to; empty if it did not."""
    longest_pause_s: float = 0.0

    async def watch(self) -> None:
        """Read until cancelled."""
        try:
            await self._watch()
            self.ended = "the stream ended"
        except (OSError, EOFError) as error:
            self.ended = str(error) or type(error).__name__

    def between(self, begin_s: float, end_s: float) -> bytes:
        """What arrived in this time, in whole packets."""
        begin, end = self._at(begin_s), self._at(end_s)
        if begin == end:
            return b""
        with self.file.open("rb") as file:
            file.seek(begin)
            return file.read(end - begin)

    def _at(self, moment_s: float) -> int:
        if not self.ends:
            return 0
        index = min(bisect_left(self.times_s, moment_s), len(self.ends) - 1)
        return self.ends[index] // PACKET_BYTES * PACKET_BYTES

    async def _watch(self) -> None:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            # HTTP/1.0, so that the body comes as it is.
            writer.write(f"GET {parts.path} HTTP/1.0\r\nHost: soak\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise EOFError(head.split(b"\r\n")[0].decode())
            total, last_s = 0, time.monotonic()
            with self.file.open("wb", buffering=0) as file:
                while piece := await reader.read(READ_BYTES):
                    now_s = time.monotonic()
                    self.longest_pause_s = max(self.longest_pause_s, now_s - last_s)
                    last_s = now_s
                    total += file.write(piece)
                    self.times_s.append(now_s)
                    self.ends.append(total)
        finally:
            writer.transport.abort()

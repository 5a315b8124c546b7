"""How soon a stream starts: from the source's first random access point behind its first PMT to the
first byte of output.

A stream server on loopback sends a service as it is broadcast, beginning anywhere. The daemon
stands between it and a viewer as it does at home; ffmpeg reads from the same server.
"""

import asyncio
import math
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
import numpy as np

from bench.clips import MULTIPLEX_BPS, SERVICE_ID, VIDEO_PID
from tests.harness.command import DaemonProcess
from tests.harness.process import BIN, environment
from tests.oracle.transport import PACKET_BYTES, Packets, pmts

BURST_S: Final = 0.02
BEGIN_S: Final = 5.33
"""Where a viewer comes in: between two key frames, between two PATs."""
NO_WEB_INTERFACE: Final = "http://127.0.0.1:9"
"""This receiver has a stream server alone."""

GIVE_UP_S: Final = 20

_REFERENCE: Final = f"1:0:19:{SERVICE_ID:X}:3FB:1:C00000:0:0:0:"


class Broadcast:
    """A receiver's stream server for one service, paced by the wall clock."""

    def __init__(self, clip: Path) -> None:
        packets_per_burst = round(MULTIPLEX_BPS * BURST_S / 8 / PACKET_BYTES)
        self._burst_bytes = packets_per_burst * PACKET_BYTES
        self._interval_s = self._burst_bytes * 8 / MULTIPLEX_BPS
        begin = int(BEGIN_S * MULTIPLEX_BPS / 8 / PACKET_BYTES) * PACKET_BYTES
        self._stream = clip.read_bytes()[begin : begin + GIVE_UP_S * MULTIPLEX_BPS // 8]
        beginning = Packets(self._stream[: MULTIPLEX_BPS // 8])
        self._picture_at = _random_access(beginning, pmts(beginning)[0].section.packet)
        self._picture_sent_s = math.inf
        self.port = 0
        self._viewers: set[asyncio.Task[None]] = set()

    def since_picture_s(self) -> float:
        """Return the time since the first packet of a random access point after the PMT was sent to
        the latest viewer; 0 before that."""
        return max(0.0, time.monotonic() - self._picture_sent_s)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{_REFERENCE}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            viewer = asyncio.create_task(self._serve(reader, writer))
            self._viewers.add(viewer)
            viewer.add_done_callback(self._viewers.discard)

        async with await asyncio.start_server(accept, "127.0.0.1") as server:
            self.port = server.sockets[0].getsockname()[1]
            yield
            # A viewer who left is noticed at the next burst.
            await asyncio.gather(*self._viewers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if _REFERENCE.encode() in head.split(b"\r\n")[0]:
                writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: video/mpeg\r\n\r\n")
                await self._send(writer)
            else:
                writer.write(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        self._picture_sent_s = math.inf
        began_s = time.monotonic()
        for number, at in enumerate(range(0, len(self._stream), self._burst_bytes)):
            await asyncio.sleep(began_s + number * self._interval_s - time.monotonic())
            if at <= self._picture_at < at + self._burst_bytes:
                self._picture_sent_s = time.monotonic()
            writer.write(self._stream[at : at + self._burst_bytes])
            await writer.drain()


def _random_access(packets: Packets, after: int) -> int:
    """Offset of the first packet behind that one which is marked as random access."""
    adaptation = packets.rows[:, 3] & 0x20 != 0
    marked = adaptation & (packets.rows[:, 4] > 0) & (packets.rows[:, 5] & 0x40 != 0)
    found = np.flatnonzero(marked & (packets.pid == VIDEO_PID) & (np.arange(len(packets)) > after))
    return int(found[0]) * PACKET_BYTES


async def ffmpeg_first_byte_s(broadcast: Broadcast, *options: str) -> float:
    """ffmpeg as a viewer's converter, with options for its input."""
    target = ("-c:v", "copy", "-c:a", "aac", "-b:a", "192k", "-ac", "2", "-f", "mpegts", "-")
    command = ("ffmpeg", "-v", "quiet", "-nostdin", *options, "-i", broadcast.url, *target)
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(GIVE_UP_S):
            await process.stdout.readexactly(1)
        return broadcast.since_picture_s()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@asynccontextmanager
async def daemon(broadcast: Broadcast) -> AsyncIterator[str]:
    """`xg2g serve` with the broadcast as its receiver; gives the stream's URL there."""
    # Each run is to tune anew.
    variables = environment(XG2G_LINGER_S="0", XG2G_HDHR_ENABLED="false")
    with TemporaryDirectory() as data_dir:
        process = DaemonProcess(
            *(BIN / "xg2g", "serve", "--wait", "--receiver", NO_WEB_INTERFACE),
            *("--stream-port", str(broadcast.port), "--port", "0", "--data-dir", data_dir),
            variables=variables,
        )
        async with process:
            yield f"{await process.address()}/{_REFERENCE}"


async def xg2g_first_byte_s(broadcast: Broadcast, url: str) -> float:
    """A viewer of the daemon."""
    async with httpx.AsyncClient(timeout=GIVE_UP_S) as client, client.stream("GET", url) as answer:
        answer.raise_for_status()
        await anext(answer.aiter_raw())
        return broadcast.since_picture_s()

"""A backend without Rust, for tests of what stands around a backend."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from xg2g_backends.base import (
    BackendHealth,
    Piece,
    Point,
    PointKind,
    RemuxOptions,
    RemuxStats,
)
from xg2g_backends.errors import BackendError, ClosedError, FinishedError

PACKET_BYTES = 188


@dataclass
class FakeBackend:
    """Opens `FakeRemuxer`s, remembers them, and fails when told to."""

    open_error: BackendError | None = None
    """Raised by `open`, and shown by `check`, while it is set."""
    remuxers: list["FakeRemuxer"] = field(default_factory=list)
    """Every remuxer that was opened, the closed ones too."""
    closed: bool = False
    begins_anywhere: bool = False
    """Streams without tables have points, too."""

    @property
    def name(self) -> str:
        return "fake"

    async def open(self, options: RemuxOptions) -> "FakeRemuxer":
        if self.closed:
            raise ClosedError("the backend is closed")
        if self.open_error is not None:
            raise self.open_error
        self.remuxers.append(FakeRemuxer(options, begins_anywhere=self.begins_anywhere))
        return self.remuxers[-1]

    async def check(self) -> BackendHealth:
        return BackendHealth(
            usable=self.open_error is None,
            detail="fake" if self.open_error is None else str(self.open_error),
            versions={"xg2g-transcoder": "0"},
            open_remuxers=sum(not remuxer.closed for remuxer in self.remuxers),
        )

    async def aclose(self) -> None:
        self.closed = True


class FakeRemuxer:
    """Gives whole packets back as they came and holds an incomplete one, as the real one does.

    Each packet in which a PES packet of video begins is a random access point, and its tables are
    the latest packets of PAT and first PMT. With `begins_anywhere` so is every
    hundredth packet before the first PAT.

    `process_error` is raised by `process` while it is set; while `gate` is cleared, calls wait
    inside, and `inside` counts them.
    """

    def __init__(self, options: RemuxOptions, *, begins_anywhere: bool = False) -> None:
        self.options = options
        self._begins_anywhere = begins_anywhere
        self.process_error: BackendError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False
        self.inside = 0
        self.taken = b""
        """All that was given to it."""
        self._finished = False
        self._held = b""
        self._stats = RemuxStats()
        self._pat = self._pmt = b""
        self._lock = asyncio.Lock()

    async def process(self, chunk: bytes) -> Piece:
        async with self._lock:
            await self._enter()
            if self.process_error is not None:
                raise self.process_error
            if self._finished:
                raise FinishedError("the stream was finished before")
            self.taken += chunk
            held = self._held + chunk
            whole = len(held) - len(held) % PACKET_BYTES
            output, self._held = held[:whole], held[whole:]
            points = tuple(self._points(output, self._stats.bytes_out))
            self._stats = replace(
                self._stats,
                bytes_in=self._stats.bytes_in + len(chunk),
                bytes_out=self._stats.bytes_out + len(output),
                packets_in=self._stats.packets_in + len(output) // PACKET_BYTES,
            )
            return Piece(output, points)

    async def finish(self) -> Piece:
        async with self._lock:
            await self._enter()
            self._finished = True
            return Piece(b"")

    async def stats(self) -> RemuxStats:
        self._check_open()
        return self._stats

    async def aclose(self) -> None:
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _points(self, output: bytes, offset: int) -> Iterator[Point]:
        for at in range(0, len(output), PACKET_BYTES):
            packet = output[at : at + PACKET_BYTES]
            pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
            if pid == 0:
                self._pat = packet
            elif self._pat and pid == int.from_bytes(self._pat[15:17], "big") & 0x1FFF:
                self._pmt = packet
            elif (packet[1] & 0x40 and _is_video(packet)) or self._is_hundredth(offset + at):
                yield Point(
                    offset=offset + at,
                    kind=PointKind.RANDOM_ACCESS,
                    program=int.from_bytes(self._pat[13:15], "big"),
                    codec="h264",
                    tables=self._pat + self._pmt,
                )

    def _is_hundredth(self, offset: int) -> bool:
        return self._begins_anywhere and not self._pat and offset // PACKET_BYTES % 100 == 0

    async def _enter(self) -> None:
        self._check_open()
        self.inside += 1
        try:
            await self.gate.wait()
        finally:
            self.inside -= 1
        self._check_open()

    def _check_open(self) -> None:
        if self.closed:
            raise ClosedError("the remuxer is closed")


def _is_video(packet: bytes) -> bool:
    """Whether the payload begins with a PES packet of video (H.222.0, 2.4.3.7)."""
    payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
    return payload.startswith(b"\x00\x00\x01") and payload[3] & 0xF0 == 0xE0

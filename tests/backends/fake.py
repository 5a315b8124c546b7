"""A backend without Rust, for tests of what stands around a backend."""

import asyncio
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from xg2g_backends.base import BackendHealth, RemuxOptions, RemuxStats
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

    @property
    def name(self) -> str:
        return "fake"

    async def open(self, options: RemuxOptions) -> "FakeRemuxer":
        if self.closed:
            raise ClosedError("the backend is closed")
        if self.open_error is not None:
            raise self.open_error
        self.remuxers.append(FakeRemuxer(options))
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

    `process_error` is raised by `process` while it is set; while `gate` is cleared, calls wait
    inside, and `inside` counts them.
    """

    def __init__(self, options: RemuxOptions) -> None:
        self.options = options
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
        self._turn = asyncio.Lock()

    async def process(self, chunk: bytes) -> bytes:
        async with self._turn:
            await self._enter()
            if self.process_error is not None:
                raise self.process_error
            if self._finished:
                raise FinishedError("the stream was finished before")
            self.taken += chunk
            held = self._held + chunk
            whole = len(held) - len(held) % PACKET_BYTES
            output, self._held = held[:whole], held[whole:]
            self._stats = replace(
                self._stats,
                bytes_in=self._stats.bytes_in + len(chunk),
                bytes_out=self._stats.bytes_out + len(output),
                packets_in=self._stats.packets_in + len(output) // PACKET_BYTES,
            )
            return output

    async def finish(self) -> bytes:
        async with self._turn:
            await self._enter()
            self._finished = True
            return b""

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

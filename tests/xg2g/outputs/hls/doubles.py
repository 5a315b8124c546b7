"""HLS outputs over a stream that a test sends, without a receiver."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xg2g.simulator
from tests.xg2g.streaming.receiver import turns
from xg2g.metrics import Metrics, Outcome
from xg2g.outputs.failures import Failures
from xg2g.outputs.hls.options import HlsOptions
from xg2g.outputs.hls.output import HlsOutput
from xg2g.outputs.hls.outputs import HlsOutputs
from xg2g.outputs.stop_event import StopEvent
from xg2g.outputs.viewers import Viewers
from xg2g.receiver.service_reference import ServiceReference
from xg2g_backends.base import RemuxOptions, RemuxStats

CLIP = (Path(xg2g.simulator.__file__).parent / "clips" / "one-hd.ts").read_bytes()


MPEG2 = (Path(xg2g.simulator.__file__).parent / "clips" / "mpeg2.ts").read_bytes()


PIECE_BYTES = 188 * 200


SERVICE = ServiceReference.parse("1:0:19:65:1:1:C00000:0:0:0:")


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._calls: list[tuple[float, Callable[[], None], Timer]] = []

    def now(self) -> float:
        return self.now_s

    def later(self, delay_s: float, call: Callable[[], None]) -> "Timer":
        timer = Timer()
        self._calls.append((self.now_s + delay_s, call, timer))
        return timer

    async def passes(self, seconds: float) -> None:
        """Let this time pass, with everybody having a turn at each moment that somebody waits
        for."""
        until_s = self.now_s + seconds
        while True:
            await turns()
            self._calls = [each for each in self._calls if not each[2].cancelled]
            due = [each for each in self._calls if each[0] <= until_s]
            if not due:
                break
            first = min(due, key=lambda each: each[0])
            self._calls.remove(first)
            self.now_s = max(self.now_s, first[0])
            first[1]()
        self.now_s = until_s
        await turns()

    @property
    def pending(self) -> int:
        return sum(not timer.cancelled for _, _, timer in self._calls)


class Timer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Reader:
    """Reads what a test sends."""

    def __init__(self, pieces: "asyncio.Queue[bytes | Exception]") -> None:
        self._pieces = pieces
        self.makes_way = False
        self.unread_bytes = 0
        self.may_rush = False

    async def read(self) -> bytes:
        piece = await self._pieces.get()
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def stats(self) -> RemuxStats:
        return RemuxStats()


class Source:
    """In the place of the hub: a stream each time, of what a test sends."""

    def __init__(self) -> None:
        self.receiver: object = None
        self.options = RemuxOptions()
        self.opened = 0
        self.open_now: list[Reader] = []
        self.error: Exception | None = None
        self.error_at_end: Exception | None = None
        self.pieces: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    @asynccontextmanager
    async def open_first(
        self, services: Sequence[ServiceReference], *, from_oldest: bool = False
    ) -> AsyncIterator[Reader]:
        assert from_oldest
        self.opened += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        reader = Reader(self.pieces)
        self.open_now.append(reader)
        try:
            yield reader
        finally:
            self.open_now.remove(reader)
            if self.error_at_end is not None:
                raise self.error_at_end

    def send(self, clip: bytes) -> None:
        for at in range(0, len(clip), PIECE_BYTES):
            self.pieces.put_nowait(clip[at : at + PIECE_BYTES])

    @property
    async def sent(self) -> None:
        """All was read."""
        async with asyncio.timeout(20):
            while not self.pieces.empty():  # noqa: ASYNC110
                await asyncio.sleep(0)
        await turns()


class House:
    """The outputs of a daemon, and what they stand on."""

    def __init__(self, options: HlsOptions | None = None) -> None:
        self.clock = Clock()
        self.source = Source()
        self.metrics = Metrics()
        self.viewers = Viewers()
        self.failures = Failures()
        self.stopping = StopEvent()
        hub: Any = self.source
        self.outputs = HlsOutputs(
            hub,
            options or HlsOptions(),
            metrics=self.metrics,
            viewers=self.viewers,
            failures=self.failures,
            stopping=self.stopping,
            now=self.clock.now,
            today=lambda: datetime(2026, 11, 26, tzinfo=UTC),
            later=self.clock.later,
        )

    def open(self, channel_id: str = "one") -> HlsOutput:
        return self.outputs.get_or_open(channel_id, [SERVICE], name="One", address="192.0.2.1")

    async def plays(self) -> HlsOutput:
        """An output whose first playlist is there."""
        output = self.open()
        self.source.send(CLIP)
        with output.clients.asking("player"):
            await output.ready()
            await self.source.sent
        return output

    def outcome(self, outcome: Outcome) -> float:
        count: float = self.metrics.outcomes.labels(outcome)._value.get()
        return count

    def assert_nothing_held(self) -> None:
        assert not self.source.open_now
        assert len(self.viewers) == 0
        assert self.metrics.streams._value.get() == 0
        assert len(self.outputs) == 0
        assert self.clock.pending == 0


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    built = House()
    try:
        yield built
    finally:
        await built.outputs.aclose()
        built.assert_nothing_held()

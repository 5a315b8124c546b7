"""A receiver whose streams bring what a test sends, and a hub over it without Rust."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.harness.fake_backend import PACKET_BYTES, FakeBackend
from tests.xg2g.receiver.clock import Time
from xg2g.metrics import Metrics
from xg2g.receiver.service_reference import ServiceReference
from xg2g.receiver.stream import LiveSource
from xg2g.streaming.hub import Hub, UpstreamReader
from xg2g_backends.base import Point, RemuxOptions

MANY = 500
"""Turns of the event loop, in which everything happens that waits for nothing."""


def service(sid: int, tsid: int) -> ServiceReference:
    return ServiceReference.parse(f"1:0:19:{sid:X}:{tsid:X}:1:C00000:0:0:0:")


ONE, ONE_TOO, OTHER, THIRD = service(1, 1), service(2, 1), service(3, 2), service(4, 3)
IPTV = ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//example.org/live.ts")


def packet(number: int, *, is_key: bool = False) -> bytes:
    """A packet that is told apart by its number, and where a reader can begin if it is a key."""
    head = b"\x47\x41\x00\x10\0\0\1\xe0" if is_key else b"\x47\x01\x00\x10"
    return (head + number.to_bytes(2, "big")).ljust(PACKET_BYTES, b"\xff")


def key(number: int) -> bytes:
    return packet(number, is_key=True)


GAP = b"\x47\x01\x00\x20\xb7\x80".ljust(PACKET_BYTES, b"\xff")


class Joiner:
    """Begins with the point's packet, announced where the reader has read something before."""

    open_now = 0

    def __init__(self, point: Point, *, after_gap: bool = False) -> None:
        self.is_over = False
        self._first = GAP * after_gap + point.tables
        Joiner.open_now += 1

    def take(self, data: bytes) -> bytes:
        assert not self.is_over
        self.is_over = True
        return self._first + data

    def close(self) -> None:
        Joiner.open_now -= 1


class Source:
    """Brings what is sent to it."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.reads = 0
        self._pieces = list(pieces)
        self._has_some = asyncio.Event()

    def send(self, *pieces: bytes | Exception) -> None:
        self._pieces += pieces
        self._has_some.set()

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        while not self._pieces:
            self._has_some.clear()
            await self._has_some.wait()
        self.reads += 1
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece


class Receiver:
    """Remembers what was opened and what is open, and fails as it is told to."""

    def __init__(self, *first: bytes | Exception) -> None:
        self.first = first or (key(0),)
        """What a stream brings once it is open."""
        self.errors: list[Exception] = []
        """Raised in turn, instead of opening a stream."""
        self.opened: list[ServiceReference] = []
        self.open_now: list[ServiceReference] = []
        self.sources: list[Source] = []
        self.closing_turns = 0
        """Turns of the event loop that closing a stream takes."""
        self.tunes = asyncio.Event()
        self.tunes.set()

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.sleep(0)
        self.opened.append(service)
        self.open_now.append(service)
        try:
            await self.tunes.wait()
            self.sources.append(Source(*self.first))
            yield self.sources[-1]
        finally:
            await turns(self.closing_turns)
            self.open_now.remove(service)


class Timers:
    """Calls that are put off until a test says so."""

    def __init__(self) -> None:
        self.pending: list[Timer] = []

    def later(self, delay_s: float, call: object) -> "Timer":
        assert callable(call)
        self.pending.append(Timer(self, delay_s, call))
        return self.pending[-1]

    def expire(self) -> None:
        """Let the time of all of them pass."""
        for timer in tuple(self.pending):
            timer.cancel()
            timer.call()


class Timer:
    def __init__(self, timers: Timers, delay_s: float, call: object) -> None:
        self.delay_s = delay_s
        self._timers = timers
        self._call = call

    def call(self) -> None:
        assert callable(self._call)
        self._call()

    def cancel(self) -> None:
        if self in self._timers.pending:
            self._timers.pending.remove(self)


class House:
    """A hub, and what it stands on."""

    def __init__(
        self,
        *first: bytes | Exception,
        linger_s: float = 60,
        limit: int | None = 2,
        first_output_s: float = 5,
        reconnect_s: float = 0,
    ) -> None:
        self.receiver = Receiver(*first)
        self.backend = FakeBackend()
        self.metrics = Metrics()
        self.time = Time()
        self.timers = Timers()
        self.hub = Hub(
            self.receiver,
            self.backend,
            RemuxOptions(),
            metrics=self.metrics,
            linger_s=linger_s,
            first_output_s=first_output_s,
            scrambled_after_s=1,
            reconnect_s=reconnect_s,
            limit=limit,
            make_joiner=Joiner,
            now=self.time.now,
            sleep=self.time.sleep,
            later=self.timers.later,
        )

    async def aclose(self) -> None:
        """Close the hub, and see that it has given everything back."""
        await self.hub.aclose()
        assert_nothing_held(self)


def assert_nothing_held(house: House) -> None:
    hub = house.hub
    assert not house.receiver.open_now
    assert hub.in_use == hub.lingering == len(hub.upstreams) == len(hub.services) == 0
    assert all(remuxer.closed for remuxer in house.backend.remuxers)
    assert not house.timers.pending
    assert not [task for task in asyncio.all_tasks() if "Upstream" in repr(task.get_coro())]


async def turns(count: int = 20) -> None:
    """Let everybody who can go on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def read(reader: UpstreamReader, count: int) -> bytes:
    """Return what so many reads bring."""
    async with asyncio.timeout(10):
        return b"".join([await reader.read() for _ in range(count)])


async def watch_and_leave(hub: Hub, *services: ServiceReference) -> None:
    for each in services:
        async with hub.open(each) as reader:
            await reader.read()

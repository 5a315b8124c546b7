"""On which thread the library is called."""

import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from xg2g_backends.base import Point
from xg2g_backends.embedded.remuxer import HOLD_S, UNKNOWN_BYTES, EmbeddedRemuxer
from xg2g_backends.embedded.shared_library import Library

pytestmark = pytest.mark.anyio


class Timed(Library):
    """A library whose calls take as long as they are told, by a clock of its own."""

    def __init__(self, s_per_byte: float) -> None:
        self.s_per_byte = s_per_byte
        self.now_s = 0.0
        self.held_s: list[float] = []
        """Of the calls that were made on the event loop's thread."""
        self.on_workers = 0

    def process(self, handle: int, chunk: bytes) -> bytes:
        took_s = len(chunk) * self.s_per_byte
        self.now_s += took_s
        if threading.current_thread() is threading.main_thread():
            self.held_s.append(took_s)
        else:
            self.on_workers += 1
        return chunk

    def points(self, handle: int) -> tuple[Point, ...]:
        return ()

    def free(self, handle: int) -> None:
        pass


@asynccontextmanager
async def remuxer(library: Timed) -> AsyncIterator[EmbeddedRemuxer]:
    with ThreadPoolExecutor(1) as workers:
        async with EmbeddedRemuxer(library, 1, workers, worked_s=lambda: library.now_s) as its:
            yield its


HD = 125_000
"""A tenth of a second at 10 Mbit/s."""
ONE_TRACK_S = 0.0004
"""What converting it takes, where it has one track of stereo."""


async def test_short_calls_are_made_on_the_event_loop_once_they_are_known_to_be() -> None:
    library = Timed(ONE_TRACK_S / HD)
    async with remuxer(library) as its:
        await its.process(bytes(HD))
        assert library.on_workers == 1, "nothing is known of it yet"
        for _ in range(40):
            await its.process(bytes(HD))
        library.on_workers = 0
        for _ in range(100):
            await its.process(bytes(HD))
    assert library.on_workers == 0


async def test_no_call_on_the_event_loop_is_long() -> None:
    """Neither of many tracks, nor of a burst, nor of a stream that becomes dear."""
    library = Timed(5 * ONE_TRACK_S / HD)
    async with remuxer(library) as its:
        for _ in range(100):
            await its.process(bytes(HD))
        assert not library.held_s
        library.s_per_byte = ONE_TRACK_S / HD
        for _ in range(100):
            await its.process(bytes(HD))
        assert library.held_s
        for _ in range(10):
            await its.process(bytes(3 * HD))
        library.s_per_byte *= 2
        for _ in range(10):
            await its.process(bytes(HD))
            await its.process(bytes(1000))
    assert max(library.held_s) <= HOLD_S


async def test_a_cheap_call_does_not_make_the_next_expensive_one_short() -> None:
    """Sound comes in some chunks and not in others."""
    library = Timed(0.0)
    async with remuxer(library) as its:
        for number in range(200):
            library.s_per_byte = (1.4 * HOLD_S if number % 3 == 0 else 0.1 * HOLD_S) / HD
            await its.process(bytes(HD))
    assert max(library.held_s, default=0.0) <= HOLD_S


async def test_small_chunks_are_converted_on_the_event_loop_from_the_first() -> None:
    library = Timed(0.0)
    async with remuxer(library) as its:
        await its.process(bytes(UNKNOWN_BYTES))
    assert library.held_s


async def test_radio_stays_on_the_event_loop() -> None:
    """A frame costs the same, whether the chunk that makes it whole is small or not."""
    library = Timed(0.0)
    async with remuxer(library) as its:
        for number in range(200):
            library.s_per_byte = 0.0001 / 188 if number % 3 == 0 else 0.0
            await its.process(bytes(188))
        library.s_per_byte = 0.0004 / 2400
        await its.process(bytes(2400))
    assert library.on_workers == 0

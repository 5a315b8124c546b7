"""Readers of a ring: where they begin, what they get, and what becomes of those that lag."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from tests.xg2g.receiver.clock import Time
from xg2g.receiver.errors import UnreachableError
from xg2g.streaming.reader import Reader
from xg2g.streaming.ring import POINT_S, POINTS_KEPT, RING_BYTES, RING_S, Ring
from xg2g_backends.base import Point, PointKind

pytestmark = pytest.mark.anyio

GAP = b"<gap>"


class Beginning:
    """Puts the point's tables first, after a mark if the reader has read something before."""

    open_now = 0

    def __init__(self, point: Point, *, after_gap: bool = False) -> None:
        self.first = GAP * after_gap + point.tables
        self.is_over = False
        Beginning.open_now += 1

    def take(self, data: bytes) -> bytes:
        assert not self.is_over
        self.is_over = True
        return self.first + data

    def close(self) -> None:
        Beginning.open_now -= 1


def key(offset: int, tables: bytes = b"T") -> Point:
    kind = PointKind.RANDOM_ACCESS
    return Point(offset=offset, kind=kind, program=7, codec="h264", tables=tables)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def ring(clock: Time) -> Ring:
    return Ring(clock.now)


def reader(ring: Ring) -> Reader:
    point = ring.newest_point()
    assert point is not None
    return Reader(ring, point, Beginning)


async def read_all(reader: Reader) -> bytes:
    """Read what is there already."""
    pieces: list[bytes] = []
    while True:
        reading = asyncio.ensure_future(reader.read())
        await asyncio.sleep(0)
        if not reading.done():
            reading.cancel()
            return b"".join(pieces)
        if not (piece := reading.result()):
            return b"".join(pieces)
        pieces.append(piece)


async def test_a_reader_begins_at_the_newest_random_access_point_with_its_tables(
    ring: Ring,
) -> None:
    ring.append(b"abcde", [key(1, b"old")])
    ring.append(b"fghij", [key(7, b"T")])
    assert await read_all(reader(ring)) == b"Thij"


async def test_an_entry_is_a_beginning_only_where_there_is_no_random_access_point(
    ring: Ring, clock: Time
) -> None:
    """Channels with a key frame each eight seconds have entries in between."""
    entry = Point(offset=0, kind=PointKind.ENTRY, program=7, tables=b"E")
    ring.append(b"abcde", [replace(entry, offset=1)])
    assert await read_all(reader(ring)) == b"Ebcde"
    ring.append(b"fghij", [key(5)])
    ring.append(b"klmno", [replace(entry, offset=11)])
    assert await read_all(reader(ring)) == b"Tfghijklmno"
    clock.now_s += POINT_S + 1
    ring.append(b"pqrst", [replace(entry, offset=16)])
    assert await read_all(reader(ring)) == b"Eqrst", "an old one is no longer near"


async def test_a_point_may_come_after_the_output_that_it_lies_in(ring: Ring) -> None:
    ring.append(b"abcde")
    ring.append(b"fghij", [key(3)])
    assert await read_all(reader(ring)) == b"Tdefghij"


async def test_readers_of_one_point_read_the_same_and_the_later_one_the_end_of_the_earlier(
    ring: Ring,
) -> None:
    ring.append(b"abcde", [key(0)])
    early, twin = reader(ring), reader(ring)
    ring.append(b"fghij", [key(6)])
    late = reader(ring)
    ring.append(b"klmno")
    assert await read_all(early) == await read_all(twin) == b"Tabcdefghijklmno"
    assert await read_all(late) == b"Tghijklmno"


async def test_a_chunk_is_handed_to_every_reader_without_a_copy(ring: Ring) -> None:
    ring.append(b"abcde", [key(0)])
    readers = [reader(ring) for _ in range(3)]
    for each in readers:
        await each.read()
    chunk = bytes(100_000)
    ring.append(chunk)
    for each in readers:
        assert await each.read() is chunk


async def test_a_reader_waits_for_what_comes_next(ring: Ring) -> None:
    ring.append(b"abcde", [key(0)])
    one, other = reader(ring), reader(ring)
    await one.read()
    await other.read()
    waiting = [asyncio.ensure_future(each.read()) for each in (one, other)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    ring.append(b"fghij")
    assert await asyncio.gather(*waiting) == [b"fghij"] * 2


async def test_a_reader_that_stops_waiting_takes_nothing_from_the_others(ring: Ring) -> None:
    ring.append(b"abcde", [key(0)])
    one, other = reader(ring), reader(ring)
    await one.read()
    await other.read()
    waiting, leaving = (asyncio.ensure_future(each.read()) for each in (one, other))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait({leaving})
    ring.append(b"fghij")
    assert await waiting == b"fghij"
    assert await other.read() == b"fghij"


async def test_the_error_of_a_ring_is_raised_behind_its_last_output(ring: Ring) -> None:
    ring.append(b"abcde", [key(0)])
    readers = [reader(ring), reader(ring)]
    ring.close(UnreachableError("the connection broke"))
    for each in readers:
        assert await each.read() == b"Tabcde"
        for _ in range(2):
            with pytest.raises(UnreachableError, match="broke"):
                await each.read()


async def test_the_end_of_a_stream_is_no_error(ring: Ring) -> None:
    ring.append(b"abcde", [key(0)])
    one = reader(ring)
    ring.close()
    assert [await one.read(), await one.read(), await one.read()] == [b"Tabcde", b"", b""]


async def test_a_reader_that_fell_behind_continues_at_the_newest_point_and_reports_it(
    ring: Ring, clock: Time
) -> None:
    ring.append(b"abcde", [key(0)])
    slow = reader(ring)
    told: list[int] = []
    slow.on_skip = told.append
    assert await slow.read() == b"Tabcde"
    for number in range(1, 31):
        clock.now_s += 1
        ring.append(b"%05d" % number, [key(5 * number)] if number % 4 == 0 else [])
    assert await read_all(slow) == GAP + b"T" + b"000280002900030"
    assert (slow.skips, slow.skipped_bytes) == (1, 5 * 27)
    assert told == [5 * 27]
    assert slow.lag_s == 0


async def test_a_reader_tells_how_far_it_is_behind(ring: Ring, clock: Time) -> None:
    ring.append(b"abcde", [key(0)])
    one = reader(ring)
    clock.now_s += 2
    assert one.lag_s == 2
    ring.append(b"fghij")
    await one.read()
    assert one.lag_s == 0
    clock.now_s += 1
    assert one.lag_s == 1
    await one.read()
    assert one.lag_s == 0
    for _ in range(20):
        clock.now_s += 1
        ring.append(b"klmno", [key(ring.end)])
    assert one.lag_s == RING_S


async def test_a_reader_that_fell_behind_without_a_join_point_waits_for_the_next(
    ring: Ring, clock: Time
) -> None:
    ring.append(b"abcde", [key(0)])
    slow = reader(ring)
    await slow.read()
    for _ in range(60):
        clock.now_s += 1
        ring.append(b".....")
    assert await read_all(slow) == b""
    ring.append(b"fghij", [key(ring.end + 2)])
    assert await read_all(slow) == GAP + b"Thij"
    assert slow.skipped_bytes == 5 * 60 + 2


async def test_behind_a_seam_a_reader_goes_on_at_the_first_point(ring: Ring) -> None:
    ring.append(b"abcde", [key(0)])
    one, slow = reader(ring), reader(ring)
    assert await read_all(one) == b"Tabcde"
    ring.seam()
    ring.append(b"fghij")
    assert await read_all(one) == b""
    ring.append(b"klmno", [key(11, b"U")])
    ring.append(b"pqrst", [key(15, b"V")])
    assert await read_all(one) == GAP + b"Ulmnopqrst"
    assert await read_all(slow) == b"Tabcde" + GAP + b"Ulmnopqrst"
    assert one.skips == one.skipped_bytes == slow.skips == 0
    late = reader(ring)
    assert await read_all(late) == b"Vpqrst"


async def test_output_between_two_seams_without_a_join_point_is_left_out(ring: Ring) -> None:
    ring.append(b"abcde", [key(0)])
    one = reader(ring)
    ring.seam()
    ring.append(b"fghij")
    ring.seam()
    ring.append(b"klmno", [key(10)])
    assert await read_all(one) == b"Tabcde" + GAP + b"Tklmno"


async def test_a_ring_that_is_closed_behind_a_seam_ends_for_readers_that_wait_there(
    ring: Ring,
) -> None:
    ring.append(b"abcde", [key(0)])
    one = reader(ring)
    ring.seam()
    ring.append(b"fghij")
    assert await read_all(one) == b"Tabcde"
    ring.close(UnreachableError("gone"))
    with pytest.raises(UnreachableError):
        await one.read()


def test_output_is_kept_for_a_time_and_the_newest_point_for_longer(ring: Ring, clock: Time) -> None:
    ring.append(b"abcde", [key(0)])
    for _ in range(12):
        clock.now_s += 1
        ring.append(b".....")
    assert ring.start == 0, "the next point may be long in coming"
    ring.append(b"fghij", [key(ring.end)])
    assert ring.kept_s == RING_S
    for _ in range(60):
        clock.now_s += 1
        ring.append(b".....")
    assert ring.kept_s == RING_S
    assert ring.newest_point() is None


def test_a_ring_is_bounded_in_bytes_and_drops_even_its_only_point(ring: Ring) -> None:
    chunk = bytes(1_000_000)
    ring.append(chunk, [key(0)])
    for _ in range(100):
        ring.append(chunk)
    assert RING_BYTES - len(chunk) < ring.kept_bytes <= RING_BYTES
    assert ring.newest_point() is None


def test_a_stream_of_nothing_but_points_fills_no_memory_with_them(ring: Ring) -> None:
    for number in range(10 * POINTS_KEPT):
        ring.append(b"abcde", [key(5 * number)])
    assert len(ring._joins) == POINTS_KEPT
    newest = ring.newest_point()
    assert newest is not None
    assert newest.offset == ring.end - 5


def test_a_point_in_output_that_is_no_longer_kept_is_ignored(ring: Ring, clock: Time) -> None:
    ring.append(b"abcde")
    clock.now_s += RING_S + 1
    ring.append(b"fghij")
    ring.append(b"klmno", [key(2)])
    assert ring.newest_point() is None


async def test_joiners_are_given_back(ring: Ring) -> None:
    before = Beginning.open_now
    ring.append(b"abcde", [key(0)])
    readers = [reader(ring) for _ in range(3)]
    assert Beginning.open_now == before + 3
    await readers[0].read()
    for each in readers:
        each.close()
    assert Beginning.open_now == before


@pytest.mark.parametrize("behind", [0, 1, 2, 3])
async def test_any_split_of_the_output_reads_the_same(ring: Ring, behind: int) -> None:
    output = bytes(range(200))
    readers = []
    numbers = count()
    for at in range(0, 200, 10):
        told = [key(at - 10 * behind + 3, b"")] if next(numbers) >= behind else []
        ring.append(output[at : at + 10], told)
        if point := ring.newest_point():
            readers.append((point.offset, Reader(ring, point, Beginning)))
    for offset, each in readers:
        assert await read_all(each) == output[offset:]

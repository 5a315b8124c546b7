"""Viewers of a hub: what they share, and what is left when they have gone."""

import asyncio

import pytest

from tests.xg2g.streaming.receiver import (
    GAP,
    IPTV,
    MANY,
    ONE,
    OTHER,
    House,
    Joiner,
    Source,
    assert_nothing_held,
    key,
    packet,
    read,
    turns,
    watch_and_leave,
)
from xg2g.receiver.errors import (
    NoTunerError,
    ReceiverError,
    UnknownServiceError,
    UnreachableError,
)
from xg2g.streaming.ring import POINT_S, RING_BYTES, RING_S
from xg2g.streaming.upstream import (
    State,
)

pytestmark = pytest.mark.anyio


async def test_all_viewers_of_a_channel_share_one_stream_and_one_remuxer(house: House) -> None:
    async with house.hub.open(ONE), house.hub.open(ONE), house.hub.open(ONE):
        [upstream] = house.hub.upstreams
        assert upstream.viewers == len(upstream.readers) == 3
        assert house.receiver.opened == [ONE]
        assert len(house.backend.remuxers) == house.hub.in_use == 1


async def test_viewers_of_a_channel_read_identical_bytes_from_their_common_start_on(
    house: House,
) -> None:
    async with house.hub.open(ONE) as first:
        [source] = house.receiver.sources
        source.send(packet(1), key(2), packet(3))
        early = await read(first, 4)
        async with house.hub.open(ONE) as second, house.hub.open(ONE) as third:
            source.send(packet(4), packet(5))
            late = await read(second, 4)
            assert late == key(2) + packet(3) + packet(4) + packet(5)
            assert await read(third, 4) == late
            assert early + await read(first, 2) == key(0) + packet(1) + late


async def test_a_viewer_begins_at_once_with_the_newest_picture_that_decodes(house: House) -> None:
    async with house.hub.open(ONE) as first:
        house.receiver.sources[0].send(key(1), packet(2))
        await read(first, 3)
        async with house.hub.open(ONE) as second:
            assert await read(second, 2) == key(1) + packet(2), "without any further input"


async def test_a_viewer_of_the_kept_output_begins_with_the_oldest_picture_that_decodes(
    house: House,
) -> None:
    async with house.hub.open(ONE) as first:
        house.receiver.sources[0].send(key(1), packet(2), key(3))
        await read(first, 4)
        async with house.hub.open(ONE, from_oldest=True) as second:
            assert await read(second, 4) == key(0) + key(1) + packet(2) + key(3)


async def test_viewers_who_wait_for_one_opening_all_get_it(house: House) -> None:
    house.receiver.tunes.clear()
    watching = [asyncio.create_task(watch_and_leave(house.hub, ONE)) for _ in range(5)]
    await turns()
    house.receiver.tunes.set()
    await asyncio.gather(*watching)
    assert house.receiver.opened == [ONE]


@pytest.mark.parametrize(
    "error",
    [NoTunerError("no tuner"), UnreachableError("gone"), UnknownServiceError("what is this?")],
    ids=lambda error: type(error).__name__,
)
async def test_viewers_who_wait_for_one_opening_all_get_its_error(
    house: House, error: ReceiverError
) -> None:
    house.receiver.tunes.clear()
    house.receiver.errors.append(error)
    watching = [asyncio.create_task(watch_and_leave(house.hub, ONE)) for _ in range(5)]
    async with asyncio.timeout(10):
        results = await asyncio.gather(*watching, return_exceptions=True)
    assert [(type(it), str(it)) for it in results] == [(type(error), str(error))] * 5
    assert_nothing_held(house)


async def test_a_viewer_who_leaves_an_opening_leaves_it_to_the_others(house: House) -> None:
    house.receiver.tunes.clear()
    leaving, staying = (asyncio.create_task(watch_and_leave(house.hub, ONE)) for _ in range(2))
    await turns()
    leaving.cancel()
    await turns()
    assert house.receiver.open_now == [ONE]
    house.receiver.tunes.set()
    await staying
    assert house.receiver.opened == [ONE]


async def test_an_opening_that_everybody_has_left_ends(house: House) -> None:
    house.receiver.tunes.clear()
    watching = [asyncio.create_task(watch_and_leave(house.hub, ONE)) for _ in range(3)]
    await turns()
    for each in watching:
        each.cancel()
    await asyncio.wait(watching, timeout=10)
    assert_nothing_held(house)


async def test_a_remuxer_keeps_the_one_program_of_its_service(house: House) -> None:
    async with house.hub.open(OTHER), house.hub.open(IPTV):
        assert [it.options.program for it in house.backend.remuxers] == [3, 0]


async def test_a_reader_that_reads_nothing_changes_nothing_for_the_others(house: House) -> None:
    async with house.hub.open(ONE) as slow, house.hub.open(ONE) as fast:
        [source] = house.receiver.sources
        received = await fast.read()
        for number in range(1, 101):
            house.time.now_s += 0.5
            piece = key(number) if number % 4 == 0 else packet(number)
            source.send(piece)
            received += await fast.read()
            assert received.endswith(piece), "each as soon as it comes"
            assert fast.lag_s == 0
        assert (fast.skips, fast.skipped_bytes) == (0, 0)
        assert slow.lag_s >= RING_S - 2
        [upstream] = house.hub.upstreams
        assert upstream.ring.kept_s <= RING_S
        assert await slow.read() == GAP + key(100), "the newest point, and marked"
        assert (slow.skips, slow.skipped_bytes) == (1, 100 * 188)


async def test_the_output_that_an_upstream_keeps_is_bounded_in_bytes() -> None:
    house = House()
    async with house.hub.open(ONE):
        house.receiver.sources[0].send(*[packet(1) * 10_000] * 40)
        [upstream] = house.hub.upstreams
        async with asyncio.timeout(60):
            while house.receiver.sources[0].reads < 40:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert upstream.ring.kept_bytes <= RING_BYTES
    await house.aclose()


async def test_no_viewer_leaves_a_joiner(house: House) -> None:
    before = Joiner.open_now
    async with house.hub.open(ONE), house.hub.open(ONE) as reader:
        await reader.read()
    assert Joiner.open_now == before


async def test_a_hub_that_is_closed_ends_every_viewers_stream(house: House) -> None:
    ends: list[bytes] = []

    async def watch() -> None:
        async with house.hub.open(ONE) as reader:
            while data := await reader.read():
                ends.append(data)

    watching = [asyncio.create_task(watch()) for _ in range(5)]
    await turns()
    async with asyncio.timeout(60):
        await house.hub.aclose()
        await asyncio.gather(*watching)
    assert_nothing_held(house)


async def test_a_web_stream_is_read_only_so_far_ahead_of_its_fastest_reader(
    house: House,
) -> None:
    """It may be a file, which comes as fast as the network brings it."""
    async with house.hub.open(IPTV) as fast, house.hub.open(IPTV) as slow:
        [source] = house.receiver.sources
        source.send(*[packet(1) * 1000] * 100)
        await turns(MANY)
        reads = source.reads
        assert 10 < reads < 50
        await read(fast, 20)
        async with asyncio.timeout(60):
            while source.reads < reads + 10:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert slow.skips == 0
    await house.hub.aclose()


async def test_a_web_stream_goes_on_after_a_long_pause_of_its_only_viewer(house: House) -> None:
    """What the pause made too old is left out; the next point has to be read to go on there."""
    async with house.hub.open(IPTV) as reader:
        [source] = house.receiver.sources
        source.send(*[packet(1) * 1000] * 60)
        await turns(MANY)
        reads = source.reads
        house.time.now_s += POINT_S + 1
        await read(reader, 2)
        async with asyncio.timeout(60):
            while source.reads == reads:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        source.send(key(2), packet(3))
        assert await read(reader, 2) == GAP + key(2) + packet(3)
        assert reader.skips == 1
    await house.hub.aclose()


async def test_an_upstream_has_service_state_and_counters(house: House) -> None:
    async with house.hub.open(ONE) as reader:
        [upstream] = house.hub.upstreams
        assert upstream.service == ONE
        assert upstream.state is State.RUNNING
        assert upstream.readers == [reader]
        house.receiver.sources[0].send(packet(1))
        await read(reader, 2)
        assert (upstream.ring.kept_bytes, reader.bytes_out) == (2 * 188, 2 * 188)
        assert (await reader.stats()).bytes_in == 2 * 188
        assert isinstance(house.receiver.sources[0], Source)

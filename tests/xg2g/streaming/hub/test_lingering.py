"""Streams that go on for a while after their last viewer has left."""

import asyncio

import pytest

from tests.xg2g.streaming.receiver import (
    MANY,
    ONE,
    OTHER,
    House,
    Receiver,
    assert_nothing_held,
    key,
    packet,
    read,
    turns,
    watch_and_leave,
)
from xg2g.receiver.errors import (
    NoTunerError,
    ScrambledError,
    UnreachableError,
)
from xg2g.streaming.upstream import (
    STALE_S,
    State,
)
from xg2g_backends.base import RemuxOptions

pytestmark = pytest.mark.anyio


async def test_a_viewer_who_comes_back_while_it_lingers_gets_the_same_stream(house: House) -> None:
    await watch_and_leave(house.hub, ONE, ONE, ONE)
    assert house.receiver.opened == [ONE]
    assert [each.state for each in house.hub.upstreams] == [State.LINGERING]


async def test_a_stream_is_read_and_converted_on_while_it_lingers(house: House) -> None:
    await watch_and_leave(house.hub, ONE)
    house.receiver.sources[0].send(packet(1), key(2))
    await turns(MANY)
    async with house.hub.open(ONE) as reader:
        assert await reader.read() == key(2)


async def test_after_lingering_the_tuner_is_free(house: House) -> None:
    await watch_and_leave(house.hub, ONE)
    house.timers.expire()
    await turns()
    assert_nothing_held(house)


async def test_lingering_begins_anew_with_each_leave(house: House) -> None:
    await watch_and_leave(house.hub, ONE)
    [first] = house.timers.pending
    assert first.delay_s == 60
    async with house.hub.open(ONE):
        assert not house.timers.pending, "nobody lingers who watches"
    assert len(house.timers.pending) == 1
    assert first not in house.timers.pending


async def test_lingering_begins_when_the_last_viewer_leaves(house: House) -> None:
    async with house.hub.open(ONE):
        await watch_and_leave(house.hub, ONE)
        assert not house.timers.pending
        assert house.hub.lingering == 0
    assert house.hub.lingering == 1


@pytest.mark.parametrize("last", [b"", UnreachableError("the connection broke")])
async def test_a_stream_that_is_over_does_not_linger(house: House, last: bytes | Exception) -> None:
    async with house.hub.open(ONE) as reader:
        await reader.read()
        house.receiver.sources[0].send(last)
        if last:
            with pytest.raises(UnreachableError):
                await reader.read()
        else:
            assert await reader.read() == b""
    assert_nothing_held(house)


async def test_a_lingering_stream_that_ends_is_closed_at_once(house: House) -> None:
    await watch_and_leave(house.hub, ONE)
    house.receiver.sources[0].send(b"")
    await turns(MANY)
    assert_nothing_held(house)
    async with house.hub.open(ONE):
        assert house.receiver.opened == [ONE, ONE]


async def test_a_viewer_who_is_cancelled_leaves_a_stream_that_lingers(house: House) -> None:
    async def watch() -> None:
        async with house.hub.open(ONE) as reader:
            while True:
                await reader.read()

    watching = asyncio.create_task(watch())
    await turns()
    watching.cancel()
    await asyncio.wait({watching})
    assert house.hub.lingering == 1
    await watch_and_leave(house.hub, ONE)
    assert house.receiver.opened == [ONE]


async def test_a_stream_whose_viewer_fails_lingers(house: House) -> None:
    with pytest.raises(ZeroDivisionError):
        async with house.hub.open(ONE):
            raise ZeroDivisionError
    assert house.hub.lingering == 1


async def test_a_stream_that_stands_still_is_opened_anew_instead_of_handed_over(
    house: House,
) -> None:
    await watch_and_leave(house.hub, ONE)
    house.time.now_s += STALE_S + 0.1
    async with house.hub.open(ONE):
        assert house.receiver.opened == [ONE, ONE]
        assert house.receiver.open_now == [ONE]


async def test_a_stream_that_stands_still_under_its_viewers_is_shared(house: House) -> None:
    async with house.hub.open(ONE):
        house.time.now_s += STALE_S + 0.1
        async with house.hub.open(ONE):
            assert house.receiver.opened == [ONE]


async def test_a_viewer_who_is_cancelled_at_any_step_leaves_nothing_open() -> None:
    for count in range(30):
        house = House(limit=1)
        await watch_and_leave(house.hub, ONE)
        house.receiver.errors += [NoTunerError("no tuner")] * 2
        zapping = asyncio.create_task(watch_and_leave(house.hub, OTHER))
        await turns(count)
        zapping.cancel()
        await asyncio.wait({zapping})
        house.receiver.errors.clear()
        await house.aclose()


async def test_a_viewer_who_is_cancelled_while_joining_leaves_nothing_open(house: House) -> None:
    for count in range(10):
        await watch_and_leave(house.hub, ONE)
        taking = asyncio.create_task(watch_and_leave(house.hub, ONE))
        await turns(count)
        taking.cancel()
        await asyncio.wait({taking})
        await house.aclose()


async def test_a_stream_of_another_receiver_does_not_linger_and_is_not_shared(
    house: House,
) -> None:
    other = Receiver()
    await watch_and_leave(house.hub, OTHER)
    async with house.hub.open(ONE) as reader:
        house.hub.receiver = other
        await turns()
        assert house.receiver.open_now == [ONE], "who watches goes on, and what lingers ends"
        async with house.hub.open(ONE):
            assert other.open_now == [ONE]
            house.receiver.sources[1].send(packet(1))
            assert await read(reader, 2) == key(0) + packet(1)
    assert not house.receiver.open_now
    assert house.hub.lingering == 1


async def test_a_stream_with_other_options_does_not_linger_and_is_not_shared(
    house: House,
) -> None:
    await watch_and_leave(house.hub, OTHER)
    async with house.hub.open(ONE):
        house.hub.options = RemuxOptions(bitrate=128_000)
        async with house.hub.open(ONE):
            assert house.receiver.open_now == [ONE, ONE]
            bitrates = [it.options.bitrate for it in house.backend.remuxers if not it.closed]
            assert bitrates == [192_000, 128_000]
    assert house.receiver.open_now == [ONE]


async def test_a_stream_that_could_not_be_shown_does_not_linger(house: House) -> None:
    with pytest.raises(ScrambledError):
        async with house.hub.open(ONE):
            raise ScrambledError("scrambled")
    assert_nothing_held(house)

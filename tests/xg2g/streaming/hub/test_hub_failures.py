"""Streams that cannot be shown, or break: what viewers are told, and what is given back."""

import asyncio

import pytest

from tests.xg2g.streaming.receiver import (
    ONE,
    OTHER,
    House,
    assert_nothing_held,
    key,
    packet,
    turns,
    watch_and_leave,
)
from xg2g.receiver.errors import (
    NoSignalError,
    TimeLimitError,
    UnreachableError,
)
from xg2g.streaming.ring import POINT_S
from xg2g_backends.errors import UnavailableError

pytestmark = pytest.mark.anyio


async def test_when_the_first_source_cannot_be_had_the_next_is_opened(house: House) -> None:
    house.receiver.errors.append(UnreachableError("gone"))
    async with house.hub.open_first([ONE, OTHER]):
        assert house.receiver.open_now == [OTHER]
    house.receiver.errors += [UnreachableError("gone"), NoSignalError("none")]
    await house.hub.aclose()
    with pytest.raises(NoSignalError):
        async with house.hub.open_first([ONE, OTHER]):
            pass


async def test_a_stream_with_nothing_to_show_is_given_up_after_its_time() -> None:
    house = House(packet(0), first_output_s=0.05)
    with pytest.raises(TimeLimitError, match=r"0\.05 s"):
        await watch_and_leave(house.hub, ONE)
    assert_nothing_held(house)


async def test_output_of_a_transcoder_without_points_begins_anywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("xg2g.streaming.conversion.RANDOM_ACCESS_S", -1.0)
    house = House(packet(0) * 1000)
    watching = asyncio.create_task(watch_and_leave(house.hub, ONE))
    while not watching.done():
        await turns()
        for source in house.receiver.sources:
            source.send(packet(1))
    await watching
    async with house.hub.open(ONE) as reader:
        assert (await reader.read()).startswith(packet(1))
    await house.aclose()


async def test_a_new_viewer_of_a_stream_without_join_points_is_refused_in_time() -> None:
    house = House(first_output_s=0.05)
    async with house.hub.open(ONE) as reader:
        await reader.read()
        house.time.now_s += POINT_S + 1
        house.receiver.sources[0].send(packet(1))
        assert await reader.read() == packet(1)
        with pytest.raises(TimeLimitError):
            await watch_and_leave(house.hub, ONE)
        house.receiver.sources[0].send(packet(2))
        assert await reader.read() == packet(2), "who watches goes on"
    await house.aclose()


async def test_a_stream_that_ends_before_anything_can_be_shown_had_no_signal() -> None:
    house = House(packet(0), b"")
    with pytest.raises(NoSignalError):
        await watch_and_leave(house.hub, ONE)
    assert_nothing_held(house)


async def test_when_no_remuxer_can_be_had_the_receivers_stream_is_closed(house: House) -> None:
    house.backend.open_error = UnavailableError("no transcoder")
    with pytest.raises(UnavailableError):
        await watch_and_leave(house.hub, ONE)
    assert_nothing_held(house)


async def test_a_remuxer_that_fails_ends_the_stream_for_all_its_viewers(house: House) -> None:
    async with house.hub.open(ONE) as one, house.hub.open(ONE) as other:
        house.backend.remuxers[0].process_error = UnavailableError("gone")
        house.receiver.sources[0].send(packet(1))
        for reader in (one, other):
            assert await reader.read() == key(0)
            with pytest.raises(UnavailableError):
                await reader.read()
    assert_nothing_held(house)


async def test_an_unexpected_error_reaches_every_viewer_and_leaves_nothing_open(
    house: House,
) -> None:
    async with house.hub.open(ONE) as one, house.hub.open(ONE) as other:
        house.receiver.sources[0].send(ZeroDivisionError())
        for reader in (one, other):
            assert await reader.read() == key(0)
            with pytest.raises(ZeroDivisionError):
                await reader.read()
    assert_nothing_held(house)

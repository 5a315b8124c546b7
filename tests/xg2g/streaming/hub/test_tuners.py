"""Tuners: which channel gets one, and which gives one up."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.harness.fake_backend import FakeRemuxer
from tests.xg2g.streaming.receiver import (
    IPTV,
    MANY,
    ONE,
    ONE_TOO,
    OTHER,
    THIRD,
    House,
    assert_nothing_held,
    key,
    read,
    service,
    turns,
    watch_and_leave,
)
from xg2g.receiver.errors import (
    NoTunerError,
)
from xg2g.receiver.service_reference import ServiceReference
from xg2g.streaming.tuner_ledger import RELEASE_S

pytestmark = pytest.mark.anyio


async def test_a_request_that_gets_no_tuner_opens_no_remuxer(house: House) -> None:
    async with house.hub.open(ONE), house.hub.open(OTHER):
        with pytest.raises(NoTunerError, match="all 2 tuners"):
            await watch_and_leave(house.hub, THIRD)
        assert len(house.backend.remuxers) == 2
    house.receiver.errors.append(NoTunerError("the television has it"))
    await house.hub.aclose()
    house.time.now_s += 60
    with pytest.raises(NoTunerError, match="television"):
        await watch_and_leave(house.hub, THIRD)
    assert len(house.backend.remuxers) == 2


async def test_channels_of_one_transponder_share_a_tuner(house: House) -> None:
    async with house.hub.open(ONE), house.hub.open(ONE_TOO), house.hub.open(OTHER):
        assert house.hub.in_use == 2
        with pytest.raises(NoTunerError, match="all 2 tuners"):
            await watch_and_leave(house.hub, THIRD)
    assert THIRD not in house.receiver.opened


async def test_a_service_without_a_tuner_is_not_counted(house: House) -> None:
    async with house.hub.open(ONE), house.hub.open(OTHER), house.hub.open(IPTV):
        assert house.hub.in_use == 2


async def test_without_a_known_limit_the_receiver_alone_refuses() -> None:
    house = House(limit=None, linger_s=0)
    async with house.hub.open(ONE), house.hub.open(OTHER), house.hub.open(THIRD):
        assert house.hub.in_use == 3
    assert_nothing_held(house)


async def test_a_limit_that_is_raised_or_lowered_is_that_of_the_next_viewer(house: House) -> None:
    async with house.hub.open(ONE) as one, house.hub.open(OTHER) as other:
        house.hub.limit = 3
        async with house.hub.open(THIRD):
            house.hub.limit = 1
            with pytest.raises(NoTunerError):
                await watch_and_leave(house.hub, service(9, 9))
            assert await read(one, 1) == await read(other, 1) == key(0)


async def test_a_stream_that_lingers_makes_way_for_another_channel_the_first_left_first(
    house: House,
) -> None:
    await watch_and_leave(house.hub, ONE, OTHER)
    assert house.hub.lingering == 2
    async with house.hub.open(THIRD):
        assert house.receiver.open_now == [OTHER, THIRD]


async def test_the_tuner_is_free_before_the_other_channel_asks_for_it(house: House) -> None:
    house.hub.limit = 1
    house.receiver.closing_turns = 5
    await watch_and_leave(house.hub, ONE)
    open_then: list[ServiceReference] = []
    opened = house.receiver.open

    def watched(service: ServiceReference) -> object:
        open_then[:] = house.receiver.open_now
        return opened(service)

    house.receiver.open = watched  # type: ignore[method-assign,assignment]
    async with house.hub.open(OTHER):
        assert open_then == []


async def test_the_tuner_is_free_while_the_last_remuxer_is_still_closing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_close, close = asyncio.Event(), FakeRemuxer.aclose

    async def slowly(self: FakeRemuxer) -> None:
        await may_close.wait()
        await close(self)

    monkeypatch.setattr(FakeRemuxer, "aclose", slowly)
    house.hub.limit = 1
    await watch_and_leave(house.hub, ONE)
    zapping = asyncio.create_task(watch_and_leave(house.hub, OTHER))
    await turns(MANY)
    open_now = list(house.receiver.open_now)
    may_close.set()
    await zapping
    assert open_now == [OTHER]


async def test_only_streams_that_free_a_tuner_make_way(house: House) -> None:
    async with house.hub.open(ONE):
        await watch_and_leave(house.hub, ONE_TOO, OTHER)
        async with house.hub.open(THIRD):
            assert ONE in house.receiver.open_now
            assert OTHER not in house.receiver.open_now


async def test_a_viewer_who_comes_back_while_their_stream_makes_way_is_refused(
    house: House,
) -> None:
    house.hub.limit = 1
    await watch_and_leave(house.hub, ONE)
    zapping = asyncio.create_task(watch_and_leave(house.hub, OTHER))
    await asyncio.sleep(0)
    with pytest.raises(NoTunerError):
        await watch_and_leave(house.hub, ONE)
    await zapping


async def test_when_the_receiver_refuses_lingering_streams_are_ended_and_it_is_asked_again(
    house: House,
) -> None:
    await watch_and_leave(house.hub, ONE)
    house.receiver.errors += [NoTunerError("no tuner")] * len(RELEASE_S)
    async with house.hub.open(OTHER):
        assert house.receiver.open_now == [OTHER]


async def test_viewers_who_make_way_are_ended_for_another_channel(house: House) -> None:
    house.hub.limit = 1
    async with house.hub.open(ONE) as reader:
        reader.makes_way = True
        async with house.hub.open(OTHER):
            assert house.receiver.open_now == [OTHER]
            assert await read(reader, 1) == key(0)
            assert await read(reader, 1) == b""


@pytest.mark.parametrize("come_back", ["ask", "join"])
async def test_viewers_whose_tuner_was_not_taken_keep_it_when_they_are_back(
    house: House, come_back: str
) -> None:
    house.hub.limit = 1
    async with house.hub.open(ONE) as reader, AsyncExitStack() as stack:
        reader.makes_way = True
        if come_back == "ask":
            reader.makes_way = False
        else:
            await stack.enter_async_context(house.hub.open(ONE))
        with pytest.raises(NoTunerError):
            await watch_and_leave(house.hub, OTHER)


async def test_one_viewer_who_makes_way_ends_no_other(house: House) -> None:
    house.hub.limit = 1
    async with house.hub.open(ONE) as reader:
        async with house.hub.open(ONE):
            reader.makes_way = True
            with pytest.raises(NoTunerError):
                await watch_and_leave(house.hub, OTHER)
        # The other has left.
        async with house.hub.open(OTHER):
            assert house.receiver.open_now == [OTHER]


async def test_viewers_who_left_while_they_made_way_are_not_counted(house: House) -> None:
    house.hub.limit = 1
    async with house.hub.open(ONE) as reader:
        reader.makes_way = True
    async with house.hub.open(ONE):
        with pytest.raises(NoTunerError):
            await watch_and_leave(house.hub, OTHER)


async def test_when_the_receiver_refuses_viewers_who_make_way_are_given_up(house: House) -> None:
    async with house.hub.open(ONE) as reader:
        reader.makes_way = True
        house.receiver.errors += [NoTunerError("no tuner")] * len(RELEASE_S)
        async with house.hub.open(OTHER):
            assert house.receiver.open_now == [OTHER]


async def test_when_nothing_lingers_a_refusal_is_one_at_once(house: House) -> None:
    house.receiver.errors.append(NoTunerError("no tuner"))
    with pytest.raises(NoTunerError):
        await watch_and_leave(house.hub, ONE)
    assert not house.time.slept
    assert_nothing_held(house)


async def test_a_receiver_that_has_not_freed_the_last_tuner_yet_is_asked_again() -> None:
    house = House(linger_s=0, limit=1)
    await watch_and_leave(house.hub, ONE)
    house.receiver.errors += [NoTunerError("no tuner")] * 2
    await watch_and_leave(house.hub, OTHER)
    assert house.time.slept == list(RELEASE_S[:2])
    house.time.now_s += sum(RELEASE_S) + 1
    house.receiver.errors.append(NoTunerError("no tuner"))
    with pytest.raises(NoTunerError):
        await watch_and_leave(house.hub, OTHER)
    assert_nothing_held(house)


async def test_of_twenty_viewers_for_the_last_tuner_one_gets_it() -> None:
    house = House(linger_s=0, limit=1)
    left = asyncio.Event()

    async def watch(one: ServiceReference) -> bool:
        try:
            async with house.hub.open(one):
                await left.wait()
        except NoTunerError:
            return False
        return True

    watching = [asyncio.create_task(watch(service(n, n))) for n in range(1, 21)]
    await turns()
    assert house.hub.in_use == len(house.receiver.open_now) == 1
    assert house.hub.services == (service(1, 1),)
    left.set()
    assert sum(await asyncio.gather(*watching)) == 1
    assert_nothing_held(house)

"""Viewers of a hub: who shares what, who gets a tuner, and what is left when they have gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.harness.fake_backend import FakeRemuxer
from tests.xg2g.streaming.receiver import (
    GAP,
    IPTV,
    ONE,
    ONE_TOO,
    OTHER,
    THIRD,
    House,
    Joiner,
    Receiver,
    Source,
    assert_nothing_held,
    key,
    packet,
    service,
    turns,
    watch_and_leave,
)
from xg2g.receiver.errors import (
    NoSignalError,
    NoTunerError,
    ReceiverError,
    ScrambledError,
    TimeLimitError,
    UnknownServiceError,
    UnreachableError,
)
from xg2g.receiver.service_reference import ServiceReference
from xg2g.streaming.hub import UpstreamReader
from xg2g.streaming.ledger import RELEASE_S
from xg2g.streaming.reconnection import RECONNECT_DELAYS_S, STEADY_S
from xg2g.streaming.ring import POINT_S, RING_BYTES, RING_S
from xg2g.streaming.upstream import (
    GENERATION_STEP,
    STALE_S,
    State,
)
from xg2g_backends.base import Piece, RemuxOptions
from xg2g_backends.errors import UnavailableError

pytestmark = pytest.mark.anyio

MANY = 500
"""Turns of the event loop, in which everything happens that waits for nothing."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.aclose()


async def read(reader: UpstreamReader, count: int) -> bytes:
    async with asyncio.timeout(10):
        return b"".join([await reader.read() for _ in range(count)])


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


async def test_who_wants_what_is_kept_begins_with_the_oldest_picture_that_decodes(
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


async def test_who_is_refused_a_tuner_has_made_no_remuxer(house: House) -> None:
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


async def test_what_needs_no_tuner_is_not_counted(house: House) -> None:
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


async def test_who_opens_again_within_the_moment_gets_the_same_stream(house: House) -> None:
    await watch_and_leave(house.hub, ONE, ONE, ONE)
    assert house.receiver.opened == [ONE]
    assert [each.state for each in house.hub.upstreams] == [State.LINGERING]


async def test_a_stream_is_read_and_converted_on_while_it_lingers(house: House) -> None:
    await watch_and_leave(house.hub, ONE)
    house.receiver.sources[0].send(packet(1), key(2))
    await turns(MANY)
    async with house.hub.open(ONE) as reader:
        assert await reader.read() == key(2)


async def test_after_the_moment_the_tuner_is_free(house: House) -> None:
    await watch_and_leave(house.hub, ONE)
    house.timers.expire()
    await turns()
    assert_nothing_held(house)


async def test_the_moment_begins_anew_with_each_leave(house: House) -> None:
    await watch_and_leave(house.hub, ONE)
    [first] = house.timers.pending
    assert first.delay_s == 60
    async with house.hub.open(ONE):
        assert not house.timers.pending, "nobody lingers who watches"
    assert len(house.timers.pending) == 1
    assert first not in house.timers.pending


async def test_the_moment_begins_when_the_last_viewer_leaves(house: House) -> None:
    async with house.hub.open(ONE):
        await watch_and_leave(house.hub, ONE)
        assert not house.timers.pending
        assert house.hub.lingering == 0
    assert house.hub.lingering == 1


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


async def test_making_way_is_asked_only_of_what_frees_a_tuner(house: House) -> None:
    async with house.hub.open(ONE):
        await watch_and_leave(house.hub, ONE_TOO, OTHER)
        async with house.hub.open(THIRD):
            assert ONE in house.receiver.open_now
            assert OTHER not in house.receiver.open_now


async def test_who_comes_back_while_their_stream_makes_way_gets_another_or_a_reason(
    house: House,
) -> None:
    house.hub.limit = 1
    await watch_and_leave(house.hub, ONE)
    zapping = asyncio.create_task(watch_and_leave(house.hub, OTHER))
    await asyncio.sleep(0)
    with pytest.raises(NoTunerError):
        await watch_and_leave(house.hub, ONE)
    await zapping


async def test_when_the_receiver_refuses_what_lingers_is_given_up_and_it_is_asked_again(
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
async def test_viewers_who_made_way_for_nobody_keep_their_tuner_when_they_are_back(
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


async def test_who_left_while_they_made_way_are_not_counted_any_more(house: House) -> None:
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


async def test_a_stream_of_which_its_viewer_is_tired_lingers(house: House) -> None:
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


async def test_who_is_cancelled_at_any_moment_leaves_nothing_open() -> None:
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


async def test_who_is_cancelled_while_taking_over_leaves_nothing_open(house: House) -> None:
    for count in range(10):
        await watch_and_leave(house.hub, ONE)
        taking = asyncio.create_task(watch_and_leave(house.hub, ONE))
        await turns(count)
        taking.cancel()
        await asyncio.wait({taking})
        await house.aclose()


async def test_what_another_receiver_has_opened_does_not_linger_and_is_not_shared(
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


async def test_what_was_opened_with_other_options_does_not_linger_and_is_not_shared(
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


async def test_a_remuxer_keeps_the_one_program_of_its_service(house: House) -> None:
    async with house.hub.open(OTHER), house.hub.open(IPTV):
        assert [it.options.program for it in house.backend.remuxers] == [3, 0]


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


async def test_what_a_transcoder_of_before_the_points_converts_begins_anywhere(
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


async def test_who_comes_to_a_stream_that_nobody_can_begin_with_is_told_so_in_time() -> None:
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


async def test_a_fault_of_ours_is_told_to_every_viewer_and_holds_nothing(house: House) -> None:
    async with house.hub.open(ONE) as one, house.hub.open(ONE) as other:
        house.receiver.sources[0].send(ZeroDivisionError())
        for reader in (one, other):
            assert await reader.read() == key(0)
            with pytest.raises(ZeroDivisionError):
                await reader.read()
    assert_nothing_held(house)


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


async def test_what_an_upstream_keeps_is_bounded_without_time_passing() -> None:
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


# What becomes of a stream that the receiver loses under its viewers.


LOSSES = pytest.mark.parametrize(
    "loss",
    [b"", UnreachableError("the connection broke"), TimeLimitError("stood still")],
    ids=["ended", "broke", "stalled"],
)


@pytest.fixture
async def steady() -> AsyncIterator[House]:
    house = House(reconnect_s=12)
    yield house
    await house.aclose()


@LOSSES
async def test_a_lost_stream_comes_back_under_its_viewers_with_the_seam_marked(
    steady: House, loss: bytes | Exception
) -> None:
    async with steady.hub.open(ONE) as one, steady.hub.open(ONE) as other:
        steady.receiver.first = (packet(10), key(11))
        steady.receiver.sources[0].send(packet(1), loss)
        expected = key(0) + packet(1) + GAP + key(11)
        assert await read(one, 3) == await read(other, 3) == expected
        [upstream] = steady.hub.upstreams
        assert (upstream.ring.generation, upstream.reconnections) == (1, 1)
        assert steady.hub.in_use == 1
        assert steady.receiver.open_now == [ONE]
        [before, now] = steady.backend.remuxers
        assert before.closed
        assert now.options.generation == GENERATION_STEP
        assert one.skips == other.skips == 0
        steady.receiver.sources[1].send(packet(12))
        assert await read(one, 1) == await read(other, 1) == packet(12)


async def test_what_the_lost_streams_remuxer_still_held_is_sent(
    steady: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def finish(self: FakeRemuxer) -> Piece:
        return Piece(packet(99))

    monkeypatch.setattr(FakeRemuxer, "finish", finish)
    async with steady.hub.open(ONE) as reader:
        steady.receiver.sources[0].send(UnreachableError("broke"))
        assert await read(reader, 3) == key(0) + packet(99) + GAP + key(0)


async def test_it_is_tried_again_with_growing_waits_until_the_deadline(steady: House) -> None:
    async with steady.hub.open(ONE) as reader:
        steady.receiver.errors += [NoTunerError("not yet")] + [UnreachableError("booting")] * 20
        steady.receiver.sources[0].send(UnreachableError("the connection broke"))
        await reader.read()
        with pytest.raises(UnreachableError, match="the connection broke"):
            await reader.read()
        waits = [it for it in steady.time.slept if it not in RELEASE_S or it >= 1]
        assert waits[0] == RECONNECT_DELAYS_S[0]
        assert 8 <= sum(steady.time.slept) <= 12
        assert max(steady.time.slept) == RECONNECT_DELAYS_S[-1]
    assert_nothing_held(steady)


async def test_a_stream_that_the_receiver_ended_for_good_ends_without_an_error(
    steady: House,
) -> None:
    async with steady.hub.open(ONE) as reader:
        steady.receiver.errors += [UnreachableError("off")] * 20
        steady.receiver.sources[0].send(b"")
        assert await read(reader, 2) == key(0)


async def test_a_stream_that_is_lost_again_and_again_is_given_up(steady: House) -> None:
    steady.receiver.first = (key(0), b"")
    received = []
    async with asyncio.timeout(60), steady.hub.open(ONE) as reader:
        while data := await reader.read():
            received.append(data)
    assert 3 <= len(received) < 20


async def test_a_stream_that_held_for_a_while_is_tried_for_the_whole_time_again(
    steady: House,
) -> None:
    async with steady.hub.open(ONE) as reader:
        await reader.read()
        for _ in range(10):
            steady.time.now_s += STEADY_S
            steady.receiver.sources[-1].send(UnreachableError("nightly"))
            assert await reader.read() == GAP + key(0)
    assert len(steady.receiver.opened) == 11


async def test_while_a_stream_is_reconnected_it_keeps_its_tuner(steady: House) -> None:
    steady.hub.limit = 1
    async with steady.hub.open(ONE) as reader:
        await reader.read()
        steady.receiver.tunes.clear()
        steady.receiver.sources[0].send(UnreachableError("broke"))
        await turns(MANY)
        [upstream] = steady.hub.upstreams
        assert upstream.state is State.RECONNECTING
        with pytest.raises(NoTunerError):
            await watch_and_leave(steady.hub, OTHER)
        joining = asyncio.create_task(watch_and_leave(steady.hub, ONE))
        await turns()
        assert not joining.done(), "who comes meanwhile waits for what becomes of it"
        steady.receiver.tunes.set()
        await joining
        assert await reader.read() == GAP + key(0)


async def test_a_reconnection_that_everybody_has_left_ends(steady: House) -> None:
    async with steady.hub.open(ONE) as reader:
        await reader.read()
        steady.receiver.tunes.clear()
        steady.receiver.sources[0].send(UnreachableError("broke"))
        await turns(MANY)
    assert_nothing_held(steady)


async def test_a_lingering_stream_that_is_lost_is_not_reconnected(steady: House) -> None:
    await watch_and_leave(steady.hub, ONE)
    steady.receiver.sources[0].send(UnreachableError("broke"))
    await turns(MANY)
    assert_nothing_held(steady)
    assert steady.receiver.opened == [ONE]


async def test_a_stream_that_never_began_is_not_reconnected(steady: House) -> None:
    steady.receiver.first = (packet(0), UnreachableError("broke"))
    with pytest.raises(UnreachableError):
        await watch_and_leave(steady.hub, ONE)
    assert steady.receiver.opened == [ONE]


async def test_what_could_not_be_shown_does_not_linger(house: House) -> None:
    with pytest.raises(ScrambledError):
        async with house.hub.open(ONE):
            raise ScrambledError("noise")
    assert_nothing_held(house)


async def test_an_upstream_tells_what_it_is(house: House) -> None:
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

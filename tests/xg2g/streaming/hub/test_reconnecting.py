"""Streams that the receiver loses under their viewers."""

import asyncio

import pytest

from tests.harness.fake_backend import FakeRemuxer
from tests.xg2g.streaming.receiver import (
    GAP,
    MANY,
    ONE,
    OTHER,
    House,
    assert_nothing_held,
    key,
    packet,
    read,
    turns,
    watch_and_leave,
)
from xg2g.receiver.errors import (
    NoTunerError,
    TimeLimitError,
    UnreachableError,
)
from xg2g.streaming import conversion
from xg2g.streaming.reconnection import RECONNECT_DELAYS_S, STEADY_S
from xg2g.streaming.tuner_ledger import RELEASE_S
from xg2g.streaming.upstream import (
    GENERATION_STEP,
    State,
)
from xg2g_backends.base import Piece

pytestmark = pytest.mark.anyio


LOSSES = pytest.mark.parametrize(
    "loss",
    [b"", UnreachableError("the connection broke"), TimeLimitError("stood still")],
    ids=["ended", "broke", "stalled"],
)


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


async def test_output_that_the_remuxer_of_a_lost_stream_held_is_sent(
    steady: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def finish(self: FakeRemuxer) -> Piece:
        return Piece(packet(99))

    monkeypatch.setattr(FakeRemuxer, "finish", finish)
    async with steady.hub.open(ONE) as reader:
        steady.receiver.sources[0].send(UnreachableError("broke"))
        assert await read(reader, 3) == key(0) + packet(99) + GAP + key(0)


async def test_a_lost_stream_is_tried_again_with_growing_waits_until_the_deadline(
    steady: House,
) -> None:
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


async def test_behind_a_seam_viewers_of_a_transcoder_without_points_begin_anywhere_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversion, "RANDOM_ACCESS_S", -1.0)
    house = House(packet(0) * 1000, packet(1), packet(1), reconnect_s=12)
    async with house.hub.open(ONE) as reader:
        await reader.read()
        monkeypatch.undo()
        house.receiver.first = (packet(2), packet(3))
        house.receiver.sources[0].send(UnreachableError("broke"))
        assert await read(reader, 2) == GAP + packet(2) + packet(3)
        async with house.hub.open(ONE) as late:
            assert await late.read() == packet(3)
    await house.aclose()


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

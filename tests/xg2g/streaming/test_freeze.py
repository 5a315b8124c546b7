"""How long a viewer's picture stood still is told, and what the receiver pauses is not."""

import asyncio

import pytest
import structlog

from tests.harness.scripted_daemon import daemon, until
from tests.harness.stream_server import plays_at_leisure
from tests.xg2g.receiver.clock import Time
from tests.xg2g.streaming.receiver import ONE, House, packet
from xg2g.metrics import Outcome
from xg2g.receiver.errors import UnreachableError
from xg2g.streaming.conversion import FREEZE_S, FreezeTimer
from xg2g_backends.errors import UnavailableError

pytestmark = pytest.mark.anyio


def test_a_freeze_begins_with_input_and_ends_with_output() -> None:
    time = Time()
    watch = FreezeTimer(time.now)
    watch.received(0)
    assert watch.sent() is None
    time.now_s += 60
    watch.received(60)
    assert watch.sent() is None
    watch.received(0.02)
    time.now_s += 1
    watch.received(0.02)
    time.now_s += 1.5
    assert watch.sent() == pytest.approx(2.5)
    assert watch.sent() is None


def test_pauses_of_the_receiver_do_not_count() -> None:
    time = Time()
    watch = FreezeTimer(time.now)
    watch.received(0)
    time.now_s += 7
    watch.received(7)
    time.now_s += 0.1
    assert watch.sent() is None
    watch.received(0)
    time.now_s += 7
    watch.received(7)
    time.now_s += FREEZE_S
    assert watch.sent() == pytest.approx(FREEZE_S)


@pytest.mark.parametrize("ends", ["goes on", "fails"])
async def test_a_stream_tells_its_viewers_each_freeze_with_its_length_and_counts_it(
    ends: str,
) -> None:
    house = House()
    frozen: list[float] = []
    async with house.hub.open(ONE) as first, house.hub.open(ONE) as second:
        first.on_freeze = second.on_freeze = frozen.append
        [source], [remuxer] = house.receiver.sources, house.backend.remuxers
        await first.read()
        remuxer.gate.clear()
        source.send(packet(1))
        await until(lambda: remuxer.inside == 1)
        house.time.now_s += 4
        if ends == "fails":
            remuxer.process_error = UnavailableError("no transcoder for 30 s")
        remuxer.gate.set()
        reading = asyncio.ensure_future(first.read())
        await asyncio.wait({reading})
        assert (reading.exception() is not None) == (ends == "fails")
        [upstream] = house.hub.upstreams or [first.upstream]
        assert upstream.freezes == 1
    assert frozen == [pytest.approx(4)] * 2
    samples = [it for family in house.metrics.freeze_s.collect() for it in family.samples]
    assert [it.value for it in samples if it.name == "xg2g_stream_freeze_seconds_sum"] == [
        pytest.approx(8)
    ]
    await house.aclose()


async def test_a_receiver_that_was_lost_is_no_freeze() -> None:
    house = House(reconnect_s=12)
    async with house.hub.open(ONE) as reader:
        await reader.read()
        house.receiver.errors += [UnreachableError("booting")] * 3
        held_back = packet(1)[:100]
        house.receiver.sources[0].send(held_back, UnreachableError("the connection broke"))
        assert await reader.read()
        assert sum(house.time.slept) > FREEZE_S
        assert reader.upstream.reconnections == 1
        assert reader.upstream.freezes == 0
    await house.aclose()


async def test_the_log_has_the_freeze_with_channel_and_viewer() -> None:
    time = Time()
    async with daemon(plays_at_leisure, now=time.now) as gateway:
        with structlog.testing.capture_logs() as logs:
            reader, writer = await gateway.watch()
            [remuxer] = gateway.backend.remuxers
            remuxer.gate.clear()
            await until(lambda: remuxer.inside == 1)
            time.now_s += 2
            remuxer.gate.set()
            await until(lambda: any("frozen_s" in line for line in logs))
            writer.close()
            await gateway.ended(Outcome.VIEWER_LEFT)
    [line] = [line for line in logs if "frozen_s" in line]
    assert (line["frozen_s"], line["name"], line["viewer"]) == (2, "Das Erste HD", "127.0.0.1")

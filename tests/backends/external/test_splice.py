"""What becomes of a stream when its transcoder is lost."""

from contextlib import AsyncExitStack

import pytest

from tests.backends.external.stand_in import Fault, Refusal, StandIn, stand_in
from tests.backends.external.world import PIECES, STREAM, World, one_service, real_part, world
from xg2g_backends.base import RemuxOptions
from xg2g_backends.errors import (
    UnavailableError,
)
from xg2g_backends.external.input_buffer import WAITING_BYTES
from xg2g_backends.external.pool import LONGEST_PAUSE_S
from xg2g_backends.external.remuxer import OUTAGE_S
from xg2g_backends.external.transcoder import MAX_BODY_BYTES

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "loss",
    [
        [Fault.CUT_BEFORE, Fault.CUT_BEFORE],
        [Fault.SILENCE, Fault.SILENCE],
        [Refusal(500, "Poisoned")],
        [Refusal(404, "NotFound")],
        [Refusal(409, "BadSequence")],
        [Refusal(503, "Stopping")],
        [Refusal(502, "")],
    ],
    ids=str,
)
async def test_after_a_splice_the_next_generation_has_all_input(
    loss: list[Fault | Refusal],
) -> None:
    async with stand_in() as first, stand_in() as second, world(first, second) as made:
        async with await made.open(RemuxOptions(bitrate=96_000)) as remuxer:
            output = b""
            for number, piece in enumerate(PIECES):
                if number == 4:
                    first.faults.extend(loss)
                output += (await remuxer.process(piece)).data
        [lost], [next_one] = first.all, second.all or first.all[1:]
    assert next_one.options == {**lost.options, "generation": 1}
    before = 4 * 30_000
    rest = before % 188
    # The tables come again; after them the stream goes on at the packet that was cut.
    lead = real_part(next_one.bodies[0], PIECES[4])
    assert lead[len(lead) - rest :] == STREAM[before - rest : before]
    assert (len(lead) - rest) // 188 == 2
    tables = lead[: len(lead) - rest]
    assert (
        output
        == STREAM[: before - rest] + tables + STREAM[before - rest : len(output) - len(tables)]
    )
    assert len(STREAM) + len(tables) - len(output) < 188
    assert made.counts.splices == 1


async def test_a_restarted_service_continues_the_stream_at_once() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        await remuxer.process(PIECES[0])
        service.die()
        assert (await remuxer.process(PIECES[1])).data
    assert [remote.options["generation"] for remote in service.all] == [0, 1]


async def test_input_is_dropped_after_two_remuxers_were_lost_with_it() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        await remuxer.process(PIECES[0])
        service.faults.extend([Refusal(500, "Internal"), Refusal(500, "Internal")])
        await remuxer.process(PIECES[1])
        assert world.counts.dropped_bytes == len(PIECES[1])
        output = (await remuxer.process(PIECES[2])).data
    assert len(output) > len(PIECES[2]) - 2 * 188
    assert [remote.options["generation"] for remote in service.all] == [0, 1, 2]
    assert PIECES[1] not in b"".join(service.all[2].bodies)


async def test_without_a_transcoder_a_live_stream_buffers_its_input() -> None:
    async with stand_in() as service:
        port = int(service.address.url.rpartition(":")[2])
        made = World([service], live=True, fallback=None)
        remuxer = await made.open()
        output = (await remuxer.process(PIECES[0])).data
    for piece in PIECES[1:4]:
        assert (await remuxer.process(piece)).data == b""
    async with stand_in(port) as service:
        assert (await remuxer.process(PIECES[4])).data == b"", "too early to ask again"
        made.clock.now_s += LONGEST_PAUSE_S
        output += (await remuxer.process(PIECES[5])).data
        await remuxer.aclose()
        assert not service.remotes
        await made.backend.aclose()
    sent = b"".join(service.all[0].bodies)
    assert sent.endswith(b"".join(PIECES[1:6]))
    assert service.all[0].options["generation"] == 1
    assert made.counts.dropped_bytes == 0


async def test_the_input_that_waits_for_a_transcoder_is_bounded() -> None:
    async with stand_in() as service:
        made = World([service], live=True, fallback=None)
        remuxer = await made.open()
    for _ in range(2 * WAITING_BYTES // len(STREAM)):
        assert (await remuxer.process(STREAM)).data == b""
    assert remuxer._input.waiting_bytes <= WAITING_BYTES
    assert made.counts.dropped_bytes >= WAITING_BYTES // 2
    await remuxer.aclose()
    await made.backend.aclose()


async def test_a_stream_without_a_transcoder_ends_after_a_while() -> None:
    async with stand_in() as service:
        made = World([service], live=True, fallback=None)
        remuxer = await made.open()
    await remuxer.process(PIECES[0])
    made.clock.now_s += OUTAGE_S - 0.1
    await remuxer.process(PIECES[1])
    made.clock.now_s += 3
    with pytest.raises(UnavailableError, match=r"30 s.*refused"):
        await remuxer.process(PIECES[2])
    await remuxer.aclose()
    await made.backend.aclose()


async def test_a_recording_waits_for_a_transcoder_and_nothing_is_dropped() -> None:
    async with stand_in() as service:
        port = int(service.address.url.rpartition(":")[2])
        made = World([service], live=False, fallback=None)
        remuxer = await made.open()
        await remuxer.process(PIECES[0])
    waits_s: list[float] = []

    async with AsyncExitStack() as stack:

        async def sleep(delay_s: float) -> None:
            waits_s.append(delay_s)
            made.clock.now_s += delay_s
            if len(waits_s) == 3:
                stack.push_async_callback(remuxer.aclose)
                services.append(await stack.enter_async_context(stand_in(port)))

        services: list[StandIn] = []
        object.__setattr__(made.backend._context, "sleep", sleep)
        await remuxer.process(PIECES[1])
        await remuxer.aclose()
        assert b"".join(services[0].all[0].bodies).endswith(PIECES[1])
        await made.backend.aclose()
    assert waits_s == pytest.approx([0.25, 0.5, 1.0])


async def test_after_an_outage_the_first_output_is_returned_at_once() -> None:
    async with stand_in() as service:
        port = int(service.address.url.rpartition(":")[2])
        made = World([service], live=True, fallback=None)
        remuxer = await made.open()
        output = (await remuxer.process(PIECES[0])).data
    for piece in PIECES[1:-3]:
        assert (await remuxer.process(piece)).data == b""
    made.clock.now_s += LONGEST_PAUSE_S
    async with stand_in(port) as service:
        for piece in PIECES[-3:]:
            output += (await remuxer.process(piece)).data
            assert len(service.all[0].bodies[-1]) <= MAX_BODY_BYTES
        assert len(service.all[0].bodies) == 3
        output += (await remuxer.finish()).data
        sent = b"".join(service.all[0].bodies)
        assert sent.endswith(b"".join(PIECES[1:]))
        await remuxer.aclose()
        await made.backend.aclose()


async def test_byte_counters_survive_a_splice() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        output = (await remuxer.process(PIECES[0])).data
        service.die()
        output += (await remuxer.process(PIECES[1])).data
        stats = await remuxer.stats()
    assert stats.bytes_in == len(PIECES[0]) + len(PIECES[1])
    assert stats.bytes_out == len(output)
    assert stats.packets_in == 7

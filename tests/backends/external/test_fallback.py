"""Streams that the library in this process continues."""

import pytest

from tests.backends.external.stand_in import Fault, stand_in
from tests.backends.external.world import PIECES, STREAM, World, one_service
from tests.harness.fake_backend import FakeBackend
from xg2g_backends.base import RemuxOptions
from xg2g_backends.external.address import ServiceAddress
from xg2g_backends.external.backend import ExternalBackend

pytestmark = pytest.mark.anyio


async def test_the_fallback_continues_a_stream_and_the_next_stream_is_external() -> None:
    fallback = FakeBackend()
    async with stand_in() as service:
        port = int(service.address.url.rpartition(":")[2])
        made = World([service], live=True, fallback=fallback)
        remuxer = await made.open()
        output = (await remuxer.process(PIECES[0])).data
    output += (await remuxer.process(PIECES[1])).data
    [local] = fallback.remuxers
    assert local.options.generation == 1
    assert output.endswith(PIECES[1][: -188 * 2][-1000:]) or PIECES[1][:20_000] in output
    assert made.counts.fallbacks == 1
    async with stand_in(port) as service:
        async with await made.open() as other:
            await other.process(PIECES[0])
        assert service.all[0].bodies == [PIECES[0]]
        assert (await remuxer.process(PIECES[2])).data
        await remuxer.aclose()
        await made.backend.aclose()
    assert local.closed and fallback.closed


async def test_input_that_may_have_crashed_a_transcoder_does_not_reach_the_fallback() -> None:
    fallback = FakeBackend()
    async with one_service(fallback) as (world, service):
        remuxer = await world.open()
        await remuxer.process(PIECES[0])
        service.faults.extend([Fault.CUT_BEFORE, Fault.CUT_BEFORE])
        output = (await remuxer.process(PIECES[1])).data
        output += (await remuxer.process(PIECES[2])).data
        await remuxer.aclose()
    # The packet that was cut by the first piece's end had come into the transcoder before.
    whole = -(-len(PIECES[0]) // 188) * 188
    lost = {STREAM[at : at + 188] for at in range(whole, len(PIECES[0]) + len(PIECES[1]), 188)}
    came = [output[at : at + 188] for at in range(0, len(output), 188)]
    assert {pid_of(packet) for packet in came if packet in lost} == {VIDEO_PID}
    assert 100 * 188 < world.counts.dropped_bytes < len(PIECES[1])


@pytest.mark.parametrize("size", [30_000, 188 * 40, 4_001])
async def test_the_video_continues_without_a_gap_in_the_fallback(size: int) -> None:
    pieces = [STREAM[at : at + size] for at in range(0, 240_000, size)]
    fallback = FakeBackend()
    async with one_service(fallback) as (world, service):
        remuxer = await world.open()
        came = 0
        output = b""
        for number, piece in enumerate(pieces):
            if number == len(pieces) // 2:
                came = len(b"".join(service.all[0].bodies))
                service.faults.extend([Fault.CUT_BEFORE, Fault.CUT_BEFORE])
            output += (await remuxer.process(piece)).data
        await remuxer.aclose()
    assert world.counts.fallbacks == 1
    assert 0 < came < len(STREAM)
    [local] = fallback.remuxers
    taken = local.taken
    # From the packet on that the transcoder had begun.
    sent = b"".join(pieces)
    video = [it for it in packets_of(sent[came - came % 188 :]) if pid_of(it) == VIDEO_PID]
    assert [it for it in packets_of(taken) if pid_of(it) == VIDEO_PID] == video


VIDEO_PID = 0x101


def packets_of(stream: bytes) -> list[bytes]:
    return [stream[at : at + 188] for at in range(0, len(stream) - 187, 188)]


def pid_of(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


async def test_a_stream_begins_in_this_process_when_no_service_answers() -> None:
    fallback = FakeBackend()
    backend = ExternalBackend([ServiceAddress.parse("http://127.0.0.1:1")], fallback=fallback)
    async with await backend.open(RemuxOptions()) as remuxer:
        assert (await remuxer.process(STREAM)).data == STREAM
    await backend.aclose()

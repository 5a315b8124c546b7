"""What a viewer has of a stream whose transcoders die: real services, judged by eye and ear."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.backends.external.world import Counts
from tests.harness.balancer import Balancer, InTurn
from tests.harness.ports import free_address
from tests.harness.transcoder import Transcoder, short_folder, transcoder, way_to
from tests.oracle.audio_sync import compare, decode_track
from tests.oracle.transport import Packets
from tests.oracle.ts_checker import check
from tests.remux.broadcast import AUDIO, VIDEO, clean
from xg2g_backends.base import Piece, Point, PointKind, RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend
from xg2g_backends.external.address import ServiceAddress
from xg2g_backends.external.backend import ExternalBackend
from xg2g_backends.external.deadlines import TICK_S, Deadlines

pytestmark = pytest.mark.anyio

CLIP = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips" / "one-hd.ts"
CLIP_VIDEO = 0x101

SECONDS = 8.0
CHUNK_BYTES = 5000
"""Not a multiple of a packet, so that a loss falls within one."""
ANSWER_S = 60.0
"""Deadlines for tests that are not about the duration of a request."""
VERSIONS = {"pmt_version", "pat_version"}
"""After a splice the tables have another version, although their content is the same."""


@cache
def source(codec: str = "ac3") -> bytes:
    return clean(codec, SECONDS)


def within_video(stream: bytes, at: int) -> int:
    """Where the next chunk begins within a packet of video, so that its loss is seen."""
    pids = Packets(stream[: len(stream) // 188 * 188]).pid
    starts = range(at // CHUNK_BYTES * CHUNK_BYTES, len(stream), CHUNK_BYTES)
    return next(it for it in starts if it % 188 and pids[it // 188] in (VIDEO, CLIP_VIDEO))


async def pieces(stream: bytes, at_middle: Callable[[], object]) -> AsyncIterator[bytes]:
    """The stream in chunks; something happens in the middle of it."""
    middle = within_video(stream, len(stream) // 2)
    for at in range(0, len(stream), CHUNK_BYTES):
        if at == middle:
            at_middle()
        yield stream[at : at + CHUNK_BYTES]


async def converted(
    backend: ExternalBackend, stream: bytes, at_middle: Callable[[], object]
) -> Piece:
    async with await backend.open(RemuxOptions()) as remuxer:
        output = [await remuxer.process(piece) async for piece in pieces(stream, at_middle)]
        output.append(await remuxer.finish())
    await backend.aclose()
    return Piece.joined(output)


async def converted_whole(stream: bytes) -> Piece:
    """What the library makes of it, without any loss."""
    embedded = EmbeddedBackend()
    async with await embedded.open(RemuxOptions()) as remuxer:
        output = Piece.joined([await remuxer.process(stream), await remuxer.finish()])
    await embedded.aclose()
    return output


def payloads(stream: bytes, pid: int) -> NDArray[np.uint8]:
    """The packets of a PID that carry something, without what a PCR's shift changes."""
    packets = Packets(stream)
    kept = (packets.pid == pid) & packets.has_payload
    rows: NDArray[np.uint8] = packets.rows[kept].copy()
    rows[packets.pcr_27m[kept] >= 0, 6:12] = 0
    return rows


def joins(output: Piece) -> dict[int, Point]:
    """PTS -> random access point; each has to be where it says."""
    found = {}
    for point in output.points:
        if point.kind is not PointKind.RANDOM_ACCESS:
            continue
        packet = output.data[point.offset : point.offset + 188]
        assert packet[:3] == bytes((0x47, 0x40 | CLIP_VIDEO >> 8, CLIP_VIDEO & 0xFF))
        assert point.pts_90k is not None
        assert point.pts_90k == pts_90k(packet)
        tables = Packets(point.tables).pid
        assert tables[0] == 0 and len(tables) >= 2
        found[point.pts_90k] = point
    return found


def pts_90k(packet: bytes) -> int:
    """PTS of the PES packet that begins in a packet (H.222.0, 2.4.3.7)."""
    start = 5 + packet[4] if packet[3] & 0x20 else 4
    stamp = packet[start + 9 : start + 14]
    high, middle, low = stamp[0] >> 1 & 7, stamp[1] << 8 | stamp[2], stamp[3] << 8 | stamp[4]
    return high << 30 | middle >> 1 << 15 | low >> 1


@pytest.mark.parametrize("other", ["service", "library"])
async def test_offsets_of_points_count_the_output_of_all_transcoders(other: str) -> None:
    stream = CLIP.read_bytes()
    with transcoder() as first, transcoder() as second:
        addresses = [first.address, second.address] if other == "service" else [first.address]
        fallback = EmbeddedBackend() if other == "library" else None
        backend = ExternalBackend(addresses, fallback=fallback, live=False)
        output = await converted(backend, stream, lambda: first.stop(signal.SIGKILL))
    # One may be lost with its transcoder.
    expected, found = joins(await converted_whole(stream)), joins(output)
    assert len(expected) > 5
    assert set(found) <= set(expected)
    assert len(found) >= len(expected) - 1
    assert [point.offset for point in found.values()] == sorted(it.offset for it in found.values())
    assert PointKind.DISCONTINUITY in {point.kind for point in output.points}


def judge(stream: bytes, output: bytes) -> None:
    """Every picture packet once and in order, no new error, the sound in sync and soon back."""
    assert np.array_equal(payloads(stream, VIDEO), payloads(output, VIDEO))
    worse = check(output).worse_than(check(stream))
    assert set(worse) <= VERSIONS, worse
    before, after = (decode_track(Packets(it), AUDIO) for it in (stream, output))
    assert before is not None and after is not None
    assert after.codec == "aac"
    assert not after.refused
    found = compare(before.decoded, after.decoded, (0, 0.2, 0.4, 0.6, 0.8, 1))
    assert found.offset_ms <= 1
    assert found.correlation >= 0.9
    assert found.longest_gap_s < 0.4


@pytest.mark.parametrize("codec", ["mp2", "ac3", "aac_latm"])
async def test_a_killed_and_restarted_service_costs_a_moment_of_audio(codec: str) -> None:
    with short_folder() as folder, transcoder(f"unix://{folder}/t.sock") as service:
        backend = ExternalBackend([service.address], live=False)
        output = await converted(backend, source(codec), service.restart)
    judge(source(codec), output.data)


async def test_the_next_service_continues_for_a_dead_one() -> None:
    with transcoder() as first, transcoder() as second:
        backend = ExternalBackend([first.address, second.address])
        output = await converted(backend, source(), lambda: first.stop(signal.SIGKILL))
        judge(source(), output.data)
        health = await ExternalBackend([second.address]).check()
        assert health.open_remuxers == 0


async def test_a_service_that_stops_in_order_loses_nothing() -> None:
    with transcoder() as first, transcoder() as second, ExitStack() as stack:

        def stop() -> None:
            thread = asyncio.get_running_loop().run_in_executor(None, first.stop)
            stack.callback(thread.cancel)

        backend = ExternalBackend([first.address, second.address])
        output = await converted(backend, source(), stop)
    judge(source(), output.data)


async def test_the_fallback_continues_when_the_only_service_dies() -> None:
    with transcoder() as service:
        backend = ExternalBackend([service.address], fallback=EmbeddedBackend())
        output = await converted(backend, source(), lambda: service.stop(signal.SIGKILL))
    judge(source(), output.data)


async def test_lost_responses_leave_no_trace_in_the_output() -> None:
    stream = source()
    expected = await converted_whole(stream)
    with transcoder() as service, short_folder() as folder:
        async with way_to(service.address, folder) as way:

            def lose() -> None:
                way.answers_to_cut = 1

            backend = ExternalBackend([way.address])
            assert await converted(backend, stream, lose) == expected


def test_a_silence_costs_three_seconds_at_most() -> None:
    """Until it is noticed, and another service has taken the connection."""
    assert Deadlines().silence_s + 2 * TICK_S < 3


@pytest.mark.parametrize("other", ["service", "library"])
async def test_a_frozen_service_is_given_up(other: str) -> None:
    """As when its machine is suspended: connections stay, answers do not come."""
    # Long before the time that one request may take.
    deadlines = Deadlines(answer_s=ANSWER_S)
    with transcoder() as first, transcoder() as second:
        addresses = [first.address, second.address] if other == "service" else [first.address]
        fallback = EmbeddedBackend() if other == "library" else None
        backend = ExternalBackend(addresses, fallback=fallback, deadlines=deadlines)
        longest_s = 0.0
        async with await backend.open(RemuxOptions()) as remuxer:
            output = []
            async for piece in pieces(source(), lambda: first.send_signal(signal.SIGSTOP)):
                began_s = time.monotonic()
                output.append((await remuxer.process(piece)).data)
                longest_s = max(longest_s, time.monotonic() - began_s)
            output.append((await remuxer.finish()).data)
        await backend.aclose()
    assert 1 < longest_s < ANSWER_S
    if other == "service":
        judge(source(), b"".join(output))


async def test_a_service_that_resumes_leaves_no_trace_in_the_output() -> None:
    """Longer than any deadline of a request, and shorter than the patience for an outage."""
    expected = await converted_whole(source())
    with transcoder() as service:

        def stop() -> None:
            service.send_signal(signal.SIGSTOP)
            loop = asyncio.get_running_loop()
            loop.call_later(Deadlines().answer_s + 1, service.send_signal, signal.SIGCONT)

        backend = ExternalBackend([service.address])
        assert await converted(backend, source(), stop) == expected


async def test_the_right_token_is_accepted_and_a_wrong_one_reported() -> None:
    with transcoder(token="right") as service:
        for token, usable in (("right", True), ("wrong", False), (None, False)):
            backend = ExternalBackend([service.address], token=token)
            health = await backend.check()
            assert health.usable == usable, health.detail
            assert usable or "XG2G_EXTERNAL_TRANSCODER_TOKEN" in health.detail
            if usable:
                async with await backend.open(RemuxOptions()) as remuxer:
                    assert (await remuxer.process(source())).data
            await backend.aclose()


async def test_a_full_service_passes_streams_on() -> None:
    with transcoder(None, "--max-remuxers", "1") as small, transcoder() as large:
        backend = ExternalBackend([small.address, large.address])
        remuxers = [await backend.open(RemuxOptions()) for _ in range(4)]
        health = await backend.check()
        assert health.open_remuxers == 4
        assert "is full: 1 of 1" in health.warnings[0]
        for remuxer in remuxers:
            await remuxer.aclose()
        assert (await backend.check()).open_remuxers == 0
        await backend.aclose()


async def test_requests_go_directly_to_the_instance_that_a_load_balancer_chose() -> None:
    with transcoder(None, "--advertise", "auto") as service, short_folder() as folder:
        async with way_to(service.address, folder) as balancer:
            backend = ExternalBackend([balancer.address])
            async with await backend.open(RemuxOptions()) as remuxer:
                balancer.answers_to_cut = 1
                assert (await remuxer.process(source())).data
            assert balancer.answers_to_cut == 1, "no chunk went through the balancer"
            await backend.aclose()


async def test_an_update_behind_one_address_refuses_nobody_and_loses_no_picture() -> None:
    """As in Kubernetes: a new instance is ready before an old one ends, which may still be chosen
    for a while."""
    flags = ("--advertise", "auto", "--shutdown-grace", "0.5s")
    stream = source()
    thirds = [within_video(stream, len(stream) * part // 4) for part in (1, 2, 3)]
    with ExitStack() as stack:
        old = [stack.enter_context(transcoder(None, *flags)) for _ in thirds]
        new = [Transcoder(free_address(), *flags) for _ in thirds]
        address = ServiceAddress.parse(free_address())
        async with Balancer(address, [*old, *new], InTurn()) as balancer:
            counts = Counts()
            backend = ExternalBackend([address], observer=counts)
            remuxers = [await backend.open(RemuxOptions()) for _ in range(3)]
            outputs = [b""] * len(remuxers)
            for at in range(0, len(stream), CHUNK_BYTES):
                if at in thirds:
                    place = thirds.index(at)
                    await asyncio.to_thread(stack.enter_context, new[place])
                    await balancer.probe()
                    old[place].send_signal(signal.SIGTERM)
                    while old[place].alive:
                        async with await backend.open(RemuxOptions()):
                            await asyncio.sleep(0)
                for number, remuxer in enumerate(remuxers):
                    piece = await remuxer.process(stream[at : at + CHUNK_BYTES])
                    outputs[number] += piece.data
            for number, remuxer in enumerate(remuxers):
                outputs[number] += (await remuxer.finish()).data
                await remuxer.aclose()
            await backend.aclose()
    assert counts.splices >= len(remuxers), "each of the first instances ended"
    for output in outputs:
        judge(stream, output)

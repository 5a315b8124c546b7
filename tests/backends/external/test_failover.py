"""What becomes of a stream when answers, remuxers and services are lost."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backends.external.stand_in import Fault, Refusal, StandIn, stand_in
from tests.harness.fake_backend import FakeBackend
from xg2g_backends.base import Piece, RemuxOptions
from xg2g_backends.errors import (
    ClosedError,
    FinishedError,
    InvalidArgumentError,
    UnavailableError,
)
from xg2g_backends.external.address import ServiceAddress
from xg2g_backends.external.backend import ExternalBackend
from xg2g_backends.external.deadlines import Deadlines
from xg2g_backends.external.input_buffer import WAITING_BYTES
from xg2g_backends.external.pool import LONGEST_PAUSE_S
from xg2g_backends.external.remuxer import OUTAGE_S, ExternalRemuxer
from xg2g_backends.external.transcoder import MAX_BODY_BYTES

pytestmark = pytest.mark.anyio

CLIP = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips" / "one-hd.ts"
STREAM = CLIP.read_bytes()[: 3000 * 188]
PIECES = [STREAM[at : at + 30_000] for at in range(0, len(STREAM), 30_000)]
QUICK = Deadlines(connect_s=5, answer_s=1)


class Counts:
    """An observer that counts."""

    def __init__(self) -> None:
        self.retries = self.takeovers = self.fallbacks = self.dropped_bytes = 0

    def retried(self) -> None:
        self.retries += 1

    def spliced(self) -> None:
        self.takeovers += 1

    def fallen_back(self) -> None:
        self.fallbacks += 1

    def dropped(self, count: int) -> None:
        self.dropped_bytes += count


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class World:
    """A backend over stand-ins, with a clock of its own."""

    def __init__(
        self,
        stand_ins: Sequence[StandIn],
        live: bool,
        fallback: FakeBackend | None,
        deadlines: Deadlines = QUICK,
    ) -> None:
        self.clock = Clock()
        self.counts = Counts()
        self.fallback = fallback
        self.backend = ExternalBackend(
            [service.address for service in stand_ins],
            token="secret",
            live=live,
            fallback=fallback,
            observer=self.counts,
            deadlines=deadlines,
            clock_s=self.clock,
        )

    async def open(self, options: RemuxOptions | None = None) -> ExternalRemuxer:
        return await self.backend.open(options or RemuxOptions())


@asynccontextmanager
async def world(
    *stand_ins: StandIn,
    live: bool = True,
    fallback: FakeBackend | None = None,
    deadlines: Deadlines = QUICK,
) -> AsyncIterator[World]:
    made = World(stand_ins, live, fallback, deadlines)
    try:
        yield made
    finally:
        await made.backend.aclose()


@asynccontextmanager
async def one_service(fallback: FakeBackend | None = None) -> AsyncIterator[tuple[World, StandIn]]:
    async with stand_in() as service, world(service, fallback=fallback) as made:
        yield made, service


def real_part(body: bytes, chunk: bytes) -> bytes:
    """What a takeover's first body has before the chunk."""
    assert body.endswith(chunk)
    return body[: len(body) - len(chunk)]


@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_WITHIN, Fault.SILENCE]
)
async def test_a_lost_answer_is_asked_for_again_and_nothing_is_processed_twice(
    fault: Fault,
) -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        output = b""
        for number, piece in enumerate(PIECES):
            if number == 3:
                service.faults.append(fault)
            output += (await remuxer.process(piece)).data
        output += (await remuxer.finish()).data
    assert output == STREAM
    assert b"".join(service.all[0].bodies) == STREAM
    assert (world.counts.retries, world.counts.takeovers) == (1, 0)


SILENCE = Deadlines(connect_s=5, answer_s=60, silence_s=0.3, outage_s=60)
"""Nothing but silence ends a request in the time that a test has."""


@pytest.mark.parametrize("other", ["service", "fallback"])
async def test_a_service_that_answers_nobody_is_left_at_once_for_what_else_there_is(
    other: str,
) -> None:
    async with stand_in() as first, stand_in() as second, asyncio.timeout(20):
        services = (first, second) if other == "service" else (first,)
        fallback = FakeBackend() if other == "fallback" else None
        async with world(*services, fallback=fallback, deadlines=SILENCE) as made:
            async with await made.open() as remuxer:
                assert (await remuxer.process(PIECES[0])).data
                first.frozen.clear()
                await remuxer.process(PIECES[1])
                assert (await remuxer.process(PIECES[2])).data
                assert made.counts.retries == 0
                assert (made.counts.takeovers, made.counts.fallbacks) == (
                    1,
                    int(other == "fallback"),
                )
                # Nobody waits for it again until it answers.
                async with await made.open() as another:
                    assert (await another.process(PIECES[0])).data
            first.frozen.set()
            while len(first.all) < 2:
                async with await made.open() as again:
                    assert (await again.process(PIECES[0])).data


async def test_a_service_that_answers_others_is_not_taken_for_one_that_stands_still() -> None:
    async with (
        stand_in() as first,
        stand_in() as second,
        world(first, second, deadlines=SILENCE) as made,
    ):
        async with asyncio.timeout(20):
            slow, other, quick = [await made.open() for _ in range(3)]
            first.faults.append(Fault.SILENCE)
            waiting = asyncio.create_task(slow.process(PIECES[0]))
            while first.faults:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            until_s = asyncio.get_running_loop().time() + 4 * SILENCE.silence_s
            while asyncio.get_running_loop().time() < until_s:
                await quick.process(PIECES[0])
                await asyncio.sleep(SILENCE.silence_s / 10)
            assert not waiting.done()
            assert made.counts.takeovers == 0
            waiting.cancel()
            await asyncio.wait({waiting})
            for remuxer in (slow, other, quick):
                await remuxer.aclose()


async def test_without_anything_else_the_request_waits_and_its_answer_comes_at_once() -> None:
    async with (
        asyncio.timeout(20),
        stand_in() as service,
        world(service, deadlines=SILENCE) as made,
        await made.open() as remuxer,
    ):
        output = (await remuxer.process(PIECES[0])).data
        service.frozen.clear()
        waiting = asyncio.create_task(remuxer.process(PIECES[1]))
        await asyncio.wait({waiting}, timeout=4 * SILENCE.silence_s)
        assert not waiting.done()
        service.frozen.set()
        output += (await waiting).data
        output += (await remuxer.process(PIECES[2])).data
    held = len(output) % 188
    assert output == STREAM[: len(output)]
    assert len(output) + held > 3 * 30_000 - 188
    assert (made.counts.retries, made.counts.takeovers) == (0, 0)


async def test_a_request_that_was_lost_in_the_silence_is_sent_again_when_it_ends() -> None:
    """As when a machine was switched off: nothing tells that the old connection is gone."""
    async with stand_in() as service, asyncio.timeout(20):
        deadlines = replace(SILENCE, answer_s=1)
        async with world(service, deadlines=deadlines) as made, await made.open() as remuxer:
            output = (await remuxer.process(PIECES[0])).data
            service.frozen.clear()
            service.faults.append(Fault.SILENCE)
            waiting = asyncio.create_task(remuxer.process(PIECES[1]))
            await asyncio.wait({waiting}, timeout=4 * SILENCE.silence_s)
            service.frozen.set()
            output += (await waiting).data
    assert output == STREAM[: len(output)]
    assert (made.counts.retries, made.counts.takeovers) == (1, 0)


async def test_a_silence_that_does_not_end_ends_the_stream() -> None:
    async with stand_in() as service, asyncio.timeout(20):
        deadlines = replace(SILENCE, outage_s=0.8)
        async with world(service, deadlines=deadlines) as made, await made.open() as remuxer:
            await remuxer.process(PIECES[0])
            service.frozen.clear()
            await remuxer.process(PIECES[1])
            made.clock.now_s += OUTAGE_S
            with pytest.raises(UnavailableError):
                await remuxer.process(PIECES[2])
            service.frozen.set()


async def test_an_answer_to_finish_that_is_lost_is_asked_for_again() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        output = (await remuxer.process(STREAM)).data
        service.faults.append(Fault.CUT_AFTER)
        await remuxer.finish()
    assert output == STREAM
    assert world.counts.retries == 1


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
async def test_a_lost_remuxer_is_followed_by_one_of_the_next_generation_that_misses_nothing(
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
    assert made.counts.takeovers == 1


async def test_what_a_restarted_service_does_not_know_any_more_goes_on_there_at_once() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        await remuxer.process(PIECES[0])
        service.die()
        assert (await remuxer.process(PIECES[1])).data
    assert [remote.options["generation"] for remote in service.all] == [0, 1]


async def test_input_that_remuxers_are_lost_over_is_given_up_after_the_second() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        await remuxer.process(PIECES[0])
        service.faults.extend([Refusal(500, "Internal"), Refusal(500, "Internal")])
        await remuxer.process(PIECES[1])
        assert world.counts.dropped_bytes == len(PIECES[1])
        output = (await remuxer.process(PIECES[2])).data
    assert len(output) > len(PIECES[2]) - 2 * 188
    assert [remote.options["generation"] for remote in service.all] == [0, 1, 2]
    assert PIECES[1] not in b"".join(service.all[2].bodies)


async def test_without_a_transcoder_a_live_stream_takes_input_in_and_goes_on_with_it() -> None:
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


async def test_input_that_waits_for_a_transcoder_is_bounded() -> None:
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


async def test_streams_spread_over_the_services() -> None:
    async with stand_in() as first, stand_in() as second, world(first, second) as made:
        remuxers = [await made.open() for _ in range(6)]
        assert (len(first.remotes), len(second.remotes)) == (3, 3)
        for remuxer in remuxers:
            await remuxer.aclose()
        assert (len(first.remotes), len(second.remotes)) == (0, 0)


async def test_a_service_that_is_full_passes_the_stream_on_and_is_left_alone_meanwhile() -> None:
    async with stand_in() as first, stand_in() as second, world(first, second) as made:
        first.refusals.append(Refusal(503, "Full", {"retry-after": "5"}))
        remuxers = [await made.open() for _ in range(4)]
        assert (len(first.remotes), len(second.remotes)) == (0, 4)
        made.clock.now_s += 5
        remuxers += [await made.open(), await made.open()]
        assert (len(first.remotes), len(second.remotes)) == (1, 5)
        for remuxer in remuxers:
            await remuxer.aclose()


async def test_when_every_service_is_full_the_stream_is_refused_with_the_reason() -> None:
    async with one_service() as (world, service):
        service.refusals.append(Refusal(503, "Full", {"retry-after": "5"}))
        with pytest.raises(UnavailableError, match="is full: Full"):
            await world.open()


async def test_options_that_a_service_refuses_are_the_callers_fault() -> None:
    async with one_service() as (world, service):
        service.refusals.append(Refusal(400, "InvalidArgument"))
        with pytest.raises(InvalidArgumentError):
            await world.open()


async def test_a_service_that_is_too_old_to_take_a_stream_over_does_not_end_it() -> None:
    async with stand_in() as first, stand_in() as second, world(first, second) as made:
        async with await made.open() as remuxer:
            await remuxer.process(PIECES[0])
            first.die()
            second.refusals.append(Refusal(400, "InvalidArgument"))
            assert (await remuxer.process(PIECES[1])).data
        assert [remote.options["generation"] for remote in first.all] == [0, 1]


async def test_bodies_are_no_longer_than_the_service_takes() -> None:
    async with one_service() as (world, service):
        service.description["max_body_bytes"] = 5000
        async with await world.open() as remuxer:
            output = (await remuxer.process(STREAM)).data
    assert output == STREAM
    assert max(map(len, service.all[0].bodies)) == 5000


async def test_chunks_given_while_a_request_is_under_way_leave_together_in_the_next() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        outputs = await asyncio.gather(*map(remuxer.process, PIECES[:5]))
    # The first call had the turn before the others were made.
    assert list(map(len, service.all[0].bodies)) == [30_000, 120_000]
    # One output goes on where the one before it ends, and the rest of a packet is held.
    assert Piece.joined(outputs).data == STREAM[: 150_000 - 150_000 % 188]


async def test_a_viewer_who_waited_gets_what_there_is_before_all_has_caught_up() -> None:
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


async def test_connections_are_kept() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        opening = service.connections
        for piece in PIECES:
            await remuxer.process(piece)
    assert service.connections == opening + 1


async def test_each_remuxer_is_opened_on_a_new_connection_so_that_a_load_balancer_chooses() -> None:
    async with one_service() as (world, service):
        for _ in range(3):
            async with await world.open() as remuxer:
                await remuxer.process(PIECES[0])
    assert len({id(connection) for connection in service.opened_on}) == 3


async def test_requests_follow_a_location_past_the_load_balancer_with_the_token() -> None:
    async with stand_in() as balancer, stand_in() as instance, world(balancer) as made:
        for service in (balancer, instance):
            service.token = "secret"
        balancer.location = f"{instance.address.url}/v1/remuxers/"
        instance.remotes = balancer.remotes
        async with await made.open() as remuxer:
            assert (await remuxer.process(STREAM)).data == STREAM
        assert not balancer.remotes
    assert [request.split()[0] for request in balancer.requests] == ["GET", "POST"]
    assert {request.split()[0] for request in instance.requests} == {"POST", "DELETE"}


async def test_an_instance_that_is_lost_behind_a_load_balancer_is_not_the_balancers_trouble() -> (
    None
):
    async with stand_in() as balancer, world(balancer) as made:
        async with stand_in() as instance:
            balancer.location = f"{instance.address.url}/v1/remuxers/"
            instance.remotes = balancer.remotes
            remuxer = await made.open()
        balancer.location = "/v1/remuxers/"
        assert (await remuxer.process(STREAM)).data
        await remuxer.aclose()
    assert [remote.options["generation"] for remote in balancer.all] == [0, 1]


async def test_the_library_takes_a_stream_over_that_no_service_can_and_the_next_is_external() -> (
    None
):
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


async def test_what_a_transcoder_may_have_died_of_does_not_come_into_this_process() -> None:
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
async def test_the_picture_goes_on_where_the_library_takes_a_stream_over(size: int) -> None:
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


async def test_calls_after_the_end_are_refused() -> None:
    async with one_service() as (world, _):
        remuxer = await world.open()
        await remuxer.finish()
        with pytest.raises(FinishedError):
            await remuxer.process(STREAM)
        await remuxer.aclose()
        with pytest.raises(ClosedError):
            await remuxer.process(STREAM)


async def test_the_bytes_count_on_when_the_other_counters_are_lost() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        output = (await remuxer.process(PIECES[0])).data
        service.die()
        output += (await remuxer.process(PIECES[1])).data
        stats = await remuxer.stats()
    assert stats.bytes_in == len(PIECES[0]) + len(PIECES[1])
    assert stats.bytes_out == len(output)
    assert stats.packets_in == 7


async def test_a_caller_who_is_cancelled_while_a_remuxer_opens_leaves_none_behind() -> None:
    async with one_service() as (world, service):
        opening = asyncio.create_task(world.open())
        while not service.requests:  # noqa: ASYNC110
            await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await world.backend.aclose()
        assert len(service.all) == 1
        assert not service.remotes


async def test_a_caller_who_is_cancelled_while_closing_leaves_none_behind() -> None:
    async with one_service() as (world, service):
        remuxer = await world.open()
        closing = asyncio.create_task(remuxer.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await world.backend.aclose()
        assert not service.remotes


async def test_a_service_that_is_given_up_by_one_stream_while_another_opens_serves_that_one() -> (
    None
):
    async with one_service() as (world, service):
        [remote] = world.backend._context.pool.transcoders
        opening = asyncio.create_task(world.open())
        while not service.all:
            remote.forget_description()
            await asyncio.sleep(0)
        async with await opening as remuxer:
            assert (await remuxer.process(STREAM)).data == STREAM


async def test_closing_does_not_wait_for_a_service_that_is_gone() -> None:
    async with stand_in() as service:
        made = World([service], live=True, fallback=None)
        remuxer = await made.open()
    await remuxer.aclose()
    await made.backend.aclose()


async def test_a_remuxer_that_is_forgotten_is_warned_about() -> None:
    async with one_service() as (world, _):
        remuxer = await world.open()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del remuxer
            gc.collect()
    assert [str(w.message).split()[0] for w in caught if "ExternalRemuxer" in str(w.message)] == [
        "<xg2g_backends.external.remuxer.ExternalRemuxer"
    ]

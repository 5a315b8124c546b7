"""Lost responses, and services that are silent."""

import asyncio
from dataclasses import replace

import pytest

from tests.backends.external.stand_in import Fault, stand_in
from tests.backends.external.world import PIECES, STREAM, one_service, world
from tests.harness.fake_backend import FakeBackend
from xg2g_backends.errors import (
    UnavailableError,
)
from xg2g_backends.external.deadlines import Deadlines, ResponseTimeout
from xg2g_backends.external.remuxer import OUTAGE_S

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_WITHIN, Fault.SILENCE]
)
async def test_a_lost_response_is_requested_again_and_nothing_is_processed_twice(
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
    assert (world.counts.retries, world.counts.splices) == (1, 0)


SILENCE = Deadlines(connect_s=5, answer_s=60, silence_s=0.3, outage_s=60)
"""Nothing but silence ends a request in the time that a test has."""


@pytest.mark.parametrize("other", ["service", "fallback"])
async def test_a_silent_service_is_left_at_once_for_an_alternative(
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
                assert (made.counts.splices, made.counts.fallbacks) == (
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


async def test_a_service_that_answers_other_requests_does_not_count_as_frozen() -> None:
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
            assert made.counts.splices == 0
            waiting.cancel()
            await asyncio.wait({waiting})
            for remuxer in (slow, other, quick):
                await remuxer.aclose()


async def test_a_silence_after_responses_to_others_is_noticed_as_well() -> None:
    answered: list[int] = list(range(8))

    def responses() -> int:
        """Answer others at each check, for longer than a silence may last, and then nobody."""
        return answered.pop(0) if len(answered) > 1 else answered[0]

    timeout = ResponseTimeout(Deadlines(answer_s=5, silence_s=0.3), responses, lambda: True)
    with pytest.raises(TimeoutError):
        async with timeout:
            await asyncio.Event().wait()
    assert timeout.gave_up_after_s >= 0.3


async def test_without_an_alternative_the_request_waits_until_the_service_resumes() -> None:
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
    assert (made.counts.retries, made.counts.splices) == (0, 0)


async def test_a_request_lost_during_a_silence_is_sent_again_afterwards() -> None:
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
    assert (made.counts.retries, made.counts.splices) == (1, 0)


async def test_an_endless_silence_ends_the_stream() -> None:
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


async def test_a_lost_response_to_finish_is_requested_again() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        output = (await remuxer.process(STREAM)).data
        service.faults.append(Fault.CUT_AFTER)
        await remuxer.finish()
    assert output == STREAM
    assert world.counts.retries == 1

"""What every backend promises (backends/xg2g_backends/base.py), tried on each of them."""

import asyncio
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.contract.subject import Subject
from xg2g_backends.base import Piece, PointKind, RemuxOptions
from xg2g_backends.errors import ClosedError, FinishedError

pytestmark = pytest.mark.anyio

CLIP = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips" / "one-hd.ts"
STREAM = CLIP.read_bytes()[: 2000 * 188]
"""Long enough for a worker thread, and for audio of several codecs."""


async def convert(subject: Subject, chunks: list[bytes]) -> Piece:
    async with await subject.backend.open(RemuxOptions()) as remuxer:
        ready = [await remuxer.process(chunk) for chunk in chunks]
        return Piece.joined([*ready, await remuxer.finish()])


def split(cuts: list[int]) -> list[bytes]:
    return [STREAM[start:end] for start, end in pairwise([0, *sorted(cuts), len(STREAM)])]


async def test_any_split_of_the_input_gives_the_same_output_and_points(subject: Subject) -> None:
    whole = await convert(subject, [STREAM])
    assert len(whole.data) > len(STREAM) // 2
    assert PointKind.RANDOM_ACCESS in {point.kind for point in whole.points}
    random = Random(1)
    for pieces in (2, 30, 1000):
        cuts = [random.randrange(len(STREAM)) for _ in range(pieces)]
        assert await convert(subject, split(cuts)) == whole
    assert await convert(subject, split(list(range(0, len(STREAM), 1316)))) == whole


async def test_finish_returns_the_rest_once_and_then_nothing(subject: Subject) -> None:
    async with await subject.backend.open(RemuxOptions()) as remuxer:
        await remuxer.process(STREAM)
        await remuxer.finish()
        assert await remuxer.finish() == Piece(b"")


async def test_bytes_after_the_end_are_refused(subject: Subject) -> None:
    async with await subject.backend.open(RemuxOptions()) as remuxer:
        await remuxer.finish()
        with pytest.raises(FinishedError):
            await remuxer.process(STREAM)


async def test_the_counters_say_what_went_in_and_out(subject: Subject) -> None:
    async with await subject.backend.open(RemuxOptions()) as remuxer:
        output = (await remuxer.process(STREAM)).data + (await remuxer.finish()).data
        stats = await remuxer.stats()
    assert stats.bytes_in == len(STREAM)
    assert stats.bytes_out == len(output)


async def test_a_remuxer_that_was_closed_cannot_be_used(subject: Subject) -> None:
    async with await subject.backend.open(RemuxOptions()) as remuxer:
        pass
    for call in (remuxer.process(STREAM), remuxer.process(b""), remuxer.finish(), remuxer.stats()):
        with pytest.raises(ClosedError):
            await call
    await remuxer.aclose()


async def test_a_backend_that_was_closed_opens_nothing(subject: Subject) -> None:
    await subject.backend.aclose()
    with pytest.raises(ClosedError):
        await subject.backend.open(RemuxOptions())


async def test_calls_made_at_the_same_time_are_served_in_their_order(subject: Subject) -> None:
    small, large = split([1316]), split([1316, 100_000, 101_000])
    expected = await convert(subject, [STREAM])
    for chunks in (small, large):
        async with await subject.backend.open(RemuxOptions()) as remuxer:
            ready = await asyncio.gather(*map(remuxer.process, chunks), remuxer.finish())
        assert Piece.joined(ready) == expected


async def test_two_streams_are_converted_at_the_same_time(subject: Subject) -> None:
    async with (
        await subject.backend.open(RemuxOptions()) as one,
        await subject.backend.open(RemuxOptions()) as other,
    ):
        subject.hold(one)
        subject.hold(other)
        calls = [asyncio.create_task(remuxer.process(STREAM)) for remuxer in (one, other)]
        await subject.until_held(2)
        subject.release()
        first, second = await asyncio.gather(*calls)
        assert first == second


async def test_a_call_that_is_cancelled_leaves_a_remuxer_that_can_be_closed(
    subject: Subject,
) -> None:
    remuxer = await subject.backend.open(RemuxOptions())
    subject.hold(remuxer)
    call = asyncio.create_task(remuxer.process(STREAM))
    await subject.until_held(1)
    call.cancel()
    await asyncio.sleep(0)
    closing = asyncio.create_task(remuxer.aclose())
    await asyncio.sleep(0)
    subject.release()
    with pytest.raises(asyncio.CancelledError):
        await call
    await closing
    await subject.until_freed()
    with pytest.raises(ClosedError):
        await remuxer.process(STREAM)


async def test_a_call_that_waits_for_its_turn_ends_when_the_remuxer_is_closed(
    subject: Subject,
) -> None:
    remuxer = await subject.backend.open(RemuxOptions())
    subject.hold(remuxer)
    inside = asyncio.create_task(remuxer.process(STREAM))
    await subject.until_held(1)
    waiting = asyncio.create_task(remuxer.process(STREAM))
    await asyncio.sleep(0)
    closing = asyncio.create_task(remuxer.aclose())
    await asyncio.sleep(0)
    subject.release()
    await asyncio.wait((inside, closing))
    with pytest.raises(ClosedError):
        await waiting


async def test_health_counts_the_open_remuxers(subject: Subject) -> None:
    async with await subject.backend.open(RemuxOptions()):
        health = await subject.backend.check()
        assert health.usable
        assert "xg2g-transcoder" in health.versions
        assert health.open_remuxers == 1
    assert (await subject.backend.check()).open_remuxers == 0

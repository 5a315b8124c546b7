"""Wherever the remuxer runs, the same bytes give the same bytes and points."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.contract.subject import Subject
from xg2g_backends.base import Backend, Piece, RemuxOptions, RemuxStats

pytestmark = pytest.mark.anyio

CLIPS = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips"


async def converted(
    backend: Backend, stream: bytes, cuts: list[int], options: RemuxOptions
) -> tuple[Piece, RemuxStats]:
    async with await backend.open(options) as remuxer:
        chunks = [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
        pieces = [await remuxer.process(chunk) for chunk in chunks]
        pieces.append(await remuxer.finish())
        return Piece.joined(pieces), await remuxer.stats()


@pytest.mark.parametrize(
    ("clip", "options"),
    [
        ("one-hd", RemuxOptions()),
        ("one-hd", RemuxOptions(program=101, tracks=("eng", "deu"), bitrate=96_000)),
        ("two-hd", RemuxOptions(channels=0, keep_original=True)),
        ("two-hd", RemuxOptions(generation=3, sample_rate=44_100)),
        ("four-radio", RemuxOptions(channels=1, tracks="first")),
        ("one-hd", RemuxOptions(program=101, tracks=("fr", "GER"), dual_mono="right")),
        ("six-changes", RemuxOptions(channels=6)),
    ],
    ids=str,
)
async def test_embedded_and_external_give_the_same_bytes_points_and_counters(
    clip: str,
    options: RemuxOptions,
    embedded: Subject,
    external_tcp: Subject,
    external_unix: Subject,
) -> None:
    stream = (CLIPS / f"{clip}.ts").read_bytes()[: 3000 * 188]
    random = Random(clip)
    expected, counters = await converted(embedded.backend, stream, [], options)
    assert expected.data
    assert expected.points
    for subject in (external_tcp, external_unix):
        cuts = sorted(random.randrange(len(stream)) for _ in range(12))
        output, stats = await converted(subject.backend, stream, cuts, options)
        assert output == expected
        assert stats == counters


async def test_the_rest_of_the_output_comes_with_its_points(
    embedded: Subject, external_tcp: Subject, external_unix: Subject
) -> None:
    stream = (CLIPS / "one-hd.ts").read_bytes()[: 75 * 188]
    rests = []
    for subject in (embedded, external_tcp, external_unix):
        async with await subject.backend.open(RemuxOptions()) as remuxer:
            await remuxer.process(stream)
            rests.append(await remuxer.finish())
    assert rests[0].points
    assert rests[1] == rests[2] == rests[0]

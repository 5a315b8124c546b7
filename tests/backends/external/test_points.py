"""Points of streams that lose answers, remuxers and services: each is where it says."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.backends.external.stand_in import Fault, Refusal, StandIn, point, stand_in
from tests.harness.fake_backend import FakeBackend, FakeRemuxer
from xg2g_backends.base import Backend, Piece, Point, PointKind, Remuxer, RemuxOptions
from xg2g_backends.external.backend import ExternalBackend
from xg2g_backends.external.deadlines import Deadlines
from xg2g_backends.external.points import read_points

pytestmark = pytest.mark.anyio

CLIP = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips" / "one-hd.ts"
STREAM = CLIP.read_bytes()[: 1500 * 188]
PIECES = [STREAM[at : at + 30_000] for at in range(0, len(STREAM), 30_000)]


def backend(*services: StandIn, fallback: Backend | None = None) -> ExternalBackend:
    return ExternalBackend(
        [service.address for service in services],
        token=None,
        live=False,
        fallback=fallback,
        deadlines=Deadlines(connect_s=5, answer_s=1),
    )


async def converted(remuxer: Remuxer) -> Piece:
    pieces = [await remuxer.process(piece) for piece in PIECES]
    return Piece.joined([*pieces, await remuxer.finish()])


async def with_faults(*faults: Fault | Refusal | None) -> tuple[Piece, StandIn]:
    async with stand_in() as service:
        service.faults.extend(faults)
        external = backend(service)
        async with await external.open(RemuxOptions()) as remuxer:
            output = await converted(remuxer)
        await external.aclose()
    return output, service


def assert_each_is_where_it_says(output: Piece) -> None:
    for found in output.points:
        assert found.tables == output.data[found.offset : found.offset + 188]
    offsets = [found.offset for found in output.points]
    assert offsets == sorted(offsets)
    assert len(set(offsets)) == len(offsets)


@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_WITHIN, Fault.SILENCE]
)
async def test_a_retry_returns_the_points_of_the_lost_response_once(fault: Fault) -> None:
    whole, _ = await with_faults()
    assert len(whole.points) == len(PIECES)
    assert_each_is_where_it_says(whole)
    output, _ = await with_faults(None, None, fault)
    assert output == whole


async def test_after_a_splice_the_output_before_it_is_added_to_every_offset() -> None:
    lost = Refusal(404, "NotFound")
    output, service = await with_faults(None, None, lost, None, None, lost)
    assert len(service.all) == 3
    assert_each_is_where_it_says(output)
    assert len(output.points) == len(PIECES)
    assert output.points[-1].offset > len(STREAM) * 3 // 4


async def test_in_the_fallback_the_output_before_it_is_added_to_every_offset() -> None:
    async with stand_in() as service:
        service.faults.extend((None, None, Refusal(503, "Stopping")))
        external = backend(service, fallback=FakeBackend())
        async with await external.open(RemuxOptions()) as remuxer:
            output = await converted(remuxer)
            assert isinstance(remuxer._remuxer, FakeRemuxer)
        await external.aclose()
    behind = output.points[2:]
    assert behind
    for found in behind:
        packet = output.data[found.offset : found.offset + 188]
        assert b"\x00\x00\x01\xe0" in packet, "no PES packet of video, which the fake looks for"
    assert [found.offset for found in behind] == sorted(found.offset for found in behind)


async def test_points_left_at_the_end_are_fetched_by_further_calls() -> None:
    async with stand_in() as service:
        service.last_points.extend(f"[{point(at * 188)}]" for at in range(3))
        external = backend(service)
        async with await external.open(RemuxOptions()) as remuxer:
            await remuxer.process(STREAM)
            last = await remuxer.finish()
            assert [found.offset for found in last.points] == [0, 188, 376]
            assert await remuxer.finish() == Piece(b"")
        await external.aclose()


async def test_a_lost_call_for_points_that_are_left_costs_no_bytes() -> None:
    async with stand_in() as service:
        service.last_points.extend(f"[{point(at * 188)}]" for at in range(3))
        external = backend(service)
        async with await external.open(RemuxOptions()) as remuxer:
            await remuxer.process(STREAM + b"G")
            service.faults.extend((None, Refusal(404, "NotFound")))
            last = await remuxer.finish()
            assert [found.offset for found in last.points] == [0]
        await external.aclose()


async def test_calls_for_the_last_points_are_bounded() -> None:
    async with stand_in() as service:
        service.last_points.extend(f"[{point(0)}]" for _ in range(1000))
        external = backend(service)
        async with await external.open(RemuxOptions()) as remuxer:
            await remuxer.process(STREAM)
            await remuxer.finish()
        await external.aclose()
    assert len(service.last_points) > 900


async def test_streams_of_a_service_without_the_header_have_no_points() -> None:
    async with stand_in() as service:
        service.points = ""
        external = backend(service)
        async with await external.open(RemuxOptions()) as remuxer:
            assert await converted(remuxer) == Piece(STREAM)
        await external.aclose()


async def test_a_header_of_8_kib_is_read() -> None:
    tables = [b64encode(bytes([0x47]) + bytes(187)).decode()] * 31
    async with stand_in() as service:
        service.points = f"[{point(0, tables=tables)}]"
        assert 7_500 < len(service.points) < 8 << 10
        external = backend(service)
        async with await external.open(RemuxOptions()) as remuxer:
            (found,) = (await remuxer.process(PIECES[0])).points
        await external.aclose()
    assert found.tables == (bytes([0x47]) + bytes(187)) * 31


BAD: list[Any] = [
    "",
    "{",
    "{}",
    "7",
    "null",
    "[7]",
    "[" * 8000,
    "[{}]",
    '[{"kind":7}]',
    "\xe4",
    *(
        f"[{point(0, **fields)}]"
        for fields in (
            {"program": -1},
            {"program": 65536},
            {"program": None},
            {"program": True},
            {"pts_90k": 2**33},
            {"pts_90k": 0.5},
            {"pts_90k": None},
            {"codec": 7},
            {"codec": "vp9"},
            {"codec": ["h264"]},
            {"is_open": 1},
            {"tables": "RwAA"},
            {"tables": {"a": 1}},
            {"tables": [7]},
            {"tables": [""]},
            {"tables": ["Rw"]},
            {"tables": ["Rw==\n"]},
            {"tables": ["\xe4"]},
            {"tables": [b64encode(bytes([0x47]) * 189).decode()]},
        )
    ),
    *(f"[{point(at)}]" for at in (-188, 1, 100, 10**9 * 188, 2**64)),
    '[{"offset":' + "9" * 5000 + ',"kind":"clear","program":1}]',
    '[{"offset":NaN,"kind":"clear","program":1}]',
    '[{"offset":1e3,"kind":"clear","program":1}]',
]


@pytest.mark.parametrize("header", BAD, ids=lambda header: header[:60])
def test_an_invalid_header_is_refused(header: str) -> None:
    with pytest.raises(ValueError):
        read_points(header, 188_000)


@pytest.mark.parametrize("codec", ["mpeg2", "h264", "hevc"])
def test_every_field_is_read(codec: str) -> None:
    header = f"[{point(188, pts_90k=2**33 - 1, codec=codec, is_open=True, tables=['RwA='])}]"
    assert read_points(header, 188_000) == (
        Point(
            offset=188,
            kind=PointKind.RANDOM_ACCESS,
            program=101,
            pts_90k=2**33 - 1,
            codec=codec,
            is_open=True,
            tables=b"G\0" + b"\xff" * 186,
        ),
    )


def test_a_point_lies_within_the_output() -> None:
    assert len(read_points(f"[{point(187_812)}]", 188_000)) == 1
    with pytest.raises(ValueError, match="offset"):
        read_points(f"[{point(188_000)}]", 188_000)


def test_kinds_of_later_versions_are_ignored() -> None:
    later = json.dumps({"kind": "mosaic", "where": "everywhere"})
    found = read_points(f"[{later},{point(188)}]", 188_000)
    assert found == (Point(offset=188, kind=PointKind.RANDOM_ACCESS, program=101),)


async def test_an_invalid_header_is_a_loss_and_the_next_service_continues() -> None:
    async with stand_in() as foreign, stand_in() as sound:
        foreign.points = '[{"offset":5}]'
        external = backend(foreign, sound)
        async with await external.open(RemuxOptions()) as remuxer:
            output = await converted(remuxer)
        await external.aclose()
    assert output.data == STREAM
    assert (len(foreign.all), len(sound.all)) == (1, 1)
    assert_each_is_where_it_says(output)

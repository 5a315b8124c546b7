"""The benchmark reports no figure of a conversion that sounds wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.report import Figure, Judged
from bench.sound import WrongOutputError, check_sound, check_unchanged
from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend

RADIO = Path(__file__).parents[2] / "xg2g/simulator/clips/four-radio.ts"
AUDIO_PID = 0x301
HEADER_BYTES = 9


@pytest.fixture(scope="module")
def converted() -> bytes:
    async def convert() -> bytes:
        backend = EmbeddedBackend()
        async with await backend.open(RemuxOptions()) as remuxer:
            output = (await remuxer.process(RADIO.read_bytes())).data + (
                await remuxer.finish()
            ).data
        await backend.aclose()
        return output

    return asyncio.run(convert())


def check(tmp_path: Path, output: bytes) -> None:
    path = tmp_path / "output.ts"
    path.write_bytes(output)
    check_sound(RADIO, path, 0.95, AUDIO_PID)


def test_good_sound_is_accepted(tmp_path: Path, converted: bytes) -> None:
    check(tmp_path, converted)


def test_sound_that_was_not_converted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongOutputError, match="left as mp2"):
        check(tmp_path, RADIO.read_bytes())


def test_sound_that_ends_early_is_refused(tmp_path: Path, converted: bytes) -> None:
    half = len(converted) // 2 // 188 * 188
    with pytest.raises(WrongOutputError, match="are left"):
        check(tmp_path, converted[:half])


def test_sound_that_is_late_is_refused(tmp_path: Path, converted: bytes) -> None:
    with pytest.raises(WrongOutputError, match="5.3 ms off its time"):
        check(tmp_path, delayed(converted, ticks_90k=480))


def test_a_changed_packet_among_unchanged_ones_is_refused(tmp_path: Path) -> None:
    stream = bytes((0x47, 0x01, 0x00, 0x10)) + bytes(184)
    source, output = tmp_path / "source.ts", tmp_path / "output.ts"
    source.write_bytes(stream * 3)
    output.write_bytes(stream * 3)
    check_unchanged(source, output)
    output.write_bytes(stream * 2 + stream[:-1] + b"\x01")
    with pytest.raises(WrongOutputError):
        check_unchanged(source, output)


@pytest.mark.parametrize(
    ("judged", "xg2g", "met"),
    [
        (Judged.AT_MOST, 1.0, True),
        (Judged.AT_MOST, 1.1, False),
        (Judged.AT_LEAST, 1.0, True),
        (Judged.AT_LEAST, 0.9, False),
        (Judged.OF_FFMPEG, 4.0, True),
        (Judged.OF_FFMPEG, 4.1, False),
    ],
)
def test_a_budget_is_met_up_to_its_limit(judged: Judged, xg2g: float, met: bool) -> None:
    figure = Figure(stream="", what="", unit="", xg2g=xg2g, ffmpeg=4.0, budget=1.0, judged=judged)
    assert figure.met is met


def delayed(stream: bytes, ticks_90k: int) -> bytes:
    """The stream with every PTS of its sound moved (ISO/IEC 13818-1, 2.4.3.6)."""
    late = bytearray(stream)
    for at in range(0, len(late), 188):
        pid = (late[at + 1] & 0x1F) << 8 | late[at + 2]
        if pid != AUDIO_PID or not late[at + 1] & 0x40:
            continue
        adaptation = 1 + late[at + 4] if late[at + 3] & 0x20 else 0
        field = at + 4 + adaptation + HEADER_BYTES
        five = late[field : field + 5]
        pts = (five[0] >> 1 & 7) << 30 | five[1] << 22 | five[2] >> 1 << 15
        pts = (pts | five[3] << 7 | five[4] >> 1) + ticks_90k
        late[field : field + 5] = bytes(
            (
                five[0] & 0xF1 | pts >> 29 & 0x0E,
                pts >> 22 & 0xFF,
                pts >> 14 & 0xFE | 1,
                pts >> 7 & 0xFF,
                pts << 1 & 0xFE | 1,
            )
        )
    return bytes(late)

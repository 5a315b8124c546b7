"""Any split of the same input gives the same output."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.harness.remuxer import DEFAULTS, backend, chunks, remux, remux_pieces
from tests.oracle.multiplexer import Entry, Multiplexer, Program, encode, language, sound
from tests.oracle.transport import Packets
from tests.oracle.ts_checker import check
from tests.remux.recordings import all_paths, recording

if TYPE_CHECKING:
    from pathlib import Path

CLOCK, AUDIO = 0x101, 0x102
RANDOM_SPLITS = 3


def small_clip() -> bytes:
    """A fifth of a second with tables, clocks and MP2, null packets left out."""
    program = Program(1, 0x100, CLOCK, (Entry(3, AUDIO, language("deu")),))
    mux = Multiplexer([program], rate_bps=1e6)
    mux.add(AUDIO, encode("mp2", sound(0.3), bitrate=64_000), lead_s=0.02)
    mux.run(0.2)
    packets = Packets(mux.output())
    clip: bytes = packets.rows[packets.pid != 0x1FFF].tobytes()
    return clip


def test_a_split_at_every_byte_changes_nothing() -> None:
    clip = small_clip()
    whole = remux(clip).output
    assert check(whole).codecs[AUDIO] == "aac"

    async def split_everywhere() -> list[int]:
        differing = []
        for at in range(len(clip) + 1):
            async with await backend().open(DEFAULTS) as remuxer:
                parts = [(await remuxer.process(piece)).data for piece in (clip[:at], clip[at:])]
                if b"".join(parts) + (await remuxer.finish()).data != whole:
                    differing.append(at)
        return differing

    assert asyncio.run(split_everywhere()) == []


@pytest.mark.parametrize("size", [1, 187, 188, 189, 204, 1316, 65536])
def test_pieces_of_one_size_change_nothing(size: int) -> None:
    clip = small_clip()
    assert asyncio.run(remux_pieces(chunks(clip, size))).output == remux(clip).output


@pytest.mark.parametrize("path", all_paths(), ids=lambda path: path.stem)
def test_random_splits_of_a_recording_change_nothing(path: Path) -> None:
    tape = recording(path)
    for seed in range(RANDOM_SPLITS):
        rng = random.Random(f"{path.stem} {seed}")
        largest = rng.choice([300, 5_000, 200_000])
        pieces, at = [], 0
        source = tape.source[: largest * 2_000]
        while at < len(source):
            size = rng.randint(1, largest)
            pieces.append(source[at : at + size])
            at += size
        expected = tape.remuxed.output if source == tape.source else remux(source).output
        assert asyncio.run(remux_pieces(pieces)).output == expected, (seed, largest)

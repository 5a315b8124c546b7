"""A remuxer that goes on where another was lost: the viewer's stream holds together."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.harness.remuxer import DEFAULTS, backend, chunks
from tests.oracle.audio_sync import compare, decode_track
from tests.oracle.multiplexer import Entry, Multiplexer, language
from tests.oracle.transport import NULL_PID, Packets, pats, pmts
from tests.oracle.ts_checker import Report, check, passthrough_equal
from tests.remux.broadcast import AUDIO, VIDEO, clean, coded, service
from tests.remux.recordings import all_paths, complaints, recording
from xg2g_backends.base import RemuxOptions

if TYPE_CHECKING:
    from pathlib import Path

CODECS = ["mp2", "ac3", "eac3", "aac_latm"]
LIVE_CHUNK_BYTES = 25_000
PMT_WITHIN_PACKETS = 2000
"""Some captures send their PMT but once."""
COMPLAINTS_OF_A_UNIT = 3
PLACES = tuple(place / 12 for place in range(13))


@dataclass(frozen=True)
class TakenOver:
    """What the remuxers of a stream gave, one after the other."""

    parts: list[bytes] = field(repr=False)

    @property
    def output(self) -> bytes:
        return b"".join(self.parts)

    @property
    def unmarked(self) -> bytes:
        """The output without the packets that only mark a discontinuity."""
        packets = Packets(self.output)
        kept: bytes = packets.rows[
            (packets.has_payload != 0) | (packets.discontinuity == 0)
        ].tobytes()
        return kept


async def _live(stream: bytes, options: RemuxOptions, *, to_the_end: bool) -> bytes:
    async with await backend().open(options) as remuxer:
        parts = [(await remuxer.process(piece)).data for piece in chunks(stream, LIVE_CHUNK_BYTES)]
        return b"".join(parts) + ((await remuxer.finish()).data if to_the_end else b"")


def taken_over(
    source: bytes,
    cuts: list[int],
    options: RemuxOptions = DEFAULTS,
    *,
    from_whole_packets: bool = True,
) -> TakenOver:
    """Loses the remuxer at these bytes of the source; the next one begins with the packet
    that was cut, or with what is left of it."""
    parts = []
    for generation, (start, end) in enumerate(pairwise([0, *cuts, len(source)])):
        begin = start - start % 188 if from_whole_packets else start
        this = replace(options, generation=generation)
        last = end == len(source)
        parts.append(asyncio.run(_live(source[begin:end], this, to_the_end=last)))
    return TakenOver(parts)


def somewhere(source: bytes, count: int = 1, seed: int = 0) -> list[int]:
    """Bytes in the middle half."""
    rng = random.Random(f"cut {seed}")
    quarter = len(source) // 4
    return sorted(rng.sample(range(quarter, 3 * quarter), count))


def assert_marked(source: bytes, result: TakenOver) -> None:
    """No error but that the PMT of each remuxer has a version of its own."""
    expected = check(source).errors.copy()
    found = check(result.output).errors
    for kind, pid in list(found):
        if kind == "pmt_version":
            assert found[kind, pid] < len(result.parts)
            del found[kind, pid]
    assert Report(found).worse_than(Report(expected)) == {}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("seed", range(6))
def test_wherever_a_remuxer_is_lost_sound_is_back_within_a_second(codec: str, seed: int) -> None:
    source = clean(codec)
    result = taken_over(source, somewhere(source, seed=seed))
    assert_marked(source, result)
    assert passthrough_equal(source, result.unmarked, {0, VIDEO}).holds()
    before, after = (decode_track(Packets(data), AUDIO) for data in (source, result.output))
    assert before is not None and after is not None
    found = compare(before.decoded, after.decoded, PLACES, 0.3)
    assert found.offset_ms <= 1.0 and found.correlation >= 0.95, found
    assert found.longest_gap_s <= 1.0, found


@pytest.mark.parametrize("from_whole_packets", [True, False], ids=["whole packets", "any byte"])
def test_losing_one_remuxer_after_the_other_is_marked_each_time(from_whole_packets: bool) -> None:
    source = clean(seconds=12)
    cuts = somewhere(source, 5)
    result = taken_over(source, cuts, from_whole_packets=from_whole_packets)
    assert_marked(source, result)
    lost = 0 if from_whole_packets else 5
    assert len(Packets(source).of(VIDEO)) - len(Packets(result.unmarked).of(VIDEO)) <= lost


def test_every_pid_begins_with_a_mark_and_the_pmt_with_another_version() -> None:
    source = clean()
    result = taken_over(source, somewhere(source, 2))
    first, *later = (Packets(part) for part in result.parts)
    assert not first.discontinuity.any()
    for packets in later:
        for pid in packets.pids() - {NULL_PID}:
            head = packets.of(pid)[0]
            assert packets.discontinuity[head], pid
            assert packets.discontinuity[packets.of(pid)].sum() == 1
    versions = [{pmt.section.version for pmt in pmts(packets)} for packets in (first, *later)]
    assert all(len(found) == 1 for found in versions)
    assert len(set.union(*versions)) == 3


def test_the_pat_of_a_program_alone_has_another_version() -> None:
    source = clean()
    result = taken_over(source, somewhere(source), RemuxOptions(program=7))
    versions = [{section.version for section, _ in pats(Packets(part))} for part in result.parts]
    assert len(versions[0]) == len(versions[1]) == 1 and versions[0] != versions[1]


def test_a_clock_on_the_audio_pid_goes_on() -> None:
    program = replace(service("mp2"), pcr_pid=AUDIO, streams=(Entry(3, AUDIO, language("deu")),))
    mux = Multiplexer([program], rate_bps=1e6)
    mux.add(AUDIO, list(coded("mp2", 6)))
    mux.run(6)
    source = mux.output()
    result = taken_over(source, somewhere(source))
    assert_marked(source, result)
    pcrs = [p.pcr_27m[p.of(AUDIO)] for p in (Packets(source), Packets(result.output))]
    before, after = (found[found >= 0] for found in pcrs)
    assert len(set((after - before).tolist())) == 1


def test_an_original_that_is_kept_goes_on_beside_its_aac() -> None:
    source = clean("ac3")
    result = taken_over(source, somewhere(source), RemuxOptions(keep_original=True))
    assert passthrough_equal(source, result.unmarked, {VIDEO, AUDIO}).holds()
    assert check(result.output).count("cc") == 0


@pytest.mark.parametrize("path", all_paths(), ids=lambda path: path.stem)
def test_ffmpeg_goes_on_decoding_a_recording(path: Path) -> None:
    """The access unit of each track in which the first remuxer was lost is all it may not like."""
    tape = recording(path)
    cut = somewhere(tape.source, seed=len(tape.source))[0]
    result = taken_over(tape.source, [cut])
    found = check(result.output)
    assert found.count("cc") <= tape.report.count("cc")
    assert found.count("sync") == 0
    waits = [pmt.section.packet - cut // 188 for pmt in tape.pmts]
    if not tape.tracks or not any(0 <= wait < PMT_WITHIN_PACKETS for wait in waits):
        return
    most = max(aac_complaints(tape.source), aac_complaints(tape.remuxed.output))
    assert aac_complaints(result.output) <= most + COMPLAINTS_OF_A_UNIT * len(tape.tracks)


def aac_complaints(stream: bytes) -> int:
    return sum(line.startswith(b"[aac ") for line in complaints(stream))

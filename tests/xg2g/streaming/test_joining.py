"""Who tunes in at any moment gets a stream that decoders take without a complaint.

Over the test cards, and over captures of real networks where they are present.
"""

import asyncio
import re
import subprocess
from operator import itemgetter
from pathlib import Path

import pytest

from tests.harness.remuxer import backend
from tests.oracle.transport import PTS_MODULUS, Packets, pats, pes_packets, pmts, signed
from tests.remux.recordings import all_paths
from xg2g.streaming.reader import Reader
from xg2g.streaming.ring import Ring
from xg2g_backends.base import PointKind, RemuxOptions
from xg2g_backends.joining import Joiner

VIDEO_STREAM_TYPES = frozenset({0x01, 0x02, 0x10, 0x1B, 0x24})
MOMENTS = (0.0, 0.17, 0.41)
"""Of the recording."""
PIECE_BYTES = 25_000
"""20 ms of 10 Mbit/s."""
UNRELATED_S = 10
"""Some PIDs of some networks run by another clock."""
COMPLAINTS = re.compile(
    "non-existing PPS|decode_slice|does not exist|PPS id out of range|Invalid frame dimensions"
    "|[Mm]issing (reference )?picture|Could not find ref|reference picture missing"
)
FFMPEG = ["ffmpeg", "-nostdin", "-v", "error", "-f", "mpegts", "-i", "pipe:"]
FFMPEG += ["-map", "0:v", "-f", "null", "-"]
LEFT_OUT = {
    "h264-mp1a-10s": "pictures to begin with are 8 s apart",
    "pmtlie-aac-as-0x04-h264-12s": "has its tables once",
    "corrupt-fuzzed-twin-of-pmtlie": "has its tables once",
    "tnt-fr-eac3-lossy-6s": "loses packets of its pictures",
}


def television() -> list[tuple[Path, int]]:
    """Every recording with each of its programs that names video."""
    found = []
    for path in all_paths():
        if path.stem in LEFT_OUT:
            continue
        packets = Packets(path.read_bytes())
        numbers = {program for _, pat in pats(packets) for program in pat}
        found += [
            (path, number)
            for number in sorted(numbers)
            if any(
                stream.stream_type in VIDEO_STREAM_TYPES
                for pmt in pmts(packets)
                if pmt.program == number
                for stream in pmt.streams
            )
        ]
    return found


async def tuned_in(stream: bytes, program: int) -> tuple[bytes, bool]:
    """What a viewer gets who tunes in where `stream` begins, and whether it began with a picture
    that is promised to decode."""
    ring = Ring(lambda: 0.0, kept_bytes=len(stream) * 2)
    async with await backend().open(RemuxOptions(program=program)) as remuxer:
        for at in range(0, len(stream), PIECE_BYTES):
            piece = await remuxer.process(stream[at : at + PIECE_BYTES])
            ring.append(piece.data, piece.points)
    ring.close()
    first = ring.first_point(0)
    if first is None or first.kind is not PointKind.RANDOM_ACCESS:
        return b"", False
    reader = Reader(ring, first, Joiner)
    out = []
    while data := await reader.read():
        out.append(data)
    return b"".join(out), True


def first_pts(stream: bytes) -> dict[int, int]:
    """PID -> first PTS; the stream's first picture comes first."""
    packets = Packets(stream)
    found = [
        (units[0].packet, pid, units[0].pts_90k)
        for pid in packets.pids()
        if (units := [unit for unit in pes_packets(packets, pid) if unit.pts_90k is not None])
    ]
    return {pid: pts for _, pid, pts in sorted(found, key=itemgetter(0)) if pts is not None}


@pytest.mark.parametrize(
    ("path", "program"), [pytest.param(*it, id=f"{it[0].stem}-{it[1]}") for it in television()]
)
def test_a_viewer_who_tunes_in_gets_pictures_that_decode_and_sound_that_fits(
    path: Path, program: int
) -> None:
    content = path.read_bytes()
    begun = 0
    for moment in MOMENTS:
        stream, has_begun = asyncio.run(tuned_in(content[int(moment * len(content)) :], program))
        if not has_begun:
            continue
        begun += 1
        said = subprocess.run(FFMPEG, input=stream, capture_output=True, check=False).stderr
        complaints = [line for line in said.decode().splitlines() if COMPLAINTS.search(line)]
        assert not complaints, f"from {moment:.0%} on"
        (_, picture), *others = first_pts(stream).items()
        later_s = [signed(pts - picture, PTS_MODULUS) / 90_000 for _, pts in others]
        related_s = [it for it in later_s if abs(it) < UNRELATED_S]
        assert all(it >= -1 for it in related_s), f"from {moment:.0%} on"
        assert min(map(abs, related_s), default=0) <= 1, f"from {moment:.0%} on"
    if not begun:
        pytest.skip("has no picture to begin with that is clear")

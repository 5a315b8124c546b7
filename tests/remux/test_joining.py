"""Whoever begins at a point of a broadcast sees what everybody else sees from there on."""

import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.oracle.transport import PACKET_BYTES
from tests.oracle.ts_checker import check
from tests.remux.recordings import CAPTURES, CLIPS
from xg2g_backends.base import Point, PointKind, RemuxOptions
from xg2g_backends.embedded.shared_library import Library, library_path
from xg2g_backends.joining import Joiner

READ_BYTES = 1_500_000
FORGOTTEN = "mmco: unref short failure"
TOO_MANY = (
    "number of reference frames (0+5) exceeds max (4; probably corrupt input), discarding one"
)
PICTURES = 8
PROBED_BYTES = 50_000
"""Before so many, ffmpeg does not look whether it knows all of a stream."""
NAMES = (
    "atsc-dup-pid-mp2-and-ac3.ts",
    "dvb-h264-mp1a-dvbsub-from-t2mi.ts",
    "dvbsub-rs204.ts",
    "dvbt-au-mpeg2v-mp2-latmAD-teletext.ts",
    "dvbt-it-mux-8prog-mp2-hevc-hbbtv.ts",
    "h264-ac3-de-16s.ts",
    "h264-mp1a-10s.ts",
    "hevc-aac-scte35.ts",
    "middle-pat-pmt.ts",
    "pmtlie-aac-as-0x04-h264-12s.ts",
    "pmtlie-latm-as-0x0f-hevc-leadbyte.ts",
    "pts-wrap-aac-h264-10seg.ts",
    "tnt-fr-1prog-ac3-ccerr.ts",
    "tnt-fr-2prog-ac3-dvbsub.ts",
    "tnt-fr-2prog-one-scrambled.ts",
    "tnt-fr-eac3x3-dvbsub.ts",
)
"""Every capture with a random access point but two whose pictures are damaged, so that what a
decoder makes of them depends on what it had before: tnt-fr-eac3-lossy-6s and
corrupt-fuzzed-twin-of-pmtlie."""

CLIP_NAMES = ("hevc.ts", "interlaced-576i.ts", "open-gop.ts")
"""Clips, which every clone has: HEVC, fields, and groups that are open."""

TOLD = {
    "tnt-fr-1prog-ac3-ccerr.ts": {FORGOTTEN, TOO_MANY},
    "tnt-fr-2prog-ac3-dvbsub.ts": {FORGOTTEN},
    "tnt-fr-2prog-one-scrambled.ts": {FORGOTTEN, TOO_MANY},
    "tnt-fr-eac3x3-dvbsub.ts": {FORGOTTEN},
}
"""The pictures of these name references of the group before them that are to be forgotten. A
decoder that begins has none of them, whatever it is given, and shows the same picture."""


def remuxed(path: Path, program: int) -> tuple[bytes, list[Point]]:
    library = Library(library_path())
    handle = library.open(RemuxOptions(program=program))
    output = library.process(handle, path.read_bytes())
    points = [p for p in library.points(handle) if p.kind is PointKind.RANDOM_ACCESS]
    output += library.finish(handle)
    library.free(handle)
    return output, points


@cache
def broadcast(name: str) -> tuple[bytes, list[Point]]:
    """The program with the most points, and three of them."""
    path = (CLIPS if name in CLIP_NAMES else CAPTURES) / name
    if not path.exists():
        pytest.skip(f"no captures: {path} is absent (XG2G_CAPTURES names their folder)")
    programs = [point.program for point in remuxed(path, 0)[1]]
    output, points = remuxed(path, max(programs, key=programs.count))
    # The end of the capture may cut off the picture of the last.
    points = [point for point in points if has_pictures(output, point)] or points
    return output, [points[n] for n in sorted({0, len(points) // 2, len(points) - 1})]


def decoded(stream: bytes, *options: str) -> tuple[dict[int, str], list[str]]:
    """The pictures of a stream by their PTS, and what ffmpeg complains of."""
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-threads", "1", "-copyts"]
    command += ["-i", "pipe:0", "-map", "0:v:0", *options, "-fps_mode", "passthrough"]
    command += ["-enc_time_base", "1:90000", "-f", "framecrc", "-"]
    result = subprocess.run(command, input=stream, capture_output=True, check=False)
    pictures: dict[int, str] = {}
    for line in result.stdout.decode().splitlines():
        if not line.startswith("#"):
            fields = line.split(",")
            pictures.setdefault(int(fields[2]) % 2**33, fields[-1])
    return pictures, result.stderr.decode().splitlines()


def joined(stream: bytes, point: Point) -> bytes:
    with Joiner(point) as joiner:
        return joiner.take(stream[point.offset :][: READ_BYTES // PACKET_BYTES * PACKET_BYTES])


def has_pictures(stream: bytes, point: Point) -> bool:
    rest = stream[point.offset :]
    return len(first_pictures(rest, video_of(rest), 0)) < len(rest)


def video_of(stream: bytes) -> int:
    """The PID of the picture with which it begins."""
    return (stream[1] & 0x1F) << 8 | stream[2]


def first_pictures(stream: bytes, video: int, at_least: int = PROBED_BYTES) -> bytes:
    """The stream up to the third unit of video: the first picture may be two fields."""
    units = 0
    for at in range(0, len(stream), PACKET_BYTES):
        is_video = (stream[at + 1] & 0x1F) << 8 | stream[at + 2] == video
        if is_video and stream[at + 1] & 0x40:
            units += 1
            if units >= 3 and at >= at_least:
                return stream[:at]
    return stream


@pytest.mark.parametrize("name", NAMES + CLIP_NAMES)
def test_from_each_point_on_every_picture_is_that_of_the_whole_broadcast(name: str) -> None:
    stream, points = broadcast(name)
    everybody, _ = decoded(stream)
    for point in points:
        begun, _ = decoded(joined(stream, point), "-frames:v", str(PICTURES))
        assert next(iter(begun)) == point.pts_90k
        assert begun == {pts: everybody.get(pts, picture) for pts, picture in begun.items()}


@pytest.mark.parametrize("name", NAMES + CLIP_NAMES)
def test_the_first_picture_decodes_without_a_complaint(name: str) -> None:
    stream, points = broadcast(name)
    told: set[str] = set()
    for point in points:
        begun = joined(stream, point)
        begun = first_pictures(begun, video_of(stream[point.offset :]))
        pictures, complaints = decoded(begun, "-frames:v", "1")
        assert list(pictures) == [point.pts_90k]
        told |= {line.rpartition("] ")[2] for line in complaints if "message repeated" not in line}
    assert told == TOLD.get(name, set())


@pytest.mark.parametrize("name", NAMES + CLIP_NAMES)
def test_a_joined_stream_has_no_error_that_the_broadcast_has_not(name: str) -> None:
    stream, points = broadcast(name)
    for point in points:
        rest = stream[point.offset :][: READ_BYTES // PACKET_BYTES * PACKET_BYTES]
        worse = check(joined(stream, point)).worse_than(check(point.tables + rest))
        # A PID with no more than the rest of a unit is left out.
        assert worse.keys() <= {"absent"}

"""The cards of the bouquet Test cards: each is a clean broadcast, and is what its name says."""

from __future__ import annotations

import io
from functools import cache
from importlib import resources
from itertools import dropwhile
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.oracle.audio_sync import TimeLine, decode_track
from tests.oracle.transport import Packets, pmts
from tests.oracle.ts_checker import check
from xg2g.simulator.loop import Loop
from xg2g.simulator.recording import parse_recording
from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded._abi import Library, library_path
from xg2g_backends.packaging import Event, Header, NotOffered, Packager, VideoMedia

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CLIPS = resources.files("xg2g.simulator").joinpath("clips")
RATE_HZ = 48_000
SECOND = 90_000

PICTURES = {
    "interlaced-1080i": ("h264", 1920, 1080, 25),
    "interlaced-576i": ("h264", 720, 576, 25),
    "languages": ("h264", 1280, 720, 25),
    "lip-sync": ("h264", 1280, 720, 25),
    "hevc": ("hevc", 1280, 720, 50),
    "mpeg2": ("mpeg2video", 720, 576, 25),
}
"""Coding, size and pictures in a second."""
LOOP_S = 12
TONES_HZ = {
    ("interlaced-1080i", 0x1012): 440,
    ("interlaced-576i", 0x1022): 440,
    ("languages", 0x1032): 440,
    ("languages", 0x1033): 880,
    ("languages", 0x1034): 1320,
    ("hevc", 0x1052): 440,
    ("mpeg2", 0x1062): 440,
}
INTERLACED = {"interlaced-1080i": 12, "interlaced-576i": 8 * 720 / 1024, "mpeg2": 4 * 720 / 1024}
"""By how many samples the stripes move from field to field."""
LIP_SYNC_PID = 0x1042


@cache
def rounds(name: str, count: int = 2) -> bytes:
    data = CLIPS.joinpath(f"{name}.ts").read_bytes()
    (program,) = parse_recording(data).programs
    return Loop(data, program.pcr_pid).read(0, count * (len(data) // 188))


def pictures(name: str, count: int = 2) -> Iterator[av.VideoFrame]:
    """Decoded pictures from the first key frame on; anything a decoder complains of fails."""
    coding = PICTURES[name][0]
    with av.open(io.BytesIO(rounds(name, count)), "r", format="mpegts") as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create(coding, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.options = {"err_detect": "explode", "threads": "1"}
        # The last one's end is in the round that follows.
        packets = [packet for packet in container.demux(stream) if packet.size][:-1]
        for packet in dropwhile(lambda packet: not packet.is_keyframe, packets):
            yield from decoder.decode(packet)
        yield from decoder.decode(None)


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(
        -1, plane.line_size
    )
    return rows[: frame.height, : frame.width]


def sound(name: str, pid: int, origin_90k: float | None = None) -> TimeLine:
    track = decode_track(Packets(rounds(name)), pid)
    assert track is not None
    # The file begins in the middle of an access unit.
    assert track.refused <= 2
    first_90k = track.decoded[0].pts_90k
    return TimeLine(track.decoded, first_90k if origin_90k is None else origin_90k, RATE_HZ)


@cache
def packaged(name: str) -> list[Event]:
    library = Library(library_path())
    handle = library.open(RemuxOptions())
    data = library.process(handle, rounds(name))
    data += library.finish(handle)
    library.free(handle)
    with Packager() as packager:
        return packager.process(data) + packager.finish()


@pytest.mark.parametrize("name", PICTURES)
def test_a_card_is_a_stream_without_error_also_at_the_joint(name: str) -> None:
    report = check(rounds(name))
    # As from a receiver, the PAT names the other services of the transponder.
    assert set(report.errors) == {("absent", 0)}
    assert report.audio
    assert all(not buffer.errors() for buffer in report.audio.values())


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_decodes_also_at_the_joint(name: str) -> None:
    _, width, height, rate = PICTURES[name]
    stamps = []
    for frame in pictures(name):
        assert (frame.width, frame.height) == (width, height)
        assert not frame.is_corrupt
        assert frame.pts is not None
        stamps.append(frame.pts)
    assert len(stamps) >= (2 * LOOP_S - 2) * rate
    assert set(np.diff(stamps)) == {SECOND // rate}


@pytest.mark.parametrize(("name", "pid"), TONES_HZ)
def test_each_track_sounds_at_its_pitch_without_a_break(name: str, pid: int) -> None:
    line = sound(name, pid)
    assert line.covered[RATE_HZ:-RATE_HZ].all()
    samples = line.samples.mean(0)
    # Over the joint as well as elsewhere, between two beeps.
    for second in range(2, 2 * LOOP_S - 2):
        piece = samples[second * RATE_HZ : (second + 1) * RATE_HZ]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(RATE_HZ)))
        assert int(np.argmax(spectrum)) == TONES_HZ[name, pid]
        assert np.sqrt((piece**2).mean()) > 0.05


def test_languages_and_the_description_are_signalled() -> None:
    (pmt, *_) = pmts(Packets(rounds("languages")))
    tracks = {stream.pid: (stream.stream_type, stream.descriptors) for stream in pmt.streams}
    assert b"\x0a\x04deu\x00" in tracks[0x1032][1]
    assert b"\x0a\x04eng\x00" in tracks[0x1033][1]
    assert tracks[0x1033][0] == 0x06
    assert b"\x6a\x02" in tracks[0x1033][1]
    assert b"\x0a\x04deu\x03" in tracks[0x1034][1]
    assert b"\x7f\x05\x06\x85deu" in tracks[0x1034][1]


def test_one_picture_each_second_is_white_and_a_beep_begins_with_it() -> None:
    white = [frame.pts or 0 for frame in pictures("lip-sync") if luma(frame).mean() > 230]
    assert len(white) >= 2 * LOOP_S - 3
    assert set(np.diff(white)) == {SECOND}, "each second, and no two running"
    line = sound("lip-sync", LIP_SYNC_PID, white[0])
    for second in range(1, len(white) - 1):
        around = np.abs(line.window(second * RATE_HZ - 2400, 4800).mean(0))
        late_s = (int(np.argmax(around > 0.35 * around.max())) - 2400) / RATE_HZ
        assert abs(late_s) <= 0.001
        assert around[:2000].max() < 0.02, "next to nothing is heard before"


@pytest.mark.parametrize("name", INTERLACED)
def test_fields_of_one_frame_are_of_two_instants(name: str) -> None:
    for frame in pictures(name, 1):
        assert frame.interlaced_frame
        band = luma(frame)[int(frame.height * 0.72) : int(frame.height * 0.77)].astype(float)
        first, second = edges(band[0::2]), edges(band[1::2])
        moved = np.median([np.abs(second - edge).min() for edge in first[2:-2]])
        assert moved == pytest.approx(INTERLACED[name], abs=1.5)


def edges(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where black stripes end, in samples."""
    row = rows.mean(0)
    at = np.flatnonzero((row[:-1] < 125) & (row[1:] >= 125))
    edges: NDArray[np.float64] = at + (125 - row[at]) / (row[at + 1] - row[at])
    return edges


@pytest.mark.parametrize("name", PICTURES)
def test_a_card_is_packaged_where_browsers_have_its_coding(name: str) -> None:
    coding, width, height, rate = PICTURES[name]
    events = packaged(name)
    refused = {event.reason for event in events if isinstance(event, NotOffered)}
    headers = {event.rendition: event.media for event in events if isinstance(event, Header)}
    if coding == "mpeg2video":
        assert refused == {"mpeg2_video"}
        return
    assert refused == set()
    video = headers["video"]
    assert isinstance(video, VideoMedia)
    assert (video.width, video.height, video.frame_rate) == (width, height, rate)
    assert video.is_interlaced == (name in INTERLACED)
    assert {rendition for rendition in headers if rendition.startswith("sound-")} == {
        f"sound-{stream.pid}" for stream in pmts(Packets(rounds(name)))[0].streams[1:]
    }

"""The cards of the bouquet Test cards: each is a clean broadcast, and is what its name says."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.oracle.audio_sync import TimeLine, decode_track
from tests.oracle.transport import Packets, pes_packets, pmts
from tests.oracle.ts_checker import check
from tests.xg2g.simulator.cards import PICTURES, SECOND, luma, packaged, pictures, rounds
from xg2g_backends.packaging import Header, NotOffered, Part, VideoMedia

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 48_000
LOOP_S = 12
TONES_HZ = {
    ("interlaced-1080i", 0x1012): 440,
    ("interlaced-576i", 0x1022): 440,
    ("languages", 0x1032): 440,
    ("languages", 0x1033): 880,
    ("languages", 0x1034): 1320,
    ("hevc", 0x1052): 440,
    ("mpeg2", 0x1062): 440,
    ("subtitles", 0x1012): 440,
    ("open-gop", 0x1022): 440,
    ("seldom-key", 0x1032): 440,
    ("picture-changes", 0x1042): 440,
}
INTERLACED = {"interlaced-1080i": 12, "interlaced-576i": 8 * 720 / 1024, "mpeg2": 4 * 720 / 1024}
"""By how many samples the stripes move from field to field."""
LIP_SYNC_PID = 0x1042


def sound(name: str, pid: int, origin_90k: float | None = None) -> TimeLine:
    track = decode_track(Packets(rounds(name)), pid)
    assert track is not None
    # The file begins in the middle of an access unit.
    assert track.refused <= 2
    first_90k = track.decoded[0].pts_90k
    return TimeLine(track.decoded, first_90k if origin_90k is None else origin_90k, RATE_HZ)


@pytest.mark.parametrize("name", PICTURES)
def test_a_card_is_a_stream_without_error_also_at_the_joint(name: str) -> None:
    report = check(rounds(name))
    # As from a receiver, the PAT names the other services of the transponder.
    assert set(report.errors) == {("absent", 0)}
    assert report.audio
    assert all(not buffer.errors() for buffer in report.audio.values())


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_decodes_also_at_the_joint(name: str) -> None:
    _, sizes, rate, loop_s = PICTURES[name]
    stamps = []
    seen = set()
    for frame in pictures(name):
        seen.add((frame.width, frame.height))
        assert not frame.is_corrupt
        assert frame.pts is not None
        stamps.append(frame.pts)
    assert seen == set(sizes)
    missing_s = 2 if name != "seldom-key" else 9
    assert len(stamps) >= (2 * loop_s - missing_s) * rate
    assert set(np.diff(stamps)) == {SECOND // rate}


@pytest.mark.parametrize(("name", "pid"), TONES_HZ)
def test_each_track_sounds_at_its_pitch_without_a_break(name: str, pid: int) -> None:
    line = sound(name, pid)
    assert line.covered[RATE_HZ:-RATE_HZ].all()
    samples = line.samples.mean(0)
    # Over the joint as well as elsewhere, between two beeps.
    for second in range(2, int(2 * PICTURES[name].loop_s) - 2):
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
    coding, sizes, rate, _ = PICTURES[name]
    events = packaged(name)
    refused = {event.reason for event in events if isinstance(event, NotOffered)}
    all_media = [event.media for event in events if isinstance(event, Header)]
    renditions = {event.rendition for event in events if isinstance(event, Header)}
    videos = [media for media in all_media if isinstance(media, VideoMedia)]
    if coding == "mpeg2video":
        assert refused == {"mpeg2_video"}
        return
    assert refused == set()
    assert {(video.width, video.height) for video in videos} == set(sizes)
    assert {video.frame_rate for video in videos} == {rate}
    assert {video.is_interlaced for video in videos} == {name in INTERLACED}
    codecs = {event.codecs for event in events if isinstance(event, Header)}
    levels = {int(codec[-2:], 16) for codec in codecs if codec.startswith("avc1.")}
    assert max(levels, default=0) <= 40, "broadcasters keep to level 4, and some decoders insist"
    tracks = {pid for card, pid in (*TONES_HZ, ("lip-sync", LIP_SYNC_PID)) if card == name}
    sounds = {rendition for rendition in renditions if rendition.startswith("sound-")}
    assert sounds == {f"sound-{pid}" for pid in tracks}


def nal_types(data: bytes) -> list[int]:
    """Of the NAL units of an H.264 access unit."""
    return [data[at.end()] & 31 for at in re.finditer(b"\0\0\1", data)]


def test_no_picture_of_the_open_groups_is_idr_and_two_are_shown_before_each_key_frame() -> None:
    units = pes_packets(Packets(rounds("open-gop")), 0x1021)
    types = [nal_types(unit.data) for unit in units]
    assert not any(5 in found for found in types)
    keys = [i for i, found in enumerate(types) if 7 in found]
    assert len(keys) >= 18
    stamps = [unit.pts_90k or 0 for unit in units]
    assert set(np.diff([stamps[i] for i in keys])) == {SECOND * 24 // 25}
    for i in keys[:-1]:
        assert b"\0\0\1\x06\x06" in units[i].data, "a recovery point (H.264, D.1.7)"
        assert sum(pts < stamps[i] for pts in stamps[i:]) == 2


def test_key_frames_come_each_eight_seconds() -> None:
    units = pes_packets(Packets(rounds("seldom-key")), 0x1031)
    keys = [unit.pts_90k or 0 for unit in units if 5 in nal_types(unit.data)]
    assert len(keys) == 6
    assert set(np.diff(keys)) == {8 * SECOND}


def test_the_picture_changes_its_lines_and_then_its_shape() -> None:
    found = []
    with av.open(io.BytesIO(rounds("picture-changes")), "r", format="mpegts") as container:
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.options = {"threads": "1"}
        for packet in container.demux(container.streams.video[0]):
            if 7 in nal_types(bytes(packet)):
                decoder.decode(packet)
                # Square where nothing is said.
                shape = decoder.sample_aspect_ratio or Fraction(1)
                found.append((decoder.width, decoder.height, shape))
    changes = [key for key, _ in groupby(found)]
    hd, wide, narrow = (
        (1280, 720, Fraction(1)),
        (720, 576, Fraction(64, 45)),
        (720, 576, Fraction(16, 15)),
    )
    # Sent ahead, the next round begins at the end of the second.
    assert changes == [*2 * [hd, wide, narrow], hd]


def packaged_file(name: str, rendition: str) -> io.BytesIO:
    """A rendition's initialisation segment and parts."""
    events = [event for event in packaged(name) if isinstance(event, Header | Part)]
    return io.BytesIO(b"".join(event.data for event in events if event.rendition == rendition))


def test_flash_and_beep_are_together_in_what_is_packaged() -> None:
    with av.open(packaged_file("lip-sync", "video"), "r") as container:
        frames = container.decode(container.streams.video[0])
        white = [frame.time or 0 for frame in frames if luma(frame).mean() > 230]
    assert len(white) >= 2 * LOOP_S - 3
    with av.open(packaged_file("lip-sync", f"sound-{LIP_SYNC_PID}"), "r") as container:
        pieces = list(container.decode(container.streams.audio[0]))
    begin_s = pieces[0].time or 0
    samples = np.abs(np.concatenate([piece.to_ndarray().mean(0) for piece in pieces]))
    for at_s in white[1:-2]:
        middle = round((at_s - begin_s) * RATE_HZ)
        around = samples[middle - 2400 : middle + 2400]
        late_s = (int(np.argmax(around > 0.35 * around.max())) - 2400) / RATE_HZ
        assert abs(late_s) <= 0.001

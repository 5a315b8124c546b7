"""The cards of the bouquet Test cards: each is a clean broadcast, and is what its name says."""

from __future__ import annotations

import io
import re
import subprocess
from fractions import Fraction
from functools import cache
from importlib import resources
from itertools import dropwhile, groupby
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
import pytest

from tests.oracle.audio_sync import TimeLine, decode_track
from tests.oracle.transport import Packets, pes_packets, pmts
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


class Pictures(NamedTuple):
    """What is coded, and how long a round is."""

    coding: str
    sizes: tuple[tuple[int, int], ...]
    each_second: int
    loop_s: float = 12


HD, SD = ((1280, 720),), ((720, 576),)
PICTURES = {
    "interlaced-1080i": Pictures("h264", ((1920, 1080),), 25),
    "interlaced-576i": Pictures("h264", SD, 25),
    "languages": Pictures("h264", HD, 25),
    "lip-sync": Pictures("h264", HD, 25),
    "hevc": Pictures("hevc", HD, 50),
    "mpeg2": Pictures("mpeg2video", SD, 25),
    "subtitles": Pictures("h264", HD, 25),
    "open-gop": Pictures("h264", HD, 25, 9.6),
    "seldom-key": Pictures("h264", HD, 25, 24),
    "picture-changes": Pictures("h264", (*HD, *SD), 25),
}
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


@cache
def rounds(name: str, count: int = 2) -> bytes:
    data = CLIPS.joinpath(f"{name}.ts").read_bytes()
    (program,) = parse_recording(data).programs
    return Loop(data, program.pcr_pid).read(0, count * (len(data) // 188))


def pictures(name: str, count: int = 2) -> Iterator[av.VideoFrame]:
    """Decoded pictures from the first key frame on; anything a decoder complains of fails."""
    with av.open(io.BytesIO(rounds(name, count)), "r", format="mpegts") as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create(PICTURES[name].coding, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.options = {"err_detect": "explode", "threads": "1"}
        # The last one's end is in the round that follows.
        packets = [packet for packet in container.demux(stream) if packet.size][:-1]
        packets = list(dropwhile(lambda packet: not packet.is_keyframe, packets))
        begin = packets[0].pts or 0
        for packet in packets:
            # Nobody can decode what precedes an open group's key frame in time.
            if (packet.pts or 0) >= begin:
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


TELETEXT = {
    "888": ("deu", 2, "Es ist 00:{:02}\nSeite 888: äöü ÄÖÜ ß"),
    "889": ("deu", 5, "(Piepton) 00:{:02}\nSeite 889"),
    "777": ("eng", 2, "It is 00:{:02}\npage 777: £ # ½"),
}
"""Language, teletext_type and text."""
TELETEXT_PID = 0x1013
DVB = {
    (0x1014, 1): ("deu", 0x14, (1280, 720)),
    (0x1014, 2): ("deu", 0x24, (1280, 720)),
    (0x1015, 1): ("eng", 0x10, (720, 576)),
}
"""By PID and page: language, subtitling_type and display."""
SHOWN_S = 1.6
FIRST_PTS = 11.5
"""Of the clock's beginning, in the clip's file."""


def test_subtitles_are_signalled_with_language_and_for_whom() -> None:
    streams = {stream.pid: stream for stream in pmts(Packets(rounds("subtitles")))[0].streams}
    entries = streams[TELETEXT_PID].descriptor(0x56) or b""
    pages = {
        f"{entries[at + 3] & 7 or 8:x}{entries[at + 4]:02x}": (
            entries[at : at + 3].decode(),
            entries[at + 3] >> 3,
        )
        for at in range(0, len(entries), 5)
    }
    assert pages == {"100": ("deu", 1)} | {page: found[:2] for page, found in TELETEXT.items()}
    for (pid, page), (language, kind, _) in DVB.items():
        entries = streams[pid].descriptor(0x59) or b""
        entry = language.encode() + bytes((kind, 0, page, 0, page))
        assert entry in [entries[at : at + 8] for at in range(0, len(entries), 8)]


def test_the_clock_begins_where_subtitles_are_measured_from() -> None:
    data = CLIPS.joinpath("subtitles.ts").read_bytes()
    lit = [
        (frame.pts or 0) / SECOND - FIRST_PTS
        for frame in pictures("subtitles", 1)
        if luma(frame)[320:410, 200:300].mean() > 200
    ]
    assert len(data) % 188 == 0
    assert len(lit) >= LOOP_S - 2
    assert all(at == pytest.approx(round(at), abs=0.001) for at in lit)


@pytest.mark.skipif(
    b"libzvbi" not in subprocess.run(["ffmpeg", "-v", "0", "-decoders"], stdout=-1).stdout,
    reason="this ffmpeg reads no teletext",
)
@pytest.mark.parametrize("page", TELETEXT)
def test_teletext_tells_the_time_of_the_card(page: str) -> None:
    options = ["-copyts", "-fix_sub_duration", "-txt_page", page, "-txt_format", "text"]
    # Otherwise ffmpeg takes the PCR for the time.
    options += ["-fix_teletext_pts", "0"]
    command = ["ffmpeg", "-v", "fatal", *options, "-f", "mpegts", "-i", "pipe:"]
    command += ["-map", f"0:i:{TELETEXT_PID}", "-f", "srt", "-"]
    told = subprocess.run(command, input=rounds("subtitles"), capture_output=True, check=True)
    cues = [cue.split("\n", 2) for cue in told.stdout.decode().strip().split("\n\n")]
    assert len(cues) >= LOOP_S - 1
    for i, (_, times, text) in enumerate(cues):
        begin, end = (
            60 * int(time[3:5]) + float(time[6:].replace(",", ".")) for time in times.split(" --> ")
        )
        assert begin == pytest.approx(FIRST_PTS + 2 * i, abs=0.002)
        if i + 1 < len(cues):
            assert end == pytest.approx(begin + SHOWN_S, abs=0.002)
        lines = "\n".join(line.strip() for line in text.splitlines())
        assert lines == TELETEXT[page][2].format(2 * i % LOOP_S)


@pytest.mark.parametrize(("pid", "page"), DVB)
def test_bitmaps_come_and_go_with_the_seconds_of_the_card(pid: int, page: int) -> None:
    width, height = DVB[pid, page][2]
    decoder = av.CodecContext.create("dvbsub", "r")
    assert isinstance(decoder, av.subtitles.codeccontext.SubtitleCodecContext)
    shown: list[tuple[float, int]] = []
    drawn: list[bytes] = []
    for pes in pes_packets(Packets(rounds("subtitles")), pid):
        segments = list(segments_of(pes.data))
        if {number for _, number, _ in segments} != {page}:
            continue
        rects = decoder.decode2(av.Packet(pes.data[2:]))
        assert rects is not None
        at_s = (pes.pts_90k or 0) / SECOND - FIRST_PTS
        displays = [body for kind, _, body in segments if kind == 0x14]
        sizes = [(body[1] << 8 | body[2], body[3] << 8 | body[4]) for body in displays]
        assert sizes == ([] if (width, height) == (720, 576) else [(width - 1, height - 1)])
        shown.append((round(at_s, 3), len(rects)))
        for bitmap in rects:
            assert isinstance(bitmap, av.subtitles.subtitle.BitmapSubtitle)
            assert bitmap.x + bitmap.width // 2 == width // 2
            assert height * 0.75 < bitmap.y < bitmap.y + bitmap.height <= height * 0.91
        # What is drawn, without the version before it.
        drawn.extend(body[3:] for kind, _, body in segments if kind == 0x13)
    times = [at for at, _ in shown if at >= 0]
    expected = [at for second in range(0, 2 * LOOP_S, 2) for at in (second, second + SHOWN_S)]
    assert times == pytest.approx(expected[: len(times)])
    assert len(times) >= 2 * LOOP_S - 3
    assert [count for at, count in shown if at >= 0] == ([1, 0] * LOOP_S)[: len(times)]
    assert len(set(drawn)) == LOOP_S // 2, "each time has its own"


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


def segments_of(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, page and body of each segment (EN 300 743, clause 7.2)."""
    assert data[:2] == b"\x20\x00"
    at = 2
    while data[at] == 0x0F:
        length = data[at + 4] << 8 | data[at + 5]
        yield data[at + 1], data[at + 2] << 8 | data[at + 3], data[at + 6 : at + 6 + length]
        at += 6 + length
    assert data[at:] == b"\xff"

"""The card with subtitles: teletext and bitmaps tell the time of its clock."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import av
import pytest

from tests.oracle.transport import Packets, pes_packets, pmts
from tests.xg2g.simulator.cards import CLIPS, PICTURES, SECOND, luma, packaged, pictures, rounds
from xg2g_backends.packaging import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOP_S = round(PICTURES["subtitles"].loop_s)
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


def test_a_page_ends_in_its_own_pes_packet_whether_magazines_are_serial_or_parallel() -> None:
    """In parallel transmission only a header of its magazine ends a page (EN 300 706, 7.2.1)."""
    ended = set()
    for pes in pes_packets(Packets(rounds("subtitles")), TELETEXT_PID):
        begun: dict[int, str] = {}
        for magazine, row, data in teletext_packets(pes.data):
            if row == 0:
                page = f"{magazine or 8}{nibble(data[1]):x}{nibble(data[0]):x}"
                ended |= {begun[magazine]} if magazine in begun else set()
                begun[magazine] = page
        assert all(page[1:] == "ff" for page in begun.values()), "it waits for the next packet"
    assert set(TELETEXT) | {"100"} <= ended


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


@pytest.mark.parametrize("page", TELETEXT)
def test_teletext_is_packaged_with_the_time_of_the_card(page: str) -> None:
    texts = [
        event.data.decode()
        for event in packaged("subtitles")
        if isinstance(event, Part) and event.rendition == f"text-{TELETEXT_PID}-{page}"
    ]
    begun = set()
    for text in texts:
        origin = re.search(r"MPEGTS:(\d+)", text)
        assert origin
        for cue in text.split("\n\n")[1:]:
            if " --> " not in cue:
                continue
            times, *lines = cue.strip().split("\n")
            begin, end = (60 * int(time[3:5]) + float(time[6:12]) for time in times.split(" --> "))
            if begin:
                at_s = int(origin[1]) / SECOND - FIRST_PTS + begin
                begun.add(round(at_s, 2))
                plain = re.sub("<[^>]*>", "", "\n".join(lines))
                assert plain == TELETEXT[page][2].format(round(at_s) % LOOP_S)
            assert end - begin <= SHOWN_S + 0.001
    assert sorted(begun) == [2.0 * i for i in range(1, 1 + len(begun))]
    assert len(begun) >= LOOP_S - 3


@pytest.mark.parametrize(("pid", "page"), DVB)
def test_bitmaps_are_packaged_with_the_time_of_the_card(pid: int, page: int) -> None:
    files = [
        json.loads(event.data)
        for event in packaged("subtitles")
        if isinstance(event, Part) and event.rendition == f"images-{pid}-{page}"
    ]
    changes = {}
    for file in files:
        for event in file["events"]:
            if event["from_90k"] > file["start_90k"]:
                changes[round(event["from_90k"] / SECOND - FIRST_PTS, 2)] = len(event["images"])
            for image in event["images"]:
                assert image["x"] + image["width"] // 2 == DVB[pid, page][2][0] // 2
    assert all(at % 2 == pytest.approx(0 if shows else SHOWN_S) for at, shows in changes.items())
    assert len(changes) >= 2 * (LOOP_S - 3)


def segments_of(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, page and body of each segment (EN 300 743, clause 7.2)."""
    assert data[:2] == b"\x20\x00"
    at = 2
    while data[at] == 0x0F:
        length = data[at + 4] << 8 | data[at + 5]
        yield data[at + 1], data[at + 2] << 8 | data[at + 3], data[at + 6 : at + 6 + length]
        at += 6 + length
    assert data[at:] == b"\xff"


def teletext_packets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Magazine (0 for 8), row and data of each packet (EN 300 472, 4.3; EN 300 706, 7.1.2)."""
    assert data[0] == 0x10
    for at in range(1, len(data), 46):
        if data[at] in (0x02, 0x03):
            sent = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data[at + 4 : at + 46])
            address = nibble(sent[0]) | nibble(sent[1]) << 4
            yield address & 7, address >> 3, sent[2:]


def nibble(byte: int) -> int:
    """The data bits of a Hamming 8/4 code (EN 300 706, 8.2), which no error has touched."""
    return byte >> 1 & 1 | byte >> 2 & 2 | byte >> 3 & 4 | byte >> 4 & 8

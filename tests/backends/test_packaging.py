"""What a packager gives through the library: events with their bytes, the same for any pieces."""

import gc
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.shared_library import Library, library_path
from xg2g_backends.errors import ClosedError, FinishedError, InvalidArgumentError
from xg2g_backends.packaging import (
    Event,
    Header,
    NotOffered,
    Packager,
    Part,
    Segment,
    SoundMedia,
    TextMedia,
    VideoMedia,
)

CLIPS = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips"


def remuxed(name: str) -> bytes:
    library = Library(library_path())
    handle = library.open(RemuxOptions())
    data = library.process(handle, (CLIPS / name).read_bytes())
    data += library.finish(handle)
    library.free(handle)
    return data


@pytest.fixture(scope="module")
def stream() -> bytes:
    return remuxed("two-hd.ts")


def package(data: bytes, size: int, **options: int) -> list[Event]:
    with Packager(**options) as packager:
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        events = [event for piece in pieces for event in packager.process(piece)]
        return events + packager.finish()


def parts(events: list[Event], rendition: str) -> Iterator[Part]:
    return (event for event in events if isinstance(event, Part) and event.rendition == rendition)


def test_any_pieces_give_the_same_events(stream: bytes) -> None:
    assert package(stream, 1317) == package(stream, len(stream))


def test_each_rendition_has_the_properties_that_playlists_need(stream: bytes) -> None:
    headers = [event for event in package(stream, 65536) if isinstance(event, Header)]
    [video] = [header for header in headers if header.rendition == "video"]
    assert video.media == VideoMedia(1280, 720, None, 25.0, is_interlaced=False)
    assert (video.codecs, video.timescale) == ("avc1.64001f", 90000)
    sounds = {
        header.rendition: (header.media.language, header.media.is_description)
        for header in headers
        if isinstance(header.media, SoundMedia)
    }
    assert sounds == {
        "sound-514": ("fra", False),
        "sound-515": ("qaa", False),
        "sound-516": ("fra", True),
    }


def test_initialisation_segment_and_parts_decode(stream: bytes, tmp_path: Path) -> None:
    events = package(stream, 65536)
    for header in [event for event in events if isinstance(event, Header)]:
        file = tmp_path / f"{header.rendition}.mp4"
        file.write_bytes(header.data + b"".join(p.data for p in parts(events, header.rendition)))
        with av.open(str(file)) as container:
            frames = sum(1 for _ in container.decode(container.streams[0]))
        seconds = sum(p.duration for p in parts(events, header.rendition)) / header.timescale
        rate = 25 if header.rendition == "video" else 48000 / 1024
        assert frames == pytest.approx(seconds * rate, abs=2)


def test_segments_and_parts_are_as_long_as_the_options_say(stream: bytes) -> None:
    events = package(stream, 65536, segment_ms=1000, part_ms=250)
    longest = max(part.duration for part in parts(events, "video"))
    assert 0.85 * 22500 <= longest <= 22500
    ends = [e for e in events if isinstance(e, Segment) and e.rendition == "video"]
    assert {segment.duration for segment in ends[:-1]} == {90000}


def test_tracks_that_are_not_packaged_are_reported() -> None:
    events = package(remuxed("five-scrambled.ts"), 65536)
    assert NotOffered(pid=0x402, reason="sound_coding") in events


@pytest.mark.parametrize(
    "options",
    [
        {"program": 65536},
        {"program": -1},
        {"segment_ms": 499},
        {"part_ms": 199},
        {"part_ms": -1},
        {"longest_ms": 499},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InvalidArgumentError):
        Packager(**options)


def test_a_finished_and_a_closed_packager_refuse_input(stream: bytes) -> None:
    packager = Packager()
    assert packager.process(stream[: 188 * 5000])
    assert packager.finish()
    assert packager.finish() == []
    with pytest.raises(FinishedError):
        packager.process(stream[:188])
    packager.close()
    packager.close()
    with pytest.raises(ClosedError):
        packager.process(b"")
    with pytest.raises(ClosedError):
        packager.finish()


def test_a_forgotten_packager_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[int] = []

    def free(library: Library, handle: int) -> None:
        freed.append(handle)
        original(library, handle)

    original = Library.free_packager
    monkeypatch.setattr(Library, "free_packager", free)
    Packager()
    gc.collect()
    assert len(freed) == 1


def test_teletext_subtitles_are_files_of_text_beside_the_pictures() -> None:
    events = package(remuxed("subtitles.ts"), 65536)
    headers = {event.rendition: event for event in events if isinstance(event, Header)}
    texts = {name: header.media for name, header in headers.items() if name.startswith("text-")}
    assert texts == {
        "text-4115-888": TextMedia("deu", False, "888"),
        "text-4115-889": TextMedia("deu", True, "889"),
        "text-4115-777": TextMedia("eng", False, "777"),
    }
    segments: dict[str, list[int]] = {name: [] for name in headers}
    for event in events:
        if isinstance(event, Segment):
            segments[event.rendition].append(event.number)
    for name in texts:
        assert (headers[name].codecs, headers[name].data) == ("wvtt", b"")
        assert segments[name] == segments["video"]
        files = list(parts(events, name))
        assert [(part.segment, part.index) for part in files] == [(n, 0) for n in segments[name]]
        assert all(part.data.startswith(b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:") for part in files)
        assert any(b" --> " in part.data for part in files)

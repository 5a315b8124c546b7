"""Playlists and files of real and of made-up streams, held against the specification."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.remuxer import remux
from tests.oracle.hls import Complaint
from tests.remux.recordings import CAPTURES, CLIPS
from xg2g.outputs.hls.options import Targets
from xg2g.outputs.hls.presentation import Presentation
from xg2g.outputs.hls.storage import MemoryStorage
from xg2g_backends.packaging import (
    Discontinuity,
    Event,
    Header,
    Media,
    Packager,
    Part,
    Segment,
    SoundMedia,
    TextMedia,
    VideoMedia,
)

from .watcher import Watcher

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLD = Targets.of(2, 0.333)

LONG_GROUPS = {"h264-mp1a-10s.ts"}
"""Their random access points are further apart than the target duration of a channel that nobody
has watched yet. What follows the cut is then no place to begin, though it is told."""

CUT_SHORT = {"hevc-aac-scte35.ts"}
"""It ends within its first part, which tells no frame rate."""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def watcher(targets: Targets = COLD, window_s: float = 300, clock: Clock | None = None) -> Watcher:
    presentation = Presentation(
        MemoryStorage(), targets=targets, window_s=window_s, run="r", now_utc=clock or Clock()
    )
    return Watcher(presentation)


def packaged(stream: bytes, targets: Targets = COLD) -> Iterator[Event]:
    with Packager(
        segment_ms=targets.segment_ms, part_ms=targets.part_ms, longest_ms=targets.longest_ms
    ) as packager:
        for at in range(0, len(stream), 188 * 100):
            yield from packager.process(stream[at : at + 188 * 100])
        yield from packager.finish()


def judged(stream: bytes) -> tuple[Watcher, set[Complaint]]:
    watching = watcher()
    for event in packaged(stream):
        watching.take(event)
        watching.look()
    watching.look_at_files()
    watching.presentation.end()
    watching.look()
    watching.look_at_files()
    return watching, watching.complaints


def listed(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ts")) if folder.is_dir() else []


@pytest.mark.parametrize("path", listed(CLIPS) + listed(CAPTURES), ids=lambda path: path.name)
def test_the_playlists_of_a_recording_keep_the_specification(path: Path) -> None:
    watching, complaints = judged(remux(path.read_bytes()).output)
    if not watching.looks:
        assert not any(r.has_parts for r in watching.presentation.renditions.values())
    tolerated = set()
    if path.name in LONG_GROUPS or (watching.presentation.longest_group_s or 0) > 5.4:
        tolerated.add("independent")
    if path.name in CUT_SHORT:
        tolerated.add("variant-attributes")
    assert {complaint for complaint in complaints if complaint.rule not in tolerated} == set()


class Stream(list[Event]):
    """Events, shown by their kinds alone."""

    def __repr__(self) -> str:
        return f"<{len(self)} events>"


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """What a packager may say of a picture, two sounds and a text."""
    events = Stream()
    held: dict[str, list[Event]] = {"sound-514": [], "sound-515": [], "text-520-888": []}
    media: dict[str, Media] = {
        "sound-514": SoundMedia("deu", False, 2, 48000),
        "sound-515": SoundMedia("deu", True, 2, 48000),
        "text-520-888": TextMedia("deu", False, "888"),
    }
    video = VideoMedia(1280, 720, None, 25.0, False)
    begins = {name: draw(st.integers(0, 6)) for name in media}
    silent = {name: draw(st.sets(st.integers(0, 13), max_size=6)) for name in media}
    needs_header = {name: True for name in media}
    decode_90k, fresh = draw(st.integers(0, 1 << 33)), True
    for number in range(draw(st.integers(1, 14))):
        if number and draw(st.integers(0, 5)) == 0:
            events.append(Discontinuity(number))
            decode_90k += draw(st.sampled_from([0, 90000, 1 << 33]))
            fresh = True
            for name, waiting in held.items():
                # Renditions end an epoch before they begin the next.
                events += waiting
                waiting.clear()
                needs_header[name] = True
        if fresh:
            events.append(Header("video", number, "avc1.64001f", 90000, video, b"h"))
            fresh = False
        frames = [
            draw(st.sampled_from([8, 8, 8, 7, 3, 12])) for _ in range(draw(st.integers(1, 8)))
        ]
        start = decode_90k
        for index, count in enumerate(frames):
            part = Part("video", number, index, decode_90k, 3600 * count, index == 0, b"v" * 100)
            decode_90k += 3600 * count
            events.append(part)
        length = decode_90k - start
        events.append(Segment("video", number, len(frames), start, length))
        for name, waiting in held.items():
            if number < begins[name]:
                continue
            rate = 90000 if name.startswith("text") else 48000
            at, lasts = start * rate // 90000, length * rate // 90000
            if needs_header[name] and (number not in silent[name]):
                data = b"" if name.startswith("text") else b"h"
                waiting.append(Header(name, number, "mp4a.40.2", rate, media[name], data))
                needs_header[name] = False
            if needs_header[name]:
                continue
            if number in silent[name] and not name.startswith("text"):
                waiting.append(Segment(name, number, 0, at, lasts))
            elif name.startswith("text"):
                waiting.append(Part(name, number, 0, at, lasts, True, b"t"))
                waiting.append(Segment(name, number, 1, at, lasts))
            else:
                sizes = [15360] * (lasts // 15360) + ([lasts % 15360] if lasts % 15360 else [])
                for index, size in enumerate(sizes):
                    piece = Part(name, number, index, at + 15360 * index, size, True, b"s" * 10)
                    waiting.append(piece)
                waiting.append(Segment(name, number, len(sizes), at, lasts))
            given_now = draw(st.integers(0, len(waiting)))
            events += waiting[:given_now]
            del waiting[:given_now]
    for waiting in held.values():
        events += waiting
    return events


@settings(max_examples=25, deadline=None)
@given(streams(), st.sampled_from([0, 20, 300]), st.booleans())
def test_no_order_of_events_makes_a_playlist_or_a_reload_that_is_wrong(
    events: Stream, window_s: float, looks_always: bool
) -> None:
    clock = Clock()
    watching = watcher(window_s=window_s, clock=clock)
    for at, event in enumerate(events):
        if isinstance(event, Part) and event.rendition == "video":
            clock.now += timedelta(seconds=event.duration / 90000)
        watching.take(event)
        if looks_always or at % 7 == 0:
            watching.look()
    watching.presentation.end()
    watching.look()
    assert watching.complaints == set()

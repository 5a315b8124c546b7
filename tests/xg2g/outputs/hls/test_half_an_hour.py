"""Half an hour of a channel on which everything happens, held against the specification."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.harness.remuxer import remux
from tests.oracle.transport import PCR_MODULUS, Packets, pmts
from tests.remux.recordings import CLIPS
from xg2g.outputs.hls.options import Targets
from xg2g.outputs.hls.presentation import Presentation
from xg2g.outputs.hls.storage import MemoryStorage
from xg2g.simulator.loop import Loop
from xg2g_backends.packaging import Discontinuity, Event, Packager, Segment

from .watcher import Watcher

TURN_S = 225.0
PIECE_S = 0.5
BEFORE_WRAP_S = 60.0
LOOKS = 0.06
"""Part of the events after which a client looks."""

TURNS = (
    "two-hd.ts",
    "picture-changes.ts",
    "hevc.ts",
    "four-radio.ts",
    "six-changes.ts",
    "subtitles.ts",
    "languages.ts",
    "two-hd.ts",
)
"""Other parameter sets, another codec, no picture, other tracks, texts, and back: each is a time
base of its own, and its stamps begin again within it."""


def broadcast() -> Iterator[tuple[float, bytes]]:
    """Give half an hour in pieces, with the time at which they come. For twenty seconds of each
    turn the sound is silent, and it begins ten seconds late."""
    for turn, name in enumerate(TURNS):
        clip = remux((CLIPS / name).read_bytes()).output
        table = pmts(Packets(clip))[0]
        loop = Loop(clip, table.pcr_pid)
        shift_27m = PCR_MODULUS - loop.clock_at(0) - round(BEFORE_WRAP_S * 27e6)
        sounds = {stream.pid for stream in table.streams if stream.stream_type == 0x0F}
        sounds.discard(table.pcr_pid)
        for step in range(round(TURN_S / PIECE_S)):
            at_s = step * PIECE_S
            first, end = loop.packet_at(at_s), loop.packet_at(at_s + PIECE_S)
            data = loop.read(first, end, shift_27m)
            if at_s < 10 or 100 <= at_s < 120:
                packets = (data[at : at + 188] for at in range(0, len(data), 188))
                data = b"".join(
                    packet for packet in packets if (packet[1] & 31) << 8 | packet[2] not in sounds
                )
            yield turn * TURN_S + at_s, data


@pytest.mark.timeout(600)
def test_half_an_hour_with_changes_wraps_and_silence_is_as_the_specification_wants_it() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    targets = Targets.of(2, 0.333)
    presentation = Presentation(
        MemoryStorage(), targets=targets, window_s=60, run="r", now_utc=lambda: now
    )
    watching = Watcher(presentation)
    chance = random.Random(1)
    discontinuities, seconds = 0, 0.0
    with Packager(
        segment_ms=targets.segment_ms, part_ms=targets.part_ms, longest_ms=targets.longest_ms
    ) as packager:
        for number, (at_s, data) in enumerate(broadcast()):
            now = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(seconds=at_s)
            events: list[Event] = packager.process(data)
            for event in events:
                watching.take(event)
                discontinuities += isinstance(event, Discontinuity)
                if isinstance(event, Segment) and event.rendition == "video":
                    seconds += event.duration / 90000
                if chance.random() < LOOKS:
                    watching.look()
            if number % 120 == 0:
                watching.look_at_files()
            assert presentation.storage.held_bytes < 40_000_000
    presentation.end()
    watching.look()
    tolerated = {"independent"} if (presentation.longest_group_s or 0) > 5.4 else set()
    assert {c for c in watching.complaints if c.rule not in tolerated} == set()
    assert watching.looks > 500
    assert discontinuities > len(TURNS)
    assert seconds > 1300
    assert presentation.window.discontinuity_sequence > len(TURNS)

"""The first playlist: when it is there, and what it settles."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.xg2g.outputs.hls.presented import (
    Stream,
    announced,
    dates,
)
from xg2g.outputs.hls.options import Targets
from xg2g_backends.packaging import (
    Part,
)


def test_a_first_playlist_of_little_begins_with_gaps_that_leave_as_soon_as_they_can() -> None:
    stream = Stream(group_s=None)
    stream.header()
    stream.part(0, 0)
    text = stream.text()
    assert text.count("#EXT-X-GAP\n#EXTINF:5.00000,\n") == 3
    assert "#EXT-X-MEDIA-SEQUENCE:0\n" in text
    first = dates(text)
    assert [b - a for a, b in pairwise(first)] == [timedelta(seconds=5)] * 3
    for number in range(20):
        stream.segment(number)
    assert "#EXT-X-GAP" not in stream.text()
    assert "#EXT-X-MEDIA-SEQUENCE:3\n" in stream.text()


def test_playback_is_held_back_by_how_far_the_slowest_sound_is_behind() -> None:
    stream = Stream()
    stream.header()
    stream.header("sound-514")
    for index in range(4):
        stream.part(0, index)
    stream.part(0, 0, name="sound-514")
    held = "PART-HOLD-BACK=2.40000"
    assert held in stream.text()
    assert held in stream.text("sound-514")
    stream.end(0, parts=4)
    assert held in stream.text()


@pytest.mark.parametrize(
    ("group_s", "duration", "longest_ms"),
    [
        (None, 5, 5400),
        (0.5, 2, 2400),
        (2.4, 2, 2400),
        (2.5, 3, 3400),
        (8.0, 8, 8400),
        (99, 20, 20400),
    ],
)
def test_the_target_duration_holds_the_longest_group_that_is_known(
    group_s: float | None, duration: int, longest_ms: int
) -> None:
    targets = Targets.of(2, 0.333, group_s)
    assert (targets.duration, targets.longest_ms) == (duration, longest_ms)
    assert f"#EXT-X-TARGETDURATION:{duration}\n" in announced(group_s)


def test_groups_are_known_after_ten_seconds_by_where_segments_are_independent() -> None:
    stream = Stream()
    stream.header()
    for number in range(4):
        stream.segment(number)
    known = stream.presentation.longest_group_s
    stream.take(Part("video", 4, 0, 8 * 90000, 28800, False, b""))
    stream.end(4, parts=1, s=0.32)
    stream.segment(5)
    assert known is None
    assert stream.presentation.longest_group_s == pytest.approx(2.32)


def test_the_first_playlist_waits_for_sound_for_two_seconds() -> None:
    stream = Stream()
    stream.header()
    stream.part(0, 0)
    before = stream.presentation.is_ready
    stream.header("sound-514")
    stream.part(0, 0, name="sound-514")
    assert (before, stream.presentation.is_ready) == (False, True)
    silent = Stream()
    silent.header()
    for index in range(7):
        silent.part(0, index)
    assert silent.presentation.is_ready

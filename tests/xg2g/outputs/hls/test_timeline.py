"""Program dates and discontinuities."""

from datetime import timedelta

from tests.xg2g.outputs.hls.presented import Stream, dates
from xg2g_backends.packaging import (
    Discontinuity,
)


def test_the_newest_part_is_dated_now_and_the_others_by_the_pictures() -> None:
    stream = Stream()
    stream.header()
    for number in range(3):
        stream.segment(number)
    stream.clock.now += timedelta(hours=1)
    first = dates(stream.text())
    assert first == [stream.clock.now - timedelta(seconds=s) for s in (6, 4, 2)]
    stream.clock.now += timedelta(hours=1)
    stream.segment(3)
    assert dates(stream.text()) == [*first, first[-1] + timedelta(seconds=2)]


def test_behind_a_discontinuity_dates_follow_the_clock() -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    before = dates(stream.text())
    stream.clock.now += timedelta(seconds=30)
    stream.take(Discontinuity(1))
    stream.header(segment=1)
    stream.part(1, 0)
    text = stream.text()
    assert dates(text) == [*before, stream.clock.now]
    behind = text.partition("video/3.m4s\n")[2]
    assert behind.startswith('#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="video/header-4.mp4"\n')


def test_dates_never_go_back_at_a_discontinuity() -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    before = dates(stream.text())
    stream.clock.now -= timedelta(seconds=30)
    stream.take(Discontinuity(1))
    stream.header(segment=1)
    stream.part(1, 0)
    assert dates(stream.text()) == [*before, before[-1] + timedelta(seconds=2)]


def test_a_discontinuity_that_leaves_the_window_is_counted() -> None:
    stream = Stream(window_s=0)
    stream.header()
    stream.segment(0)
    stream.take(Discontinuity(1))
    stream.header(segment=1)
    for number in range(1, 20):
        stream.segment(number)
    text = stream.text()
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in text
    assert "#EXT-X-DISCONTINUITY\n" not in text

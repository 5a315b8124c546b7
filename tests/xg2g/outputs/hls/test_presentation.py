"""What a presentation makes of the packager's events, and what its playlists say."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import anyio
import pytest

from tests.oracle.hls import check_media
from xg2g.outputs.hls.media_playlist import media
from xg2g.outputs.hls.multivariant_playlist import multivariant
from xg2g.outputs.hls.options import Targets
from xg2g.outputs.hls.presentation import Presentation
from xg2g.outputs.hls.requests import Decision, file_decision, playlist_decision
from xg2g.outputs.hls.storage import MemoryStorage
from xg2g_backends.packaging import (
    Discontinuity,
    Event,
    Header,
    ImageMedia,
    Media,
    Part,
    Segment,
    SoundMedia,
    TextMedia,
    VideoMedia,
)

VIDEO = VideoMedia(1440, 1080, (4, 3), 25.0, is_interlaced=True)
GERMAN = SoundMedia("deu", is_description=False, channels=2, sample_rate=48000)
DESCRIPTION = SoundMedia("deu", is_description=True, channels=2, sample_rate=48000)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def scale(name: str) -> int:
    return 48000 if name.startswith("sound-") else 90000


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Stream:
    """A presentation with a short way to feed it. The packager counts from 0, playlists from 3."""

    def __init__(
        self,
        window_s: float = 300,
        expects: tuple[str, ...] = (),
        group_s: float | None = 2.0,
    ) -> None:
        self.clock = Clock()
        self.presentation = Presentation(
            MemoryStorage(),
            targets=Targets.of(2, 0.333, group_s),
            window_s=window_s,
            run="0123abcd",
            now_utc=self.clock,
            expects=expects,
        )

    def take(self, *events: Event) -> None:
        for event in events:
            self.presentation.take(event)

    def header(self, name: str = "video", segment: int = 0) -> None:
        kinds: dict[str, Media] = {
            "video": VIDEO,
            "sound-515": DESCRIPTION,
            "text-520-888": TextMedia("deu", is_hearing_impaired=True, page="888"),
            "images-521-1": ImageMedia(None, is_hearing_impaired=False, width=720, height=576),
        }
        kind = kinds.get(name, GERMAN)
        codecs = {"video": "avc1.640028", "sound": "mp4a.40.2", "text": "wvtt"}
        data = b"header" if isinstance(kind, VideoMedia | SoundMedia) else b""
        coding = codecs.get(name.partition("-")[0], "")
        self.take(Header(name, segment, coding, scale(name), kind, data))

    def part(self, segment: int, index: int, s: float = 0.32, name: str = "video") -> None:
        at = round((2 * segment + 0.32 * index) * scale(name))
        data = f"{name} {segment}.{index};".encode()
        self.take(Part(name, segment, index, at, round(s * scale(name)), index == 0, data))

    def segment(self, number: int, name: str = "video", s: float = 2.0) -> None:
        for index in range(7):
            self.part(number, index, 0.32 if index < 6 else s - 1.92, name)
        self.end(number, name, s)

    def end(self, number: int, name: str = "video", s: float = 2.0, parts: int = 7) -> None:
        ticks = scale(name)
        self.take(Segment(name, number, parts, 2 * number * ticks, round(s * ticks)))

    def text(self, name: str = "video") -> str:
        return media(self.presentation, name)


def dates(text: str) -> list[datetime]:
    lines = [line for line in text.splitlines() if line.startswith("#EXT-X-PROGRAM-DATE-TIME:")]
    return [datetime.fromisoformat(line.partition(":")[2]) for line in lines]


def test_a_running_stream_is_listed_with_its_parts() -> None:
    stream = Stream()
    stream.header()
    for number in range(3):
        stream.segment(number)
    stream.part(3, 0)
    text = stream.text()
    assert text.startswith(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=6.00000,PART-HOLD-BACK=1.00000\n"
        "#EXT-X-PART-INF:PART-TARGET=0.33300\n#EXT-X-MEDIA-SEQUENCE:3\n"
        '#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-MAP:URI="video/header-3.mp4"\n'
    )
    assert text.endswith(
        "#EXTINF:2.00000,\nvideo/5.m4s\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T11:59:59.680Z\n"
        '#EXT-X-PART:DURATION=0.32000,URI="video/6.0.m4s",INDEPENDENT=YES\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="video/6.1.m4s"\n'
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


def test_parts_are_listed_for_three_target_durations_from_the_end() -> None:
    stream = Stream()
    stream.header()
    for number in range(10):
        stream.segment(number)
    text = stream.text()
    with_parts = [n for n in range(3, 13) if f'"video/{n}.0.m4s"' in text]
    assert with_parts == [9, 10, 11, 12]


def test_a_late_sound_has_the_numbers_of_the_picture() -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    stream.segment(1)
    stream.header("sound-514", 2)
    stream.part(2, 0, name="sound-514")
    text = stream.text("sound-514")
    for number in (3, 4):
        assert f"#EXT-X-GAP\n#EXTINF:2.00000,\nsound-514/{number}.m4s\n" in text
    assert 'sound-514/4.m4s\n#EXT-X-MAP:URI="sound-514/header-5.mp4"' in text


def test_a_silent_sound_has_gaps_and_what_comes_after_them_is_left_out() -> None:
    stream = Stream()
    stream.header()
    stream.header("sound-514")
    for number in range(4):
        stream.segment(number)
    text = stream.text("sound-514")
    assert "#EXT-X-GAP\n#EXTINF:2.00000,\nsound-514/3.m4s\n" in text
    stream.part(0, 0, name="sound-514")
    assert stream.text("sound-514") == text


def test_sound_with_a_hole_is_listed_as_long_as_its_picture() -> None:
    stream = Stream()
    stream.header()
    stream.header("sound-514")
    stream.segment(0)
    stream.part(0, 0, name="sound-514")
    stream.end(0, "sound-514", s=0.32, parts=1)
    assert "#EXTINF:2.00000,\nsound-514/3.m4s\n" in stream.text("sound-514")


def test_sound_that_ends_before_its_picture_is_listed_when_that_has_ended() -> None:
    stream = Stream()
    stream.header()
    stream.header("sound-514")
    stream.part(0, 0)
    stream.part(0, 0, name="sound-514")
    stream.end(0, "sound-514", s=0.32, parts=1)
    assert "sound-514/3.m4s\n" not in stream.text("sound-514")
    stream.part(0, 1)
    stream.end(0, s=0.64, parts=2)
    assert "#EXTINF:0.64000,\nsound-514/3.m4s\n" in stream.text("sound-514")


def test_a_part_that_is_too_long_ends_the_list_of_parts_of_its_segment() -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    stream.part(1, 0)
    stream.part(1, 1, 0.8)
    assert 'video/4.0.m4s"' in stream.text()
    assert "video/4.1.m4s" not in stream.text()
    assert "PRELOAD-HINT" not in stream.text()
    stream.part(1, 2)
    stream.end(1, parts=3)
    assert "video/4.2.m4s" not in stream.text()
    assert anyio.run(stream.presentation.shelf.get, "video/4.m4s") == (
        b"video 1.0;video 1.1;video 1.2;"
    )


def test_old_segments_leave_and_their_files_a_segment_later() -> None:
    stream = Stream(window_s=0)
    stream.header()
    for number in range(20):
        stream.segment(number)
        stream.text()
    first = stream.presentation.first_number
    assert f"#EXT-X-MEDIA-SEQUENCE:{first}\n" in stream.text()
    assert first > 3

    async def kept() -> list[int]:
        shelf = stream.presentation.shelf
        return [n for n in range(23) if await shelf.get(f"video/{n}.m4s") is not None]

    assert anyio.run(kept) == list(range(first - 1, 23))
    assert file_decision(stream.presentation, "video", "3.m4s") is Decision.GONE


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


def announced(group_s: float | None) -> str:
    stream = Stream(group_s=group_s)
    stream.header()
    stream.part(0, 0)
    return stream.text()


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


def test_a_long_window_offers_delta_updates_that_leave_out_old_segments_alone() -> None:
    stream = Stream(window_s=3600)
    stream.header()
    for number in range(10):
        stream.segment(number)
    stream.take(Discontinuity(10))
    stream.header(segment=10)
    for number in range(10, 40):
        stream.segment(number)
    whole = stream.text()
    delta = media(stream.presentation, "video", skip=True)
    assert check_media(delta) == []
    head, _, rest = delta.partition("#EXT-X-SKIP:SKIPPED-SEGMENTS=33\n")
    assert head == whole.replace("VERSION:6", "VERSION:9")[: len(head)]
    assert rest
    assert whole.endswith(rest)
    assert whole.removesuffix(rest).count(".m4s\n") == 33
    stream.presentation.end()
    assert "EXT-X-SKIP" not in media(stream.presentation, "video", skip=True)


def test_a_short_window_offers_no_delta_updates() -> None:
    stream = Stream(window_s=300)
    stream.header()
    for number in range(40):
        stream.segment(number)
    assert "CAN-SKIP-UNTIL" not in stream.text()
    assert media(stream.presentation, "video", skip=True) == stream.text()


def test_the_end_is_told_once() -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    stream.part(1, 0)
    stream.presentation.end()
    text = stream.text()
    assert text.endswith("#EXTINF:0.32000,\nvideo/4.m4s\n#EXT-X-ENDLIST\n")
    stream.part(1, 1)
    assert stream.text() == text


def test_the_multivariant_playlist_names_sounds_in_plain_words() -> None:
    stream = Stream()
    for name in ("video", "sound-515", "sound-514", "sound-516"):
        stream.header(name)
        stream.segment(0, name)
    assert multivariant(stream.presentation).splitlines()[3:8] == [
        '#EXT-X-SESSION-DATA:DATA-ID="org.xg2g.interlaced",VALUE="yes"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="German",LANGUAGE="de",DEFAULT=YES,'
        'AUTOSELECT=YES,CHANNELS="2",URI="0123abcd/sound-514.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="German 2",LANGUAGE="de",DEFAULT=NO,'
        'AUTOSELECT=NO,CHANNELS="2",URI="0123abcd/sound-516.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="German (audio description)",'
        'LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",'
        'CHARACTERISTICS="public.accessibility.describes-video",URI="0123abcd/sound-515.m3u8"',
        "#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=1000,"
        'CODECS="avc1.640028,mp4a.40.2",RESOLUTION=1920x1080,FRAME-RATE=25.000,AUDIO="sound",'
        "CLOSED-CAPTIONS=NONE",
    ]


def test_subtitles_are_a_group_as_text_and_told_as_images() -> None:
    stream = Stream()
    for name in ("video", "text-520-888", "images-521-1"):
        stream.header(name)
    stream.segment(0)
    for name in ("text-520-888", "images-521-1"):
        stream.part(0, 0, 2.0, name)
        stream.end(0, name, parts=1)
    told = multivariant(stream.presentation)
    assert '#EXT-X-SESSION-DATA:DATA-ID="org.xg2g.images",VALUE="images-521-1:"\n' in told
    assert (
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="German (hard of hearing)",'
        'LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHARACTERISTICS="public.accessibility.'
        'transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",'
        'URI="0123abcd/text-520-888.m3u8"\n'
    ) in told
    assert 'CODECS="avc1.640028"' in told
    assert 'SUBTITLES="text"' in told
    text = stream.text("text-520-888")
    assert "#EXTINF:2.00000,\ntext-520-888/3.vtt\n" in text
    for tag in ("EXT-X-PART:", "EXT-X-PART-INF", "EXT-X-MAP", "EXT-X-PRELOAD-HINT"):
        assert tag not in text
    shelf = stream.presentation.shelf
    assert anyio.run(shelf.get, "images-521-1/3.json") == b"images-521-1 0.0;"


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


@pytest.mark.parametrize(
    ("msn", "part", "decision"),
    [
        (None, None, Decision.SERVE),
        (None, 0, Decision.BAD),
        (3, None, Decision.SERVE),
        (3, 6, Decision.SERVE),
        (4, 6, Decision.SERVE),
        (4, 7, Decision.SERVE),
        (5, 0, Decision.SERVE),
        (5, 1, Decision.WAIT),
        (5, 10, Decision.WAIT),
        (5, 11, Decision.BAD),
        (5, None, Decision.WAIT),
        (6, None, Decision.WAIT),
        (7, None, Decision.BAD),
    ],
)
def test_a_blocking_reload_is_decided_by_what_is_listed(
    msn: int | None, part: int | None, decision: Decision
) -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    stream.segment(1)
    stream.part(2, 0)
    assert playlist_decision(stream.presentation, "video", msn, part) is decision


@pytest.mark.parametrize(
    ("name", "decision"),
    [
        ("header-3.mp4", Decision.SERVE),
        ("header-4.mp4", Decision.MISSING),
        ("3.m4s", Decision.SERVE),
        ("3.3.m4s", Decision.SERVE),
        ("4.m4s", Decision.MISSING),
        ("4.0.m4s", Decision.SERVE),
        ("4.1.m4s", Decision.WAIT),
        ("4.2.m4s", Decision.MISSING),
        ("3.vtt", Decision.MISSING),
        ("../video/3.m4s", Decision.MISSING),
        ("99999999999999999999.m4s", Decision.MISSING),
    ],
)
def test_a_file_is_served_awaited_or_missing(name: str, decision: Decision) -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    stream.part(1, 0)
    assert file_decision(stream.presentation, "video", name) is decision

"""What a presentation makes of the packager's events, and what its playlists say."""

import anyio

from tests.oracle.hls import check_media
from tests.xg2g.outputs.hls.presented import Stream
from xg2g.outputs.hls.media_playlist import media
from xg2g.outputs.hls.multivariant_playlist import multivariant
from xg2g.outputs.hls.requests import Decision, file_decision
from xg2g_backends.packaging import (
    Discontinuity,
)


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


def test_a_silent_sound_has_gaps_and_its_late_parts_are_left_out() -> None:
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
    assert anyio.run(stream.presentation.storage.get, "video/4.m4s") == (
        b"video 1.0;video 1.1;video 1.2;"
    )


def test_a_part_that_is_too_short_is_listed_as_the_last_of_its_segment_alone() -> None:
    stream = Stream()
    stream.header()
    stream.segment(0, s=2.0)
    for index, length_s in enumerate((0.32, 0.1, 0.32)):
        stream.part(1, index, length_s)
    text = stream.text()
    assert '#EXT-X-PART:DURATION=0.08000,URI="video/3.6.m4s"\n' in text
    assert 'URI="video/4.0.m4s"' in text
    assert "video/4.1.m4s" not in text
    assert "video/4.2.m4s" not in text


def test_old_segments_leave_and_their_files_a_segment_later() -> None:
    stream = Stream(window_s=0)
    stream.header()
    for number in range(20):
        stream.segment(number)
        stream.text()
    first = stream.presentation.window.first_number
    assert f"#EXT-X-MEDIA-SEQUENCE:{first}\n" in stream.text()
    assert first > 3

    async def kept() -> list[int]:
        storage = stream.presentation.storage
        return [n for n in range(23) if await storage.get(f"video/{n}.m4s") is not None]

    assert anyio.run(kept) == list(range(first - 1, 23))
    assert file_decision(stream.presentation, "video", "3.m4s") is Decision.GONE


def test_the_files_of_a_segment_stay_for_its_duration_after_it_left() -> None:
    stream = Stream(window_s=0)
    stream.header()
    stream.segment(0)
    storage, window = stream.presentation.storage, stream.presentation.window
    has_file: dict[int, bool] = {}
    for number in range(1, 60):
        stream.part(number, 0)
        stream.end(number, s=0.32, parts=1)
        has_file[window.first_number] = anyio.run(storage.get, "video/3.m4s") is not None
    # It lasts as long as six of those that follow.
    assert [has_file[first] for first in (3, 4, 10, 11)] == [True, True, True, False]


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


def test_the_end_is_listed_once() -> None:
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


def test_subtitles_are_a_group_as_text_and_session_data_as_images() -> None:
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
    storage = stream.presentation.storage
    assert anyio.run(storage.get, "images-521-1/3.json") == b"images-521-1 0.0;"


def test_announced_sounds_that_never_come_do_not_accumulate_memory() -> None:
    """A broadcaster whose sound has another PID at each change of its tables."""
    stream = Stream()
    stream.header()
    stream.part(0, 0)
    for number in range(200):
        stream.header(f"sound-{number}")
    names = list(stream.presentation.renditions)
    assert len(names) == 64
    assert {"video", "sound-199"} <= set(names)
    storage = stream.presentation.storage
    assert anyio.run(storage.get, "sound-0/header-3.mp4") is None
    assert anyio.run(storage.get, "sound-199/header-3.mp4") is not None

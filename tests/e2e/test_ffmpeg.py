"""ffmpeg and ffprobe: what Jellyfin, Plex, Emby and Channels play with."""

import json
import re
from typing import Any

import pytest

from tests.harness.house import House, until

SECONDS = 4

VIDEO_BEFORE_KEY_FRAME = re.compile(
    r"^\[(h264|hevc) @ |^ +Last message repeated|parameters for stream|^Consider increasing"
)


def streams(home: House, url: str) -> list[dict[str, Any]]:
    """What ffprobe says of a channel."""
    said = home.run("ffprobe", "-v", "fatal", "-show_streams", "-of", "json", url)
    listed: list[dict[str, Any]] = json.loads(said)["streams"]
    return listed


@pytest.mark.parametrize(
    ("name", "video", "languages"),
    [
        ("Card One HD", ["h264"], ["deu", "eng", "deu", "deu", "eng"]),
        ("Card Three & Friends", ["hevc"], ["ita", "eng"]),
        ("Radio Four", [], ["deu"]),
    ],
)
def test_a_channel_is_its_own_video_with_every_language_in_aac(
    home: House, name: str, video: list[str], languages: list[str]
) -> None:
    found = streams(home, home.channels()[name])
    assert [s["codec_name"] for s in found if s.get("codec_type") == "video"] == video
    audio = [s for s in found if s.get("codec_type") == "audio"]
    assert {s["codec_name"] for s in audio} == {"aac"}
    # Some broadcasters announce a track and send nothing on it.
    with_sound = [s for s in audio if s["channels"]]
    assert [s["tags"]["language"] for s in with_sound] == languages
    assert {(s["profile"], s["sample_rate"], s["channels"]) for s in with_sound} == {
        ("LC", "48000", 2)
    }


@pytest.mark.parametrize("name", ["Card Two HD", "Radio Four", "Web Three"])
def test_every_audio_track_of_a_channel_decodes_without_a_complaint(home: House, name: str) -> None:
    said = home.run(
        *("ffmpeg", "-nostdin", "-v", "warning", "-i", home.channels()[name]),
        *("-t", str(SECONDS), "-map", "0:a", "-f", "null", "-"),
    )
    # Who tunes in between two key frames hears of it from the video decoder.
    complaints = [line for line in said.splitlines() if not VIDEO_BEFORE_KEY_FRAME.search(line)]
    assert complaints == []


@pytest.mark.parametrize("name", ["Card One HD", "Card Three & Friends"])
def test_the_pictures_of_a_channel_decode_at_their_rate(home: House, name: str) -> None:
    said = home.run(
        *("ffmpeg", "-nostdin", "-v", "fatal", "-i", home.channels()[name], "-t", str(SECONDS)),
        *("-map", "0:v", "-f", "framemd5", "-"),
    )
    pictures = [line.split(",")[-1] for line in said.splitlines() if line.startswith("0,")]
    # 25 a second, less what stands before the first key frame; each shows another time.
    assert len(set(pictures)) > SECONDS * 25 * 0.6


def test_the_tone_of_a_channel_is_heard(home: House) -> None:
    said = home.run(
        *("ffmpeg", "-nostdin", "-i", home.channels()["Card One HD"], "-t", str(SECONDS)),
        *("-map", "0:a:0", "-af", "volumedetect", "-f", "null", "-"),
    )
    loudest = float(said.split("max_volume: ")[1].split(" dB")[0])
    assert loudest > -30


def test_a_recording_by_number_ends_after_its_duration(home: House) -> None:
    # A channel that somebody has just left begins with what came last.
    until(lambda: home.lingering() == 0, "nothing is open any more")
    file = home.home / "recording.ts"
    home.run(
        *("ffmpeg", "-nostdin", "-v", "error", "-y", "-i"),
        *(
            f"{home.url}/auto/v1?duration={SECONDS}",
            "-map",
            "0:v",
            "-map",
            "0:a:0",
            "-c",
            "copy",
            str(file),
        ),
    )
    said = home.run("ffprobe", "-v", "error", "-show_format", "-of", "json", str(file))
    assert float(json.loads(said)["format"]["duration"]) == pytest.approx(SECONDS, abs=1.5)

"""VLC and mpv: what people have on their computers."""

import os
import re
import socket
from pathlib import Path

import pytest

from tests.harness.house import House, until

SECONDS = 6

SHOWN_S = 2
"""At least: what stands before the first key frame is part of the length."""


def loudness(file: Path) -> int:
    """The largest sample of a WAV file of 16 bits, of 32767; it has to be long enough."""
    # mpv writes the longer header, which Python's wave does not read.
    _, _, data = file.read_bytes().partition(b"data")
    samples = memoryview(data[4 : 4 + (len(data) - 4) // 2 * 2]).cast("h")
    assert len(samples) > SHOWN_S * 48_000 * 2
    return max(samples)


def test_mpv_shows_the_pictures_of_a_channel_and_plays_its_tone(
    home: House, tmp_path: Path
) -> None:
    sound = tmp_path / "sound.wav"
    home.run(
        *("mpv", "--no-config", f"--length={SECONDS}", "--vo=image", "--vo-image-format=jpg"),
        *(f"--vo-image-outdir={tmp_path}", "--ao=pcm", f"--ao-pcm-file={sound}"),
        *("--audio-format=s16", home.channels()["Card Two HD"]),
    )
    assert loudness(sound) > 1000
    assert len(list(tmp_path.glob("*.jpg"))) > SHOWN_S * 25


def test_mpv_plays_a_bouquet(home: House, tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    said = home.run(
        *("mpv", "--no-config", f"--length={SECONDS}", "--ao=pcm", f"--ao-pcm-file={sound}"),
        *("--audio-format=s16", f"{home.url}/bouquets/Favourites%20(Radio).m3u"),
    )
    assert home.channels()["Radio Four"] in said
    assert loudness(sound) > 1000


class Remote:
    """VLC's remote control."""

    def __init__(self, port: int) -> None:
        self._port = port

    def say(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self._port), timeout=20) as connection:
            connection.sendall(f"{command}\nlogout\n".encode())
            with connection.makefile(encoding="utf-8", errors="replace") as answer:
                return answer.read()

    def answers(self) -> bool:
        try:
            return bool(self.say("status"))
        except OSError:
            return False

    def count(self, name: str) -> int:
        """A figure of what plays."""
        found = re.search(rf"{name}\s*:\s*(\d+)", self.say("stats"))
        return int(found[1]) if found else 0


@pytest.mark.skipif(os.geteuid() == 0, reason="VLC refuses root; tools/e2e.sh runs it as a user")
def test_vlc_lists_the_playlist_and_shows_its_first_channel(home: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    names = list(home.channels())
    with home.client(
        *("vlc", "--intf=oldrc", f"--rc-host=127.0.0.1:{port}", "--rc-fake-tty", "--no-dbus"),
        *("--vout=dummy", "--aout=adummy", home.playlist_url),
    ):
        remote = Remote(port)
        until(remote.answers, "VLC's remote control answers")
        until(lambda: names[-1] in remote.say("playlist"), "VLC has read the playlist")
        listed = remote.say("playlist")
        assert [name for name in names if name not in listed] == []
        until(lambda: home.watching() == 1, "VLC watches")
        until(lambda: remote.count("frames displayed") > 25, "VLC shows pictures")
        until(lambda: remote.count("buffers played") > 25, "VLC plays sound")
        assert remote.count("video decoded") > 25
        assert remote.count("audio decoded") > 25
        remote.say("stop")
        until(lambda: home.watching() == 0, "VLC has left the channel")

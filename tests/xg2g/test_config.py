"""Settings and where they come from."""

import pytest

from xg2g.config import Settings
from xg2g.errors import UsageError


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("XG2G_")]:
        monkeypatch.delenv(name)


def test_a_flag_wins_over_the_environment_and_that_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings.read().stream_port == 8001
    monkeypatch.setenv("XG2G_STREAM_PORT", "17999")
    monkeypatch.setenv("XG2G_RECEIVER", "http://env")
    assert Settings.read().stream_port == 17999
    settings = Settings.read(stream_port=8002, receiver="http://flag", port=None)
    assert settings.stream_port == 8002
    assert settings.receiver_address().host == "flag"


def test_the_predecessors_names_of_the_receiver_still_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XG2G_OWI_BASE", "http://box")
    monkeypatch.setenv("XG2G_OWI_USER", "root")
    monkeypatch.setenv("XG2G_OWI_PASS", "geheim")
    monkeypatch.setenv("XG2G_AUDIO_BITRATE", "160k")
    settings = Settings.read()
    credentials = settings.receiver_address().credentials
    assert settings.receiver_address().url == "http://box"
    assert settings.audio_bitrate == 160_000
    assert credentials is not None
    assert (credentials.user, credentials.password) == ("root", "geheim")
    assert Settings.read(receiver="http://flag").receiver_address().url == "http://flag"


def test_credentials_may_stand_in_the_url_and_show_nowhere_else() -> None:
    address = Settings.read(receiver="http://root:p%40ss@box:81/x/").receiver_address()
    assert address.credentials is not None
    assert address.credentials.password == "p@ss"
    assert address.url == "http://box:81/x"
    assert "p@ss" not in repr(address)


def test_a_password_shows_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XG2G_RECEIVER_USER", "root")
    monkeypatch.setenv("XG2G_RECEIVER_PASSWORD", "geheim")
    settings = Settings.read(receiver="box")
    assert "geheim" not in repr(settings)
    assert "geheim" not in repr(settings.receiver_address())


@pytest.mark.parametrize(
    ("text", "tracks"),
    [("all", "all"), ("first", "first"), ("deu, eng", ("deu", "eng")), ("fra", ("fra",))],
)
def test_tracks_are_a_word_or_languages(text: str, tracks: object) -> None:
    assert Settings.read(audio_tracks=text).remux_options().tracks == tracks


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"port": 70000}, "--port"),
        ({"stream_port": 0}, "--stream-port"),
        ({"audio_bitrate": "5"}, "bitrate 5"),
        ({"audio_bitrate": "fast"}, "AUDIO_BITRATE"),
        ({"audio_channels": 3}, "channels 3"),
        ({"audio_sample_rate": 12345}, "sample rate 12345"),
        ({"audio_tracks": "german"}, "german"),
        ({"receiver": "ftp://box"}, "http://"),
        ({"receiver": "http://"}, "host"),
        ({"receiver": "http://box:port"}, "port"),
    ],
)
def test_a_value_that_cannot_work_is_one_line_that_names_it(
    flags: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError) as raised:
        Settings.read(**flags)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2


def test_no_receiver_at_all_says_how_to_name_one() -> None:
    with pytest.raises(UsageError, match="--receiver"):
        Settings.read().receiver_address()

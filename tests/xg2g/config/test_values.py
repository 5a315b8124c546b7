"""Values of settings, and the errors of invalid ones."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.xg2g.config.loading import NO_FILE, from_variables, problems
from xg2g.config import ConfigurationError, load


@pytest.mark.parametrize(
    ("text", "tracks"),
    [("all", "all"), ("first", "first"), ("deu, eng", ("deu", "eng")), ("fra", ("fra",))],
)
def test_tracks_are_a_word_or_languages(text: str, tracks: object) -> None:
    assert from_variables(AUDIO_TRACKS=text).settings.audio.remux_options().tracks == tracks


@pytest.mark.parametrize(
    ("flag", "text", "said"),
    [
        ("server.port", "70000", '--port: "70000" is too big; the maximum is 65535'),
        ("receiver.stream_port", "0", '--stream-port: "0" is too small; the minimum is 1'),
        ("audio.bitrate", "fast", '--bitrate: "fast" is not a bit rate; write 192000 or 192k'),
        (
            "audio.bitrate",
            "192kbit",
            '--bitrate: "192kbit" is not a bit rate; write 192000 or 192k',
        ),
        ("audio.channels", "3", "--channels: invalid channels 3; use 0 (as the source)"),
        ("audio.sample_rate", "12345", "--sample-rate: AAC has no sample rate of 12345 Hz; use 0"),
        (
            "audio.dual_mono",
            "middle",
            "--dual-mono: \"middle\" is not possible; use 'both', 'left'",
        ),
        (
            "audio.tracks",
            "german",
            '--tracks: invalid track language "german"; use an ISO 639 code',
        ),
        ("receiver.url", "ftp://box", "--receiver: the receiver URL must begin with http://"),
        ("receiver.url", "http://", "--receiver: the receiver URL has no host; write http://"),
        ("receiver.url", "http://b:p", "--receiver: invalid port in the receiver URL; ports"),
        ("receiver.url", "http://b:0", "--receiver: invalid port in the receiver URL; ports"),
        ("receiver.url", "192.168.1.300", "--receiver: invalid host in the receiver URL; write"),
        ("receiver.url", "http://${BOX}", "--receiver: invalid host in the receiver URL; write"),
        (
            "receiver.url",
            "http://" + "a" * 300,
            "--receiver: invalid host in the receiver URL; write",
        ),
        (
            "receiver.url",
            "http://[fe80::1",
            "--receiver: invalid receiver URL; write http://",
        ),
        ("receiver.url", "http://b/?a=1", "--receiver: the receiver URL must end with its path"),
        ("server.host", "", "--host: write an address of this computer, such as 127.0.0.1, or 0.0"),
        ("server.host", "0.0.0.0:80", "--host: write an address of this computer, such as 127.0."),
        ("log.level", "loud", "--log-level: \"loud\" is not possible; use 'debug', 'info'"),
    ],
)
def test_an_invalid_flag_yields_one_line_that_names_it(flag: str, text: str, said: str) -> None:
    [problem] = problems({flag: text})
    assert problem.startswith(said)
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PORT", " ", '" " is not a whole number'),
        ("PORT", "0x50", '"0x50" is not a whole number'),
        ("PORT", "9" * 100_000, f'"{"9" * 59}…" is too long for a number'),
        ("WAIT", "garbage", '"garbage" is neither true nor false'),
        ("LINGER_S", "nan", '"nan" is not a number'),
        ("LINGER_S", "-1", '"-1" is too small; the minimum is 0'),
        ("HDHOMERUN_PORTS", "80,x", '"x" is not a whole number'),
        ("HDHOMERUN_PORTS", "80,0", "0 is not a port; ports are 1 to 65535"),
        ("HDHR_FRIENDLY_NAME", "a\nb", "a name must be one line of text"),
        (
            "HDHR_FRIENDLY_NAME",
            "x" * 65,
            f'"{"x" * 59}…" is too long; the maximum is 64 characters',
        ),
        ("RECEIVER_USER", "root:x", "a user name must not contain a colon or a line break"),
        ("AUDIO_TRACKS", "\udcff", "not UTF-8 text"),
        ("TOKEN", "\udcff", "not UTF-8 text"),
        ("TOKEN_FILE", "/dev/null", "/dev/null is empty"),
    ],
)
def test_an_invalid_variable_yields_one_line_that_names_it(name: str, text: str, said: str) -> None:
    assert problems(environment={f"XG2G_{name}": text}) == (f"XG2G_{name}: {said}",)


def test_a_file_of_a_secret_holds_one_line(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("\ufeffswordfish\r\n")
    token = from_variables(TOKEN_FILE=str(file)).settings.server.token
    assert token is not None and token.value == "swordfish"
    file.write_text("swordfish\nhunter2\n")
    [problem] = problems(environment={"XG2G_TOKEN_FILE": str(file)})
    assert problem == f"XG2G_TOKEN_FILE: {file} has several lines; a password is one line"


def test_a_secret_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"\xff\xfetoken")
    [problem] = problems({}, {"XG2G_TOKEN_FILE": str(file)})
    assert problem == f"XG2G_TOKEN_FILE: {file} is not UTF-8 text"


def test_a_password_in_a_flag_is_reported() -> None:
    [note] = load({"receiver.url": "http://root:geheim@box"}, environment=NO_FILE).notes
    assert note.startswith("--receiver: every user of this computer can see the password")
    assert "geheim" not in note


@pytest.mark.parametrize("name", ["EXTERNAL_FALLBACK", "EXTERNAL_TRANSCODER_TOKEN"])
def test_a_setting_without_effect_is_reported(name: str) -> None:
    [note] = from_variables(**{name: "true"}).notes
    assert note == f"XG2G_{name}: no effect without external.transcoder; set both"


def test_all_problems_are_reported_at_once() -> None:
    assert problems(
        {"server.port": "x"}, {"XG2G_STREAM_PORT": "y", "XG2G_AUDIO_KEEP_ORIGINAL": "maybe"}
    ) == (
        'XG2G_STREAM_PORT: "y" is not a whole number',
        'XG2G_AUDIO_KEEP_ORIGINAL: "maybe" is neither true nor false',
        '--port: "x" is not a whole number',
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"RECEIVER": "box", "RECEIVER_PASSWORD": "geheim"},
            "XG2G_RECEIVER_PASSWORD: receiver.password is set without receiver.user; set it to "
            "root, the user of most receivers",
        ),
        (
            {"RECEIVER": "http://root:geheim@box", "RECEIVER_USER": "root"},
            "XG2G_RECEIVER_USER: the receiver's URL also contains a user; keep one of them",
        ),
        (
            {"RECEIVER": "http://box:8001"},
            "XG2G_RECEIVER: port 8001 is the stream port; write the URL of the web interface, "
            "which is on port 80 of most receivers",
        ),
        (
            {"RECEIVER_PASSWORD": "geheim", "RECEIVER_PASSWORD_FILE": "/dev/null"},
            "XG2G_RECEIVER_PASSWORD and XG2G_RECEIVER_PASSWORD_FILE are both set; keep one of them",
        ),
        (
            {"RECEIVER_USER": "root", "RECEIVER_PASSWORD_FILE": "/no/password"},
            "XG2G_RECEIVER_PASSWORD_FILE: cannot read /no/password: No such file or directory",
        ),
        (
            {"TOKEN_FOR_READING": "true"},
            "XG2G_TOKEN_FOR_READING: there is no token to require; set server.token, or "
            "XG2G_TOKEN_FILE to a file that holds the token",
        ),
    ],
)
def test_values_that_contradict_each_other_say_what_to_do(
    variables: Mapping[str, str], said: str
) -> None:
    [problem] = problems(environment={f"XG2G_{name}": text for name, text in variables.items()})
    assert problem == said
    assert "geheim" not in problem


@pytest.mark.parametrize("url", ["http://u:geheim@one:3000", "one:3000", "unix://one"])
def test_the_url_of_a_transcoder_is_checked_and_holds_no_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="XG2G_EXTERNAL_TRANSCODER") as raised:
        from_variables(EXTERNAL_TRANSCODER=f"http://two:3000,{url}")
    assert "geheim" not in str(raised.value)


def test_the_token_of_transcoders_is_in_a_variable_or_a_file_and_never_shown(
    tmp_path: Path,
) -> None:
    file = tmp_path / "token"
    file.write_text("geheim\n")
    for configuration in (
        from_variables(EXTERNAL_TRANSCODER_TOKEN="geheim"),
        from_variables(EXTERNAL_TRANSCODER_TOKEN_FILE=str(file)),
    ):
        token = configuration.settings.external.transcoder_token
        assert token is not None and token.value == "geheim"
        assert "geheim" not in repr(configuration)
    with pytest.raises(ConfigurationError, match="one word") as raised:
        from_variables(EXTERNAL_TRANSCODER_TOKEN="ge heim\n")
    assert "heim" not in str(raised.value)

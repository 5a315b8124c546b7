"""Settings and where they come from."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from xg2g.cli.options import Configure, with_settings
from xg2g.config import Configuration, ConfigurationError, Settings, load
from xg2g.config.setting import as_text, settings_of

NO_FILE = {"XG2G_CONFIG": "/dev/null"}


def from_variables(**variables: str) -> Configuration:
    return load(environment=NO_FILE | {f"XG2G_{name}": text for name, text in variables.items()})


def problems(
    flags: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as raised:
        load(flags, environment=NO_FILE | dict(environment or {}))
    assert raised.value.exit_code == 2
    return raised.value.problems


def test_flags_override_variables_which_override_the_file_which_overrides_defaults(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("receiver:\n  url: http://file\nserver:\n  port: 1\naudio:\n  channels: 6\n")
    environment = {"XG2G_RECEIVER": "http://variable", "XG2G_PORT": "2"}
    configuration = load({"server.port": "3"}, file=file, environment=environment)
    settings = configuration.settings
    assert settings.server.port == 3
    assert settings.receiver.url == "http://variable"
    assert settings.audio.channels == 6
    assert settings.receiver.stream_port == 8001
    assert configuration.places == {
        "server.port": "--port",
        "receiver.url": "XG2G_RECEIVER",
        "audio.channels": f"{file}:6",
    }


def test_the_file_is_the_named_one_or_the_users_or_the_systems(tmp_path: Path) -> None:
    home = tmp_path / "home"
    users = home / ".config" / "xg2g" / "config.yaml"
    users.parent.mkdir(parents=True)
    users.write_text("server: {port: 1}\n")
    xdg = tmp_path / "xdg" / "xg2g" / "config.yaml"
    xdg.parent.mkdir(parents=True)
    xdg.write_text("server: {port: 2}\n")
    named, flagged = tmp_path / "named.yaml", tmp_path / "flagged.yaml"
    named.write_text("server: {port: 3}\n")
    flagged.write_text("server: {port: 4}\n")

    environment = {"HOME": str(home)}
    assert load(environment=environment).settings.server.port == 1
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")
    assert load(environment=environment).settings.server.port == 2
    environment["XG2G_CONFIG"] = str(named)
    assert load(environment=environment).settings.server.port == 3
    assert load(file=flagged, environment=environment).settings.server.port == 4


def test_the_file_may_be_in_the_data_directory_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("server: {port: 5}\n")
    environment = {"XG2G_DATA_DIR": str(tmp_path), "HOME": str(tmp_path)}
    assert load(environment=environment).settings.server.port == 5
    environment = {"XG2G_DATA": str(tmp_path), "HOME": str(tmp_path)}
    assert load(environment=environment).settings.server.port == 5


def test_an_empty_variable_is_ignored() -> None:
    assert from_variables(PORT="").settings.server.port == 8088


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Kino, Sport", ("Kino", "Sport")),
        ('"Film, Serien",Sport', ("Film, Serien", "Sport")),
        ('Sport , "Film, Serien" , Kino ', ("Sport", "Film, Serien", "Kino")),
        ('"Das ""Beste"", und mehr"', ('Das "Beste", und mehr',)),
        ('Kino "Classic",Sport', ('Kino "Classic"', "Sport")),
        ('"Kult" TV,Sport', ('"Kult" TV', "Sport")),
        ('"Kino,Sport', ('"Kino', "Sport")),
        ("Kino\nSport\n", ("Kino", "Sport")),
        (",,", ()),
    ],
)
def test_a_list_on_one_line_is_split_at_commas_outside_of_quotation_marks(
    text: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"lineup:\n  bouquets: {json.dumps(text)}\n")
    for configuration in (
        from_variables(BOUQUETS=text),
        load({"lineup.bouquets": text}, environment=NO_FILE),
        load(file=file, environment={}),
    ):
        assert configuration.settings.lineup.bouquets == names
    # Written out as text, it is read as the same list again.
    written = as_text(names)
    assert from_variables(BOUQUETS=written).settings.lineup.bouquets == names


def test_a_flag_takes_a_list_and_may_be_given_again() -> None:
    settings: list[Settings] = []
    app = typer.Typer()

    @app.command()
    @with_settings("lineup", "external")
    def command(configure: Configure) -> None:
        settings.append(configure().settings)

    arguments = ["--bouquets", 'Kino, "Film, Serien"', "--bouquets", "Sport"]
    arguments += ["--external-transcoder", "http://one:3000,http://two:3000"]
    CliRunner().invoke(app, arguments, env={"XG2G_CONFIG": "/dev/null"}, catch_exceptions=False)
    [read] = settings
    assert read.lineup.bouquets == ("Kino", "Film, Serien", "Sport")
    assert read.external.transcoder == ("http://one:3000", "http://two:3000")


@pytest.mark.parametrize("setting", settings_of(Settings).values(), ids=lambda it: it.key)
def test_no_setting_that_is_documented_is_without_effect(setting: object, tmp_path: Path) -> None:
    """Each key of the file and each variable changes what it names."""
    samples = {
        "receiver.url": "http://box",
        "receiver.user": "root",
        "receiver.password": "geheim",
        "server.host": "::1",
        "server.public_url": "https://tv.example.org/xg2g",
        "server.web_origins": "https://dash.example.org",
        "audio.sample_rate": "32000",
        "audio.channels": "6",
        "audio.bitrate": "128k",
        "audio.tracks": "deu",
        "audio.dual_mono": "Left",
        "guide.enabled": "false",
        "hls.enabled": "false",
        "hls.memory_bytes": "100000000",
        "hls.disk_bytes": "100000000",
        "hdhomerun.discovery": "false",
        "external.transcoder": "http://box:3000",
        "log.level": "debug",
        "log.format": "json",
    }
    [it] = [it for it in settings_of(Settings).values() if it is setting]
    text = samples.get(it.key) or ("true" if it.is_switch else "17")
    beside = {
        "receiver.password": {"XG2G_RECEIVER_USER": "root"},
        "server.token_for_reading": {"XG2G_TOKEN": "swordfish"},
        "external.fallback": {"XG2G_EXTERNAL_TRANSCODER": "http://box:3000"},
    }.get(it.key, {})

    file = tmp_path / "config.yaml"
    file.write_text(f"{it.section}:\n  {it.name}: {text}\n")
    for configuration in (
        load(file=file, environment=beside),
        load(environment=NO_FILE | beside | {it.variable: text}),
    ):
        assert it.key in configuration.places
        assert getattr(getattr(configuration.settings, it.section), it.name) != it.default
        assert configuration.notes == () or it.is_secret


def test_every_default_is_valid() -> None:
    for setting in settings_of(Settings).values():
        if setting.default_text:
            assert setting.parse(setting.default_text) == setting.default, setting.key
        else:
            assert setting.default in (None, "", ()), setting.key
    assert load(environment=NO_FILE).settings == Settings()


def test_credentials_may_be_part_of_the_url_and_are_shown_nowhere_else() -> None:
    settings = from_variables(RECEIVER="http://root:p%40ss@box:81/x/").settings
    address = settings.receiver.address()
    assert address.credentials is not None
    assert address.credentials.password == "p@ss"
    assert address.url == "http://box:81/x"
    assert "p@ss" not in repr(address)
    assert "p%40ss" not in repr(settings)


def test_a_password_is_in_no_repr() -> None:
    configuration = from_variables(RECEIVER="box", RECEIVER_USER="root", RECEIVER_PASSWORD="geheim")
    assert "geheim" not in repr(configuration)
    assert "geheim" not in repr(configuration.settings.receiver.address())


def test_a_password_may_be_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    file = tmp_path / "config.yaml"
    file.write_text("receiver: {url: box, user: root, password_file: password}\n")
    variable = {"XG2G_RECEIVER_PASSWORD_FILE": str(tmp_path / "password")}
    for configuration in (
        load(file=file, environment={}),
        load({"receiver.url": "box", "receiver.user": "root"}, environment=NO_FILE | variable),
    ):
        credentials = configuration.settings.receiver.address().credentials
        assert credentials is not None
        assert credentials.password == "geheim"


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


def test_a_password_in_a_flag_is_reported() -> None:
    [note] = load({"receiver.url": "http://root:geheim@box"}, environment=NO_FILE).notes
    assert note.startswith("--receiver: every user of this computer can see the password")
    assert "geheim" not in note


@pytest.mark.parametrize("name", ["EXTERNAL_FALLBACK", "EXTERNAL_TRANSCODER_TOKEN"])
def test_a_setting_without_effect_is_reported(name: str) -> None:
    [note] = from_variables(**{name: "true"}).notes
    assert note == f"XG2G_{name}: no effect without external.transcoder; set both"


def test_an_invalid_value_is_an_error_even_if_another_source_overrides_it() -> None:
    [problem] = problems({"server.port": "80"}, {"XG2G_PORT": "x"})
    assert problem == 'XG2G_PORT: "x" is not a whole number'


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


def test_an_unknown_variable_is_reported_with_a_suggestion() -> None:
    notes = from_variables(RECIEVER="box", AUDIO_BITRATES="1", SERVER_HOST="::", WHATEVER="x").notes
    assert notes == (
        "XG2G_AUDIO_BITRATES is not a setting; did you mean XG2G_AUDIO_BITRATE?",
        "XG2G_RECIEVER is not a setting; did you mean XG2G_RECEIVER?",
        "XG2G_SERVER_HOST is not a setting; did you mean XG2G_HOST?",
        "XG2G_WHATEVER is not a setting",
    )


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("SERVER_PROT", "PORT"),
        ("SERVER_PUBLIC_ULR", "PUBLIC_URL"),
        ("HDHR_ENABELD", "HDHR_ENABLED"),
        ("EPG_DAY", "EPG_DAYS"),
    ],
)
def test_a_misspelt_variable_is_distinguished_from_the_predecessors(
    misspelt: str, meant: str
) -> None:
    """Whole families of them are ignored: XG2G_SERVER_*, XG2G_HDHR_*, XG2G_EPG_*."""
    [note] = from_variables(**{misspelt: "1"}).notes
    assert note == f"XG2G_{misspelt} is not a setting; did you mean XG2G_{meant}?"


def test_variables_that_kubernetes_sets_are_ignored() -> None:
    configuration = from_variables(
        PORT="tcp://10.0.0.1:8088",
        PORT_8088_TCP="tcp://10.0.0.1:8088",
        PORT_8088_TCP_ADDR="10.0.0.1",
        SERVICE_HOST="10.0.0.1",
        SERVICE_PORT="8088",
        SERVICE_PORT_HTTP="8088",
    )
    assert configuration.settings.server.port == 8088
    assert configuration.notes == ()


def test_transcoder_services_are_a_list_from_every_source(tmp_path: Path) -> None:
    urls = ("http://one:3000", "unix:///run/t.sock")
    file = tmp_path / "config.yaml"
    file.write_text(f"external: {{transcoder: [{', '.join(urls)}]}}\n")
    for configuration in (
        load(file=file, environment={}),
        from_variables(EXTERNAL_TRANSCODER=", ".join(urls)),
        load({"external.transcoder": urls}, environment=NO_FILE),
    ):
        assert configuration.settings.external.transcoder == urls


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

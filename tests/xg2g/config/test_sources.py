"""Sources of settings, and their precedence."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.xg2g.config.loading import NO_FILE, from_variables, problems
from xg2g.cli.options import Configure, with_settings
from xg2g.config import Settings, load
from xg2g.config.setting import as_text, settings_of


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
    environment = {"APPDATA": str(tmp_path / "xdg"), "USERPROFILE": str(home)}
    assert load(environment=environment).settings.server.port == 2
    environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
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
    # Written as text, it is parsed to the same list.
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
    """Each key of the file and each variable changes its setting."""
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


def test_an_invalid_value_is_an_error_even_if_another_source_overrides_it() -> None:
    [problem] = problems({"server.port": "80"}, {"XG2G_PORT": "x"})
    assert problem == 'XG2G_PORT: "x" is not a whole number'


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
    """Families of its variables are ignored: XG2G_SERVER_*, XG2G_HDHR_*, XG2G_EPG_*."""
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

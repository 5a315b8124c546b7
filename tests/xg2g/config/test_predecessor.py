"""The predecessor's variables and files still work, without its faults."""

from pathlib import Path

import pytest

from xg2g.config import ConfigurationError, Settings, load
from xg2g.config.setting import settings_of

NO_FILE = {"XG2G_CONFIG": "/dev/null"}


def test_its_main_variables_still_work_and_are_noted_once() -> None:
    configuration = load(
        environment=NO_FILE
        | {
            "XG2G_OWI_BASE": "http://box",
            "XG2G_OWI_USER": "root",
            "XG2G_OWI_PASS": "geheim",
            "XG2G_OWI_TIMEOUT_MS": "12500",
            "XG2G_STREAM_PORT": "17999",
            "XG2G_LISTEN": ":8080",
            "XG2G_AUDIO_BITRATE": "160k",
            "XG2G_AUDIO_CHANNELS": "6",
        }
    )
    settings = configuration.settings
    address = settings.receiver.address()
    assert (address.url, address.stream_port) == ("http://box", 17999)
    assert address.credentials is not None
    assert (address.credentials.user, address.credentials.password) == ("root", "geheim")
    assert settings.receiver.answer_timeout_s == 12.5
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 8080)
    assert (settings.audio.bitrate, settings.audio.channels) == (160_000, 6)
    assert configuration.notes == (
        "XG2G_OWI_BASE is now called XG2G_RECEIVER",
        "XG2G_OWI_USER is now called XG2G_RECEIVER_USER",
        "XG2G_OWI_PASS is now called XG2G_RECEIVER_PASSWORD",
        "XG2G_LISTEN is now XG2G_HOST and XG2G_PORT",
        "XG2G_OWI_TIMEOUT_MS is now XG2G_ANSWER_TIMEOUT_S",
    )


def test_its_file_still_works_and_each_line_to_change_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        """
version: "1"
logLevel: DEBUG
openWebIF:
  baseUrl: http://box
  username: root
  password: geheim
  timeout: 1m5s
  retries: 3
  streamPort: 17999
api:
  listenAddr: "127.0.0.1:8081"
metrics:
  enabled: true
  listenAddr: ":9090"
""".lstrip()
    )
    file.chmod(0o600)
    configuration = load(file=file, environment={})
    settings = configuration.settings
    assert settings.receiver.address().url == "http://box"
    assert settings.receiver.stream_port == 17999
    assert settings.receiver.answer_timeout_s == 65
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8081)
    assert settings.log.level == "debug"
    said = {note.removeprefix(f"{file}:") for note in configuration.notes}
    assert {
        "2: logLevel is now called log.level",
        "4: openWebIF.baseUrl is now called receiver.url",
        "7: openWebIF.timeout is now called receiver.answer_timeout_s",
        "11: api.listenAddr is now called server.host and server.port",
        "12: metrics is ignored: xg2g serves everything on one port",
    } <= said
    assert len(said) == 10


def test_the_current_name_takes_precedence_over_an_older_one(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("openWebIF: {baseUrl: http://old}\nreceiver: {url: http://new}\n")
    configuration = load(file=file, environment={})
    assert configuration.settings.receiver.url == "http://new"
    assert any("takes precedence" in note for note in configuration.notes)
    environment = {"XG2G_OWI_BASE": "http://old", "XG2G_RECEIVER": "http://newest"}
    assert load(file=file, environment=environment).settings.receiver.url == "http://newest"


@pytest.mark.parametrize(
    "name",
    ["XG2G_FFMPEG_PATH", "XG2G_INITIAL_REFRESH", "XG2G_PROXY_PORT", "XG2G_HTTP_MAX_IDLE_CONNS"],
)
def test_an_obsolete_variable_is_ignored_with_a_reason(name: str) -> None:
    [note] = load(environment=NO_FILE | {name: "1"}).notes
    assert note.startswith(f"{name} is ignored: ")


@pytest.mark.parametrize(
    ("variable", "text"), [("LISTEN", "8080"), ("OWI_TIMEOUT_MS", "10s"), ("LISTEN", ":x")]
)
def test_an_invalid_older_variable_is_reported_by_its_own_name(variable: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^XG2G_{variable}: ") as raised:
        load(environment=NO_FILE | {f"XG2G_{variable}": text})
    assert len(raised.value.problems) == 1


# Its faults.


def test_channels_are_read_at_the_start_without_a_setting() -> None:
    """In the predecessor, XG2G_INITIAL_REFRESH was off, and had no effect when on."""
    [note] = load(environment=NO_FILE | {"XG2G_INITIAL_REFRESH": "false"}).notes
    assert note == "XG2G_INITIAL_REFRESH is ignored: the channels are read at every start"


def test_a_port_that_is_set_is_the_port_that_is_used() -> None:
    """The predecessor documented XG2G_PROXY_PORT and never read it."""
    configuration = load(environment=NO_FILE | {"XG2G_PORT": "9000", "XG2G_PROXY_PORT": "18000"})
    assert configuration.settings.server.port == 9000
    assert "XG2G_PROXY_PORT is ignored: xg2g serves every stream itself" in (configuration.notes)


def test_a_file_can_switch_off_what_is_on_by_default(tmp_path: Path) -> None:
    """The predecessor ignored `enabled: false`."""
    file = tmp_path / "config.yaml"
    file.write_text("receiver: {wait: true}\n")
    assert load(file=file, environment={}).settings.receiver.wait is True
    file.write_text("receiver: {wait: false}\n")
    configuration = load(file=file, environment={})
    assert configuration.settings.receiver.wait is False
    assert configuration.places == {"receiver.wait": f"{file}:1"}
    flagged = load({"receiver.wait": "false"}, environment=NO_FILE | {"XG2G_WAIT": "true"})
    assert flagged.settings.receiver.wait is False


def test_no_variable_sets_the_version() -> None:
    """The predecessor set XG2G_VERSION and overwrote it."""
    [note] = load(environment=NO_FILE | {"XG2G_VERSION": "9"}).notes
    assert note == "XG2G_VERSION is ignored: xg2g --version prints it"


def test_the_name_of_the_playlist_cannot_be_set() -> None:
    """The predecessor's lineup read playlist.m3u in any case."""
    [note] = load(environment=NO_FILE | {"XG2G_PLAYLIST_FILENAME": "tv.m3u"}).notes
    assert note == "XG2G_PLAYLIST_FILENAME is ignored: the playlist is always /playlist.m3u"


def test_no_setting_names_a_program() -> None:
    """The predecessor rejected its own default of XG2G_FFMPEG_PATH."""
    [note] = load(environment=NO_FILE | {"XG2G_FFMPEG_PATH": "ffmpeg"}).notes
    assert note == "XG2G_FFMPEG_PATH is ignored: audio is always converted, without ffmpeg"


@pytest.mark.parametrize("name", ["XG2G_PLEX_FORCE_HLS", "XG2G_USE_PROXY_URLS"])
def test_no_setting_selects_a_proxy(name: str) -> None:
    [note] = load(environment=NO_FILE | {name: "true"}).notes
    assert note == f"{name} is ignored: xg2g serves every stream itself"


def test_every_key_of_the_predecessor_is_a_setting_or_explained(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        """
version: "1"
dataDir: /tmp
logLevel: info
openWebIF: {baseUrl: http://box, username: root, password: x, timeout: 10s, retries: 3,
  backoff: 500ms, maxBackoff: 30s, streamPort: 8001}
bouquets: [Premium]
epg: {enabled: true, days: 7, maxConcurrency: 5, timeoutMs: 15000, retries: 2, fuzzyMax: 2,
  xmltvPath: xmltv.xml}
api: {token: x, listenAddr: ":8080"}
metrics: {enabled: true, listenAddr: ":9090"}
picons: {baseUrl: http://box}
"""
    )
    file.chmod(0o600)
    configuration = load(file=file, environment={})
    assert configuration.settings.lineup.bouquets == ("Premium",)
    assert all("called" in note or "is ignored: " in note for note in configuration.notes)


ITS_VARIABLES = """
DATA OWI_BASE OWI_USER OWI_PASS BOUQUET STREAM_PORT OWI_TIMEOUT_MS OWI_RETRIES OWI_BACKOFF_MS
OWI_MAX_BACKOFF_MS EPG_ENABLED EPG_DAYS EPG_MAX_CONCURRENCY EPG_TIMEOUT_MS EPG_RETRIES FUZZY_MAX
XMLTV PLAYLIST_FILENAME X_TVG_URL PICON_BASE API_TOKEN LISTEN SERVER_READ_TIMEOUT
SERVER_MAX_HEADER_BYTES INITIAL_REFRESH SMART_STREAM_DETECTION USE_WEBIF_STREAMS STREAM_BASE
ENABLE_STREAM_PROXY PROXY_TARGET PROXY_LISTEN ENABLE_AUDIO_TRANSCODING AUDIO_CODEC AUDIO_BITRATE
AUDIO_CHANNELS FFMPEG_PATH GPU_TRANSCODE TRANSCODER_URL HDHR_ENABLED HDHR_DEVICE_ID
HDHR_FRIENDLY_NAME HDHR_TUNER_COUNT RATELIMIT_ENABLED RATELIMIT_RPS TRUSTED_PROXIES
HTTP_MAX_IDLE_CONNS FEATURE_API_V2 PUBLIC_URL
"""


@pytest.mark.parametrize("name", ITS_VARIABLES.split())
def test_every_variable_of_the_predecessor_is_a_setting_or_explained(name: str) -> None:
    values = {"LISTEN": ":8080", "OWI_BASE": "http://box", "PUBLIC_URL": "http://tv.example.org"}
    beside = {"XG2G_OWI_USER": "root"} if name == "OWI_PASS" else {}
    text = values.get(name, "2")
    try:
        configuration = load(environment=NO_FILE | beside | {f"XG2G_{name}": text})
        notes = configuration.notes
        assert notes or f"XG2G_{name}" in configuration.places.values()
    except ConfigurationError as error:
        # The value may be invalid, which is not the subject here.
        assert all(f"XG2G_{name}: " in problem for problem in error.problems)
        notes = error.notes
    assert not any("is not a setting" in note for note in notes)


@pytest.mark.parametrize(
    "text",
    [
        "api: {listen: ':1'}\n",
        "metrix: {enabled: true}\n",
        "loglevel: debug\n",
        "receiver: {streamPortOverrides: 1}\n",
    ],
)
def test_no_key_of_the_file_is_silently_ignored(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"^{file}:1: .* is not a (setting|section)"):
        load(file=file, environment={})


def test_the_level_in_the_file_is_the_level_of_the_log(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("log: {level: error}\n")
    assert load(file=file, environment={"LOG_LEVEL": "debug"}).settings.log.level == "error"


def test_there_is_no_default_receiver() -> None:
    assert load(environment=NO_FILE).settings.receiver.url == ""


def test_a_setting_and_its_older_names_are_never_two_settings() -> None:
    settings = settings_of(Settings).values()
    names = [name for it in settings for name in (it.variable, *it.older_variables)]
    assert len(names) == len(set(names))
    keys = [key for it in settings for key in (it.key, *it.names.older_keys)]
    assert len(keys) == len(set(keys))


def test_a_setting_of_an_earlier_version_is_ignored_with_a_note(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("receiver: {url: http://box}\nserver: {send_timeout_s: 10}\n")
    configuration = load(environment={"XG2G_CONFIG": str(file), "XG2G_SEND_TIMEOUT_S": "10"})
    assert configuration.settings.server.pause_limit_s == 1800
    assert len(configuration.notes) == 2
    assert all("server.pause_limit_s" in note for note in configuration.notes)

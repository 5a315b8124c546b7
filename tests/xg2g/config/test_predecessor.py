"""What households have set for the predecessor goes on to work, and none of its faults does."""

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
    address = settings.receiver_address()
    assert (address.url, address.stream_port) == ("http://box", 17999)
    assert address.credentials is not None
    assert (address.credentials.user, address.credentials.password) == ("root", "geheim")
    assert settings.receiver.answer_timeout_s == 12.5
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 8080)
    assert (settings.audio.bitrate, settings.audio.channels) == (160_000, 6)
    assert configuration.notes == (
        "XG2G_OWI_BASE is called XG2G_RECEIVER now",
        "XG2G_OWI_USER is called XG2G_RECEIVER_USER now",
        "XG2G_OWI_PASS is called XG2G_RECEIVER_PASSWORD now",
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
    assert settings.receiver_address().url == "http://box"
    assert settings.receiver.stream_port == 17999
    assert settings.receiver.answer_timeout_s == 65
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8081)
    assert settings.log.level == "debug"
    said = {note.removeprefix(f"{file}:") for note in configuration.notes}
    assert {
        "2: logLevel is called log.level now",
        "4: openWebIF.baseUrl is called receiver.url now",
        "7: openWebIF.timeout is called receiver.answer_timeout_s now",
        "11: api.listenAddr is called server.host and server.port now",
        "12: metrics is ignored: everything is served on one port",
    } <= said
    assert len(said) == 10


def test_the_new_name_counts_where_both_are_set(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("openWebIF: {baseUrl: http://old}\nreceiver: {url: http://new}\n")
    configuration = load(file=file, environment={})
    assert configuration.settings.receiver.url == "http://new"
    assert any("ignored, since" in note for note in configuration.notes)
    environment = {"XG2G_OWI_BASE": "http://old", "XG2G_RECEIVER": "http://newest"}
    assert load(file=file, environment=environment).settings.receiver.url == "http://newest"


@pytest.mark.parametrize(
    "name",
    ["XG2G_FFMPEG_PATH", "XG2G_INITIAL_REFRESH", "XG2G_PROXY_PORT", "XG2G_HTTP_MAX_IDLE_CONNS"],
)
def test_what_has_no_meaning_any_more_is_noted_with_the_reason(name: str) -> None:
    [note] = load(environment=NO_FILE | {name: "1"}).notes
    assert note.startswith(f"{name} is ignored: ")


@pytest.mark.parametrize(
    ("variable", "text"), [("LISTEN", "8080"), ("OWI_TIMEOUT_MS", "10s"), ("LISTEN", ":x")]
)
def test_an_older_variable_that_makes_no_sense_is_named_by_its_own_name(
    variable: str, text: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^XG2G_{variable}: ") as raised:
        load(environment=NO_FILE | {f"XG2G_{variable}": text})
    assert len(raised.value.problems) == 1


# Its faults.


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


def test_a_receiver_that_is_not_set_has_no_made_up_address() -> None:
    assert load(environment=NO_FILE).settings.receiver.url == ""


def test_a_setting_and_its_older_names_are_never_two_settings() -> None:
    settings = settings_of(Settings).values()
    names = [name for it in settings for name in (it.variable, *it.older_variables)]
    assert len(names) == len(set(names))
    keys = [key for it in settings for key in (it.key, *it.names.older_keys)]
    assert len(keys) == len(set(keys))

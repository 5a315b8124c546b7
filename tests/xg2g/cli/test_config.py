"""`xg2g config` as a person calls it."""

import json
import os
from pathlib import Path

from tests.harness.command import xg2g


def test_check_prints_every_mistake_and_exits_with_1(tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("server:\n  port: 80a\n  hots: x\n")
    result = xg2g("config", "check", str(file), XG2G_STREAM_PORT="x", XG2G_RECIEVER="box")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        f'error    {file}:2: server.port: "80a" is not a whole number',
        f"error    {file}:3: server.hots is not a setting; did you mean server.host?",
        'error    XG2G_STREAM_PORT: "x" is not a whole number',
        "note     XG2G_RECIEVER is not a setting; did you mean XG2G_RECEIVER?",
    ]
    assert result.stderr == ""


def test_check_finds_problems_of_the_file_even_if_a_variable_wins(tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("server: {port: 80a}\n")
    assert xg2g("config", "check", str(file), XG2G_PORT="80").returncode == 1


def test_check_of_a_good_file_exits_with_0_however_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("receiver: {url: box}\n")
    for result in (
        xg2g("config", "check", XG2G_CONFIG=str(file)),
        xg2g("config", "check", "--config", str(file)),
        xg2g("config", "check", str(file), XG2G_CONFIG="elsewhere.yaml"),
    ):
        assert (result.returncode, result.stdout) == (0, f"good     {file}\n")


def test_check_notes_that_there_is_no_receiver_yet() -> None:
    result = xg2g("config", "check")
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "note     receiver.url is not set; run xg2g setup to find the receiver",
        "good     /dev/null",
    ]


def test_a_variable_that_is_not_text_is_refused_in_one_line() -> None:
    result = xg2g("serve", XG2G_AUDIO_TRACKS=os.fsdecode(b"\xff"))
    assert (result.returncode, result.stderr) == (2, "xg2g: XG2G_AUDIO_TRACKS: not UTF-8 text\n")


def test_show_says_where_each_value_comes_from_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("receiver:\n  url: http://root:geheim@box\n")
    rows = {
        line.split()[0]: line.split()[1:]
        for line in xg2g(
            "config", "show", "--config", str(file), XG2G_PORT="80"
        ).stdout.splitlines()
    }
    assert rows["receiver.url"] == ["http://root:***@box", f"{file}:2"]
    assert rows["server.port"] == ["80", "XG2G_PORT"]
    assert rows["audio.bitrate"] == ["192000", "default"]


def test_show_as_json_is_for_programs_and_has_no_secret_either() -> None:
    password = {"XG2G_RECEIVER_USER": "root", "XG2G_RECEIVER_PASSWORD": "geheim"}
    result = xg2g("config", "show", "--json", **password)
    shown = json.loads(result.stdout)
    assert shown["receiver.password"] == {"value": "***", "from": "XG2G_RECEIVER_PASSWORD"}
    assert shown["receiver.user"] == {"value": "root", "from": "XG2G_RECEIVER_USER"}
    assert "geheim" not in result.stdout + result.stderr


def test_settings_that_cannot_work_end_any_command_with_one_line_each() -> None:
    result = xg2g("serve", "--port", "x", XG2G_AUDIO_CHANNELS="3")
    assert result.returncode == 2
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["xg2g", "xg2g"]
    assert "Traceback" not in result.stderr

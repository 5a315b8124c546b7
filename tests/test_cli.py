"""The installed command."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.main import get_command

from xg2g.cli import NAMES, app

XG2G = Path(sys.executable).with_name("xg2g")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with nothing set, and nothing kept."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("XG2G_")
    }
    with TemporaryDirectory() as data:
        environment |= {"XG2G_CONFIG": "/dev/null", "XDG_DATA_HOME": data}
        return subprocess.run(
            [XG2G, *arguments], capture_output=True, text=True, timeout=60, env=environment
        )


def test_the_installed_command_names_its_version_and_that_of_library_and_codecs() -> None:
    result = run("--version")
    assert result.returncode == 0
    first, *components = result.stdout.splitlines()
    assert first == f"xg2g {version('xg2g')}"
    assert {line.split()[0] for line in components} == {"xg2g-transcoder", "ffmpeg", "fdk-aac"}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("serve",), 2, "--receiver"),
        (("serve", "--receiver", "ftp://box"), 2, "http://"),
        (("serve", "--receiver", "box", "--port", "99999"), 2, "--port"),
        (("serve", "--receiver", "box", "--channels", "3"), 2, "channels 3"),
        (("serve", "--receiver", "http://127.0.0.1:1", "--port", "0"), 1, "cannot reach"),
        (("demo", "--source", "/nowhere.ts"), 1, "/nowhere.ts"),
        (("demo", "--source", __file__), 1, "test_cli.py"),
        (("demo", "--host", "192.0.2.1"), 1, "--host"),
    ],
)
def test_what_cannot_work_is_one_line_and_an_exit_code(
    arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    result = run(*arguments)
    assert result.returncode == exit_code, result.stderr
    complaint = [line for line in result.stderr.splitlines() if line.startswith("xg2g: ")]
    assert len(complaint) == 1
    assert said in complaint[0]
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_help_teaches_with_examples(command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0
    assert f"xg2g {command}" in result.stdout.partition("Examples")[2]


COMMANDS = ("setup", "serve", "doctor", "demo", "remux", "simulate", "healthcheck", "config show")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_no_default_that_is_none_and_no_type_of_python(command: str) -> None:
    shown = run(*command.split(), "--help").stdout
    assert "default: ()" not in shown
    assert "list[" not in shown


def test_a_shell_can_complete_commands_and_options(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path), "PATH": f"{XG2G.parent}:/usr/bin:/bin"}
    installing = [str(XG2G), "--install-completion", "bash"]
    subprocess.run(installing, env=environment, check=True, capture_output=True, timeout=60)
    script = """
        source ~/.bashrc
        for words in 'xg2g se' 'xg2g serve --rec'; do
            COMP_WORDS=($words) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            $(complete -p xg2g | sed 's/.*-F \\([^ ]*\\).*/\\1/') xg2g
            echo "${COMPREPLY[@]}"
        done
    """
    shell = ["bash", "-c", script]
    done = subprocess.run(
        shell, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert [set(line.split()) for line in done.stdout.splitlines()] == [
        {"serve", "setup"},
        {"--receiver"},
    ]


def every_command() -> list[tuple[str, ...]]:
    config = [("config", name) for name in ("check", "show", "example")]
    return [(), *((name,) for name in NAMES), *config]


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_help_fits_a_terminal_of_80_columns_and_cuts_no_name_and_no_address(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(*command, "--help").stdout
    assert "Usage: " in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_each_of_its_options_has_a_help(name: str) -> None:
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    commands = [command, *getattr(command, "commands", {}).values()]
    for each in commands:
        assert each.help, each.name
        assert [option.name for option in each.params if not option.help] == []

"""Flags and variables of the two programs, which files of a deployment may use."""

import re
from pathlib import Path

from typer.main import get_command

from xg2g.cli import app
from xg2g.config import Settings
from xg2g.config.environment import CONFIG_VARIABLE, variables_of
from xg2g.config.setting import settings_of

ROOT = Path(__file__).parents[2]

# A test of the service holds the page to what the program prints.
_TRANSCODER_HELP = (ROOT / "docs" / "reference" / "transcoder-cli.md").read_text()

DAEMON_VARIABLES = {CONFIG_VARIABLE} | {
    name for setting in settings_of(Settings).values() for name in variables_of(setting)
}
TRANSCODER_VARIABLES = set(re.findall(r"\[env: (\w+)\]", _TRANSCODER_HELP))


def takes(command: list[str]) -> bool:
    """Return whether a program accepts this command line."""
    program, *arguments = command
    flags = {word.partition("=")[0] for word in arguments if word.startswith("--")}
    words = [word for word in arguments if not word.startswith("--")]
    if Path(program).name == "xg2g-transcoder":
        known = set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", _TRANSCODER_HELP, re.MULTILINE))
        return flags <= known and (not words or words[0] == "healthcheck" or bool(flags))
    commands = get_command(app).commands  # type: ignore[attr-defined]
    if Path(program).name != "xg2g" or not words or words[0] not in commands:
        return False
    return flags <= {name for option in commands[words[0]].params for name in option.opts}

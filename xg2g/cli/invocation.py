"""How xg2g was called, so that advice can be copied."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from xg2g.config.given import without_password

STARTED_BY = "XG2G_STARTED_BY"
"""Set by `make run`: its command without `ARGS`."""


def command_with(
    flag: str,
    value: str,
    *,
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return the command line of this process with one option added or replaced, without passwords.

    After `make run` it is that, with the option in `ARGS`.
    """
    arguments = sys.argv if arguments is None else arguments
    environment = os.environ if environment is None else environment
    if made := environment.get(STARTED_BY):
        given = shlex.split(environment.get("ARGS", ""))
        changed = shlex.join([*_without(flag, given), flag, value])
        command = f"{made} ARGS={shlex.quote(changed)}"
    else:
        program, *rest = arguments
        command = shlex.join([*program_name(program), *_without(flag, rest), flag, value])
    return without_password(command)


def program_name(program: str | None = None) -> list[str]:
    """Return the words that start this program in this shell and folder."""
    path = Path(program or sys.argv[0])
    if path.name == "__main__.py":
        return ["python", "-m", "xg2g"]
    found = shutil.which(path.name)
    if found and Path(found).resolve() == path.resolve():
        return [path.name]
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return [str(path)]


def _without(flag: str, arguments: Sequence[str]) -> list[str]:
    left: list[str] = []
    following = iter(arguments)
    for argument in following:
        if argument == flag:
            next(following, None)
        elif not argument.startswith(f"{flag}="):
            left.append(argument)
    return left

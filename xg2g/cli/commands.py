"""The commands by name. The module of a command is imported when the command is asked for, so that
none pays for what another one needs."""

from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

NAMES = (
    "setup",
    "serve",
    "status",
    "channels",
    "watch",
    "doctor",
    "demo",
    "remux",
    "simulate",
    "healthcheck",
    "config",
)
"""In the order of the help. The module `xg2g.cli.NAME` defines `NAME`: a function, or a
`typer.Typer` of several commands."""


class Commands(TyperGroup):
    """A group of all commands. Only the help of the whole program loads every one."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loaded()

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)


class _Loaded(UserDict[str, Any]):
    """Command by name, imported at its first use."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(NAMES))

    def __getitem__(self, name: str) -> Any:
        if self.data[name] is None:
            self.data[name] = _load(name)
        return self.data[name]


def _load(name: str) -> Any:
    command = getattr(import_module(f".{name}", __package__), name)
    if not isinstance(command, typer.Typer):
        app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        app.command(name)(command)
        return get_command(app)
    return get_command(command)

"""The command line: one module a command.

A command's module imports at the top only what its help needs. The rest it imports when it is
called, so that `xg2g --help` and short commands start fast.
"""

import sys
from collections import UserDict
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from xg2g.errors import UserError

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
"""The commands, in the order of the help. The module `xg2g.cli.NAME` defines `NAME`: a function, or
a `typer.Typer` of several commands."""


class Commands(TyperGroup):
    """The group of all commands. Only the help of the whole program imports every module."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loaded()

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)


class _Loaded(UserDict[str, Any]):
    """The commands by name, each imported at its first use."""

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


app = typer.Typer(
    name="xg2g",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # Unexpected errors: variables may hold passwords.
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from xg2g_backends.embedded.shared_library import shared_library
        from xg2g_backends.errors import UnavailableError

        typer.echo(f"xg2g {version('xg2g')}")
        try:
            for component, number in shared_library().versions().items():
                typer.echo(f"{component} {number}")
        except UnavailableError as error:
            typer.echo(error, err=True)
        raise typer.Exit


@app.callback()
def xg2g(
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of xg2g, its library and codecs.",
        ),
    ] = False,
) -> None:
    """Stream Enigma2 television, with audio that every player can play.

    Video stays unchanged. MP2, AC-3, E-AC-3 and LATM audio is converted to AAC.
    """


def main() -> None:
    """Run the command line; the entry point of the console script."""
    try:
        app()
    except UserError as error:
        from rich.console import Console
        from rich.markup import escape

        console = Console(stderr=True, highlight=False, soft_wrap=True)
        for line in str(error).splitlines():
            console.print(f"[red]xg2g:[/] {escape(line)}")
        sys.exit(error.exit_code)

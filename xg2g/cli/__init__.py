"""The command line: one module a command.

At the top a command's module imports what its help shows; what it works with, it imports when it
is called. So `xg2g --help` and a short command do not pay for a daemon.
"""

import sys
from typing import Annotated

import typer

from xg2g.errors import UserError

from .commands import Commands

app = typer.Typer(
    name="xg2g",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # Of whatever goes wrong unforeseen: variables hold passwords.
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from xg2g_backends.embedded.library import shared_library
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
    """Streams Enigma2 television with sound that every client plays.

    Video passes as it is; MP2, AC-3, E-AC-3 and LATM sound becomes AAC.
    """


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except UserError as error:
        from rich.console import Console
        from rich.markup import escape

        console = Console(stderr=True, highlight=False, soft_wrap=True)
        for line in str(error).splitlines():
            console.print(f"[red]xg2g:[/] {escape(line)}")
        sys.exit(error.exit_code)

"""The command line."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

app = typer.Typer(name="xg2g", no_args_is_help=True, add_completion=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xg2g {version('xg2g')}")
        raise typer.Exit


@app.callback()
def xg2g(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Streams Enigma2 television with sound that every client plays."""


def main() -> None:
    """Entry point of the console script."""
    app()

"""`xg2g config`: what is set, and whether it can work."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xg2g.config import ConfigurationError, load
from xg2g.config.effective import effective
from xg2g.config.example import example as example_file
from xg2g.config.load import chosen_file

from .options import ConfigFile, Configure, with_settings

config = typer.Typer(
    name="config",
    help="Look at the settings: check a file, show what counts, print an example.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@config.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="File to check.", show_default="the one that serve would read"
        ),
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """Say everything that is wrong with the settings of file and environment.

    Exits with 0 when `xg2g serve` would take them, with 1 when not.

    **Examples**

    `xg2g config check`

    `xg2g config check new.yaml && cp new.yaml /etc/xg2g/config.yaml`
    """
    path = chosen_file(file or config_file, os.environ)
    problems: tuple[str, ...] = ()
    try:
        configuration = load(file=path)
        notes = configuration.notes
        if not configuration.settings.receiver.url:
            notes += ("receiver.url is not set; xg2g setup finds the receiver and sets it",)
    except ConfigurationError as error:
        problems, notes = error.problems, error.notes
    console = Console(highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(f"[red]error[/]    {escape(problem)}")
    for note in notes:
        console.print(f"[yellow]note[/]     {escape(note)}")
    what = escape(str(path)) if path else "no file; variables and defaults"
    if problems:
        raise typer.Exit(1)
    console.print(f"[green]good[/]     {what}")


@config.command()
@with_settings()
def show(
    configure: Configure,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show every setting as it counts, and where that comes from. Secrets are struck out.

    **Examples**

    `xg2g config show`

    `xg2g config show --json | jq '."server.port"'`
    """
    configuration = configure()
    rows = list(effective(configuration))
    if as_json:
        typer.echo(json.dumps({row.key: _without_key(asdict(row)) for row in rows}, indent=2))
        return
    console = Console(highlight=False)
    console.print(f"file  {configuration.file or 'none'}", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold", header_style="bold")
    for row in rows:
        style = "dim" if row.place == "default" else None
        table.add_row(row.key, escape(row.value), escape(row.place), style=style)
    console.print(table)
    for note in configuration.notes:
        console.print(f"[yellow]note[/]  {escape(note)}", soft_wrap=True)


@config.command()
def example() -> None:
    """Print a file with every setting and its meaning, to begin from.

    **Example**

    `xg2g config example > ~/.config/xg2g/config.yaml`
    """
    typer.echo(example_file(), nl=False)


def _without_key(row: dict[str, str]) -> dict[str, str]:
    return {"value": row["value"], "from": row["place"]}

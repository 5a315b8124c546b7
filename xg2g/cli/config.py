"""`xg2g config`: checks and shows the settings."""

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
from xg2g.config.example import example as example_file
from xg2g.config.load import chosen_file

from .options import ConfigFile, Configure, with_settings

config = typer.Typer(
    name="config",
    help="Check and show the settings, or print an example file.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@config.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="File to check.",
            show_default="the file that xg2g serve would read",
        ),
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """List every problem of the settings in file and environment.

    Exits with 0 when `xg2g serve` would accept them, else with 1.

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
            notes += ("receiver.url is not set; run xg2g setup to find the receiver",)
    except ConfigurationError as error:
        problems, notes = error.problems, error.notes
    console = Console(highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(f"[red]error[/]    {escape(problem)}")
    for note in notes:
        console.print(f"[yellow]note[/]     {escape(note)}")
    what = escape(str(path)) if path else "no file, only variables and defaults"
    if problems:
        raise typer.Exit(1)
    console.print(f"[green]good[/]     {what}")


@config.command()
@with_settings()
def show(
    configure: Configure,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the value of every setting and where it comes from. Secrets are masked.

    **Examples**

    `xg2g config show`

    `xg2g config show --json | jq '."server.port"'`
    """
    configuration = configure()
    rows = list(configuration.effective())
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
    """Print a settings file with every setting and its meaning.

    **Example**

    `xg2g config example > ~/.config/xg2g/config.yaml`
    """
    typer.echo(example_file(), nl=False)


def _without_key(row: dict[str, str]) -> dict[str, str]:
    return {"value": row["value"], "from": row["place"]}

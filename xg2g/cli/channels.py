"""`xg2g channels`: the channels of a running daemon, with their current programmes."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xg2g.errors import UserError

from .options import Configure, Url, with_settings


@with_settings()
def channels(
    configure: Configure,
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="WORD",
            help="Show only channels with this text in name, bouquet or current programme.",
            show_default=False,
        ),
    ] = None,
    url: Url = None,
    urls: Annotated[
        bool, typer.Option("--urls", help="Print number, name and stream URL, for scripts.")
    ] = False,
) -> None:
    """List the channels of a running xg2g, with their current programmes.

    Exits with 1 when no channel matches.

    **Examples**

    `xg2g channels`

    `xg2g channels sport`

    `xg2g channels --urls | grep HD`
    """
    from .daemon_client import DaemonClient

    daemon = DaemonClient.of(configure(), url)
    wanted = (word or "").casefold()
    showing = {} if urls else daemon.now()
    rows = []
    for channel in daemon.channels():
        programme = showing.get(channel.id)
        title = programme.title if programme else ""
        texts = (channel.name, *channel.bouquets, title)
        if any(wanted in text.casefold() for text in texts):
            rows.append((channel, title))
    if not rows:
        raise UserError(
            f'no channel has "{word}" in its name, bouquet or programme; xg2g channels lists all'
            if word
            else "there are no channels; xg2g status shows why"
        )
    if urls:
        for channel, _ in rows:
            typer.echo(f"{channel.number}\t{channel.name}\t{channel.stream_url}")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("number", justify="right", header_style="bold", no_wrap=True)
    for heading in ("channel", "now", "bouquets"):
        table.add_column(heading, header_style="bold", overflow="fold")
    for channel, title in rows:
        name = escape(channel.name)
        table.add_row(str(channel.number), name, escape(title), escape(", ".join(channel.bouquets)))
    Console(highlight=False).print(table)

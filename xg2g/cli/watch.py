"""`xg2g watch`: a channel of a running daemon, in a player of this computer."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from xg2g.config.source import nearest
from xg2g.errors import UserError

from .options import Configure, Url, with_settings

if TYPE_CHECKING:
    from xg2g.web.api.models import Channel


PLAYERS = ("mpv", "vlc", "ffplay")
"""The best for live television first."""


@with_settings()
def watch(
    configure: Configure,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the channel, part of it, or its number.")
    ],
    url: Url = None,
    player: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAM",
            help="Player to open.",
            show_default=f"the first one installed of {', '.join(PLAYERS)}",
        ),
    ] = None,
    just_print: Annotated[
        bool, typer.Option("--print", help="Print the stream's URL instead of opening it.")
    ] = False,
) -> None:
    """Open a channel of a running xg2g in a player, or print its URL if no player is installed.

    Exits with the player's exit code; with 1 when no channel matches, or several do.

    **Examples**

    `xg2g watch "Das Erste HD"`

    `xg2g watch 101`

    `xg2g watch arte --player vlc`
    """
    from .daemon_client import DaemonClient

    stream_url = choose(DaemonClient.of(configure(), url).channels(), name).stream_url
    program = player or find_player()
    if just_print or program is None:
        typer.echo(stream_url)
        return
    try:
        code = subprocess.run([program, stream_url], check=False).returncode
    except OSError as error:
        raise UserError(
            f"cannot start {program}: {error.strerror}; choose another player with --player"
        ) from error
    raise typer.Exit(code)


def choose(channels: Sequence["Channel"], name: str) -> "Channel":
    """Return the channel with this number, this name, or this text in its name.

    Raises `UserError` when none or several match; its text suggests channels.
    """
    wanted = name.strip().casefold()
    if wanted.isdecimal():
        for channel in channels:
            if channel.number == int(wanted):
                return channel
    same = [each for each in channels if each.name.casefold() == wanted]
    holding = [each for each in channels if wanted and wanted in each.name.casefold()]
    if same or len(holding) == 1:
        # Of several with this name the first: the remote control's order.
        return (same or holding)[0]
    if holding:
        shown = ", ".join(f"{each.number} {each.name}" for each in holding[:10])
        more = ", ..." if len(holding) > 10 else ""
        raise UserError(
            f'several channels have "{name}" in their name: {shown}{more}; give the number'
        )
    by_name = {each.name.casefold(): each.name for each in channels}
    near = nearest(wanted, by_name, cutoff=0.6)
    advice = f"did you mean {by_name[near]}?" if near else "xg2g channels lists them"
    raise UserError(f'no channel is called "{name}"; {advice}')


def find_player(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """Return the first of `PLAYERS` that is installed, or None."""
    return next((name for name in PLAYERS if which(name)), None)

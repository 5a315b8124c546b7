"""The command line."""

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.markup import escape

from . import logs
from .backend import choose_backend
from .config import DEFAULT_PORT, Settings
from .daemon import Ready, run
from .errors import UserError
from .playlist import stream_path
from .remux import remux
from .simulator import RecordingError, SimulatedReceiver
from .simulator.command import simulate

app = typer.Typer(
    name="xg2g", no_args_is_help=True, add_completion=False, rich_markup_mode="markdown"
)

Host = Annotated[
    str | None,
    typer.Option(
        help="Address to listen on; 0.0.0.0 lets the whole network in.", show_default="127.0.0.1"
    ),
]
Port = Annotated[
    int | None, typer.Option(help="Port to listen on.", show_default=str(DEFAULT_PORT))
]
Bitrate = Annotated[
    str | None,
    typer.Option(help="AAC bit rate of a track, in bit/s or as 192k.", show_default="192k"),
]
Channels = Annotated[
    int | None,
    typer.Option(help="Audio channels: 1, 2 or 6; 0 as the source has.", show_default="2"),
]
SampleRate = Annotated[
    int | None,
    typer.Option(help="Sample rate in Hz; 0 as the source has.", show_default="0"),
]
Tracks = Annotated[
    str | None,
    typer.Option(
        help="all, first, or languages in order of preference: deu,eng.", show_default="all"
    ),
]
KeepOriginal = Annotated[
    bool | None,
    typer.Option("--keep-original", help="Send the tracks as broadcast, too.", show_default="off"),
]


@app.command()
def serve(
    receiver: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The receiver's web interface, as http://192.168.1.10.",
            show_default=False,
        ),
    ] = None,
    host: Host = None,
    port: Port = None,
    stream_port: Annotated[
        int | None,
        typer.Option(
            help="The receiver's stream port; 17999 for a softcam relay.", show_default="8001"
        ),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            envvar="XG2G_WAIT",
            help="Start even if the receiver does not answer yet, and keep asking.",
        ),
    ] = False,
    bitrate: Bitrate = None,
    channels: Channels = None,
    sample_rate: SampleRate = None,
    tracks: Tracks = None,
    keep_original: KeepOriginal = None,
) -> None:
    """Serve a receiver's channels, with sound that every client plays.

    Prints the playlist's address; open that in VLC, Kodi or Jellyfin.

    Every option can be set in the environment too: `--receiver` is `XG2G_RECEIVER`, `--bitrate`
    is `XG2G_AUDIO_BITRATE`. User and password of the receiver belong there:
    `XG2G_RECEIVER_USER`, `XG2G_RECEIVER_PASSWORD`.

    **Examples**

    `xg2g serve --receiver http://192.168.1.10`

    `xg2g serve --receiver http://192.168.1.10 --host 0.0.0.0` for other devices in the network

    `xg2g serve --receiver http://192.168.1.10 --tracks deu,eng` for one audio track, German if
    there is one
    """
    settings = Settings.read(
        receiver=receiver,
        host=host,
        port=port,
        stream_port=stream_port,
        audio_bitrate=bitrate,
        audio_channels=channels,
        audio_sample_rate=sample_rate,
        audio_tracks=tracks,
        audio_keep_original=keep_original,
    )
    logs.configure()
    uvloop.run(run(settings, wait=wait, on_ready=_announce))


@app.command()
def demo(
    host: Host = None,
    port: Port = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.ts", help="Serve this transport stream, too; may be given several times."
        ),
    ] = None,
    bitrate: Bitrate = None,
    channels: Channels = None,
    sample_rate: SampleRate = None,
    tracks: Tracks = None,
    keep_original: KeepOriginal = None,
) -> None:
    """Serve a simulated receiver's channels, to try xg2g without a receiver.

    The test cards show a running clock and beep with a flash each second. Some channels
    misbehave as real ones do.

    **Examples**

    `xg2g demo`

    `xg2g demo --source recording.ts` to play a recording through the whole chain
    """
    flags: dict[str, object] = {
        "host": host,
        "port": port,
        "audio_bitrate": bitrate,
        "audio_channels": channels,
        "audio_sample_rate": sample_rate,
        "audio_tracks": tracks,
        "audio_keep_original": keep_original,
    }
    Settings.read(**flags)
    logs.configure()
    uvloop.run(_demo(source or [], flags))


async def _demo(sources: list[Path], flags: dict[str, object]) -> None:
    try:
        receiver = SimulatedReceiver(sources=sources)
    except RecordingError as error:
        raise UserError(str(error)) from error
    async with receiver:
        settings = Settings.read(
            receiver=receiver.base_url, stream_port=receiver.stream_port, **flags
        )
        await run(settings, wait=False, on_ready=_announce)


app.command()(remux)
app.command()(simulate)


def _announce(ready: Ready) -> None:
    """Say where to go from here."""
    console = Console(highlight=False)
    reachable = "127.0.0.1" if ready.host in ("0.0.0.0", "::") else ready.host
    base_url = f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{ready.port}"
    console.print(f"[bold]playlist[/]  {base_url}/playlist.m3u", soft_wrap=True)
    if ready.lineup is None:
        console.print("[bold]channels[/]  none yet: the receiver has not answered")
    elif not ready.lineup.channels:
        console.print("[bold]channels[/]  none: the receiver's bouquets are empty")
    else:
        first = ready.lineup.channels[0]
        console.print(f"[bold]channels[/]  {len(ready.lineup.channels)}")
        console.print(f"[bold]try[/]       vlc {base_url}{stream_path(first)}", soft_wrap=True)
    if ready.host in ("127.0.0.1", "::1"):
        console.print(
            "[dim]Only this computer can connect; --host 0.0.0.0 opens it to the network.[/]"
        )
    else:
        console.print("[dim]Whoever can reach this address can watch.[/]")


def _print_version(wanted: bool) -> None:
    if wanted:
        health = asyncio.run(choose_backend().check())
        typer.echo(f"xg2g {version('xg2g')}")
        for component, number in health.versions.items():
            typer.echo(f"{component} {number}")
        if not health.usable:
            typer.echo(health.detail, err=True)
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
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[red]xg2g:[/] {escape(str(error))}"
        )
        sys.exit(error.exit_code)

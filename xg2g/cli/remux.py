"""`xg2g remux`: the remuxer on files and pipes."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Annotated, Final

import typer

from xg2g.errors import UserError
from xg2g_backends.base import RemuxStats, TrackState, TrackStats
from xg2g_backends.errors import BackendError

from .options import Configure, with_settings

BROKEN_PIPE: Final = 128 + 13
"""The exit code of a program that SIGPIPE ended."""


@with_settings("audio", "external")
def remux(
    configure: Configure,
    source: Annotated[
        str,
        typer.Argument(metavar="INPUT", help="Transport stream to read; - for standard input."),
    ],
    target: Annotated[
        str, typer.Argument(metavar="OUTPUT", help="File to write; - for standard output.")
    ],
    program: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Keep only the program with this service id; 0 keeps all."
        ),
    ] = 0,
    stats: Annotated[
        bool, typer.Option("--stats", help="Print counters as JSON on standard error.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Convert the audio of a transport stream, from a file or pipe to another, to AAC.

    On a terminal it shows the progress. At the end it prints to standard error what was converted
    and repaired, if OUTPUT is a file or standard error is a terminal.

    Exits with 1 when the input cannot be converted or the output cannot be written, with 2 when it
    was called wrongly or OUTPUT exists, with 141 when the reader of the output has closed the pipe.

    **Examples**

    `xg2g remux recording.ts converted.ts --tracks deu`

    In a pipe, from the stream URL of a channel:

    `curl -sN http://192.168.1.10:8001/1:0:19:... | xg2g remux - - | mpv -`
    """
    from xg2g.app.backend import choose_backend

    from .remux_file import remux_file

    settings = configure().settings
    began_s = time.monotonic()
    try:
        options = replace(settings.audio.remux_options(), program=program)
        backend = choose_backend(settings, live=False)
        counters = remux_file(source, target, options, backend, replace_file=force)
    except BackendError as error:
        raise UserError(str(error)) from error
    except BrokenPipeError:
        raise typer.Exit(BROKEN_PIPE) from None
    if stats:
        typer.echo(json.dumps(asdict(counters)), err=True)
    elif target != "-" or sys.stderr.isatty():
        typer.echo(summary(counters, time.monotonic() - began_s), err=True)


_UNCHANGED = {
    TrackState.PASSING_AAC: "is AAC already",
    TrackState.SCRAMBLED: "is scrambled",
    TrackState.UNSUPPORTED: "is unchanged: its codec is not supported",
    TrackState.DROPPED: "was removed",
    TrackState.WAITING: "was announced but never sent",
}


def summary(counters: RemuxStats, seconds: float) -> str:
    """Return one line: what was converted, what was not, the time it took, and the repairs."""
    converted = [track for track in counters.tracks if track.state is TrackState.CONVERTING]
    names = ", ".join(map(_name, converted))
    parts = [
        f"converted {names} to AAC" if converted else "converted no audio",
        *_unchanged(counters),
        f"{counters.bytes_in / 1e6:.1f} MB in {seconds:.1f} s",
        f"repaired: {', '.join(_repairs(counters)) or 'nothing'}",
    ]
    return "; ".join(parts)


def _unchanged(counters: RemuxStats) -> Iterator[str]:
    for state, what in _UNCHANGED.items():
        if tracks := [track for track in counters.tracks if track.state is state]:
            yield f"{', '.join(map(_name, tracks))} {what}"


def _repairs(counters: RemuxStats) -> Iterator[str]:
    tracks = counters.tracks
    amounts = (
        (counters.continuity_errors, "gap in the packets", "gaps in the packets"),
        (counters.transport_errors, "packet marked as damaged", "packets marked as damaged"),
        (counters.bytes_skipped, "byte between packets", "bytes between packets"),
        (counters.psi_errors, "damaged table", "damaged tables"),
        (sum(it.decode_errors for it in tracks), "damaged audio frame", "damaged audio frames"),
    )
    for count, one, several in amounts:
        if count:
            yield f"{count} {one if count == 1 else several}"
    if silence_ms := sum(track.silence_ms for track in tracks):
        yield f"{silence_ms / 1000:.1f} s filled with silence"


def _name(track: TrackStats) -> str:
    return " ".join(word for word in (track.codec or "sound", track.language) if word)

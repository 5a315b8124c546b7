"""`xg2g remux`: the remuxer on files and pipes."""

import json
import sys
import time
from dataclasses import asdict, replace
from typing import Annotated, Final

import typer

from xg2g.errors import UserError
from xg2g_backends.errors import BackendError

from .conversion import summary
from .options import Configure, with_settings

BROKEN_PIPE: Final = 128 + 13
"""Exit code as of a program that SIGPIPE ended."""


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
        typer.Option(min=0, max=65535, help="Keep this service id alone; 0 keeps every program."),
    ] = 0,
    stats: Annotated[
        bool, typer.Option("--stats", help="Print counters as JSON on standard error.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Convert the sound of a transport stream to AAC, from a file or pipe to another.

    Shows on a terminal how far it is. Ends with a line about what was converted and repaired, on
    standard error, when OUTPUT is a file or standard error a terminal. Exits with 1 when the input
    cannot be converted or the output not written, with 2 when it was called wrongly or OUTPUT
    exists, with 141 when the reader of a pipe has left.

    **Examples**

    `xg2g remux recording.ts converted.ts --tracks deu`

    In a pipe, with the URL of a channel:

    `curl -sN http://192.168.1.10:8001/1:0:19:... | xg2g remux - - | mpv -`
    """
    from xg2g.app.backend import choose_backend

    from .remux_file import remux_file

    settings = configure().settings
    began_s = time.monotonic()
    try:
        options = replace(settings.remux_options(), program=program)
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

"""`xg2g remux`: the remuxer on files and pipes."""

import json
from dataclasses import asdict, replace
from typing import Annotated, Final

import typer

from xg2g.errors import UserError
from xg2g_backends.errors import BackendError

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
) -> None:
    """Convert the sound of a transport stream to AAC, from a file or pipe to another.

    **Examples**

    `xg2g remux recording.ts converted.ts --tracks deu`

    `curl -sN http://192.168.1.10:8001/1:0:19:... | xg2g remux - - | mpv -`
    """
    from xg2g.backend import choose_backend
    from xg2g.remux import remux_file

    settings = configure().settings
    try:
        options = replace(settings.remux_options(), program=program)
        counters = remux_file(source, target, options, choose_backend(settings, live=False))
    except BackendError as error:
        raise UserError(str(error)) from error
    except BrokenPipeError:
        raise typer.Exit(BROKEN_PIPE) from None
    if stats:
        typer.echo(json.dumps(asdict(counters)), err=True)

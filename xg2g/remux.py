"""`xg2g remux`: the remuxer on files and pipes.

Reading and writing block, and so happen outside the event loop, which runs for one call of the
remuxer at a time: whatever is waited for, Ctrl-C ends it.
"""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from .backend import choose_backend
from .backends.base import Remuxer, RemuxOptions, RemuxStats
from .backends.errors import BackendError
from .config import Settings
from .errors import UsageError, UserError

READ_BYTES: Final = 256 * 1024
"""Asked for at a time; a pipe gives what it has."""

RECOGNISE_BYTES: Final = 1024 * 1024
"""Within so many bytes a transport stream shows its packets and its programs: at 20 Mbit/s this
is four times the 100 ms in which a PAT has to come again (ETSI TR 101 290, 5.2.1)."""

BROKEN_PIPE: Final = 128 + 13
"""Exit code as of a program that SIGPIPE ended."""


def remux(
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
    tracks: Annotated[
        str | None,
        typer.Option(
            help="all, first, or languages in order of preference: deu,eng.", show_default="all"
        ),
    ] = None,
    bitrate: Annotated[
        str | None,
        typer.Option(help="AAC bit rate of a track, in bit/s or as 192k.", show_default="192k"),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option(help="Audio channels: 1, 2 or 6; 0 as the source has.", show_default="2"),
    ] = None,
    sample_rate: Annotated[
        int | None,
        typer.Option(help="Sample rate in Hz; 0 as the source has.", show_default="0"),
    ] = None,
    keep_original: Annotated[
        bool | None,
        typer.Option(
            "--keep-original", help="Keep the tracks as they are, too.", show_default="off"
        ),
    ] = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Print counters as JSON on standard error.")
    ] = False,
) -> None:
    """Convert the sound of a transport stream to AAC, from a file or pipe to another.

    **Examples**

    `xg2g remux recording.ts converted.ts --tracks deu`

    `curl -sN http://192.168.1.10:8001/1:0:19:... | xg2g remux - - | mpv -`
    """
    settings = Settings.read(
        audio_bitrate=bitrate,
        audio_channels=channels,
        audio_sample_rate=sample_rate,
        audio_tracks=tracks,
        audio_keep_original=keep_original,
    )
    try:
        options = replace(settings.remux_options(), program=program)
        counters = _remux(source, target, options)
    except BackendError as error:
        raise UserError(str(error)) from error
    except BrokenPipeError:
        raise typer.Exit(BROKEN_PIPE) from None
    if stats:
        typer.echo(json.dumps(asdict(counters)), err=True)


def _remux(source: str, target: str, options: RemuxOptions) -> RemuxStats:
    with ExitStack() as stack:
        reader = stack.enter_context(_open_source(source))
        _check_target(target, reader)
        progress = stack.enter_context(_progress(source, reader))
        runner = stack.enter_context(asyncio.Runner())
        backend = choose_backend()
        stack.callback(lambda: runner.run(backend.aclose()))
        remuxer = runner.run(backend.open(options))
        stack.callback(lambda: runner.run(remuxer.aclose()))

        output = _convert(runner, remuxer, _chunks(source, reader, progress), source, options)
        writer = None
        for ready in output:
            if writer is None:
                writer = stack.enter_context(_open_target(target))
            _write(target, writer, ready)
        return runner.run(remuxer.stats())


def _convert(
    runner: asyncio.Runner,
    remuxer: Remuxer,
    chunks: Iterator[bytes],
    source: str,
    options: RemuxOptions,
) -> Iterator[bytes]:
    """Give the converted stream. The first comes when the source is known to be one that can be
    converted, so that a mistake leaves no output behind."""
    held: list[bytes] = []
    recognised = False
    taken = 0

    # The runner describes the task it ran, result included: a quarter of a megabyte each time.
    async def convert(chunk: bytes) -> None:
        held.append(await remuxer.process(chunk))

    for chunk in chunks:
        runner.run(convert(chunk))
        taken += len(chunk)
        if not recognised:
            counters = runner.run(remuxer.stats())
            recognised = _recognise(counters, source, options.program, taken >= RECOGNISE_BYTES)
        if recognised:
            yield b"".join(held)
            held.clear()
    held.append(runner.run(remuxer.finish()))
    if not recognised:
        _recognise(runner.run(remuxer.stats()), source, options.program, final=True)
    yield b"".join(held)


def _recognise(counters: RemuxStats, source: str, program: int, final: bool) -> bool:
    """Tell whether the source can be converted; if it cannot, or `final` and not known, raise."""
    if counters.bytes_in == 0 and final:
        raise UserError(f"{_input(source)} is empty")
    if counters.packets_in == 0 and final:
        raise UserError(
            f"{_input(source)} is no transport stream: it has no packets of 188 or 204 bytes"
        )
    if program and counters.programs and program not in counters.programs:
        there = ", ".join(map(str, counters.programs))
        raise UserError(f"program {program} is not in {_input(source)}; there are: {there}")
    if program and not counters.programs and final:
        raise UserError(
            f"program {program} cannot be chosen: {_input(source)} has no table of programs (PAT)"
        )
    return counters.packets_in > 0 and (not program or bool(counters.programs))


@contextmanager
def _open_source(source: str) -> Iterator[BinaryIO]:
    with _explained(f"cannot read {_input(source)}"):
        reader = open(0 if source == "-" else source, "rb", buffering=0, closefd=source != "-")  # noqa: SIM115
    with reader:
        yield reader


def _chunks(source: str, reader: BinaryIO, progress: Callable[[int], None]) -> Iterator[bytes]:
    while True:
        with _explained(f"cannot read {_input(source)}"):
            chunk = reader.read(READ_BYTES)
        if not chunk:
            return
        progress(len(chunk))
        yield chunk


def _check_target(target: str, reader: BinaryIO) -> None:
    """Refuse to write binary data to a terminal, or over what is being read."""
    if target == "-" and os.isatty(1):
        raise UsageError("standard output is a terminal; give a file, or a pipe to a player")
    try:
        writing = os.fstat(1) if target == "-" else Path(target).stat()
    except OSError:
        return
    reading = os.fstat(reader.fileno())
    if stat.S_ISREG(reading.st_mode) and os.path.samestat(reading, writing):
        raise UsageError("input and output are the same file; give another output")


@contextmanager
def _open_target(target: str) -> Iterator[BinaryIO]:
    with _explained(f"cannot write {_output(target)}"):
        writer = open(1 if target == "-" else target, "wb", buffering=0, closefd=target != "-")  # noqa: SIM115
    with writer:
        yield writer


def _write(target: str, writer: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        with _explained(f"cannot write {_output(target)}"):
            rest = rest[writer.write(rest) :]


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an error of the operating system into a line for the user."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"{what}: {error.strerror}") from error


@contextmanager
def _progress(source: str, reader: BinaryIO) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how far it is; without a size, how much was read."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    size = os.fstat(reader.fileno()).st_size or None
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(_input(source), total=size)
        yield lambda count: progress.advance(task, count)


def _input(source: str) -> str:
    return "standard input" if source == "-" else source


def _output(target: str) -> str:
    return "standard output" if target == "-" else target

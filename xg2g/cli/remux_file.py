"""The remuxer on files and pipes.

Files are read and written outside the event loop, which runs for one call of the remuxer at a
time, so that Ctrl-C ends every wait.
"""

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from xg2g.errors import UsageError, UserError
from xg2g_backends.base import Backend, Remuxer, RemuxOptions, RemuxStats

READ_BYTES: Final = 256 * 1024
"""The size of one read; a pipe may give less."""

RECOGNISE_BYTES: Final = 1024 * 1024
"""A transport stream shows its packets and programs within this size: at 20 Mbit/s it is four times
the 100 ms within which the PAT is repeated (ETSI TR 101 290, 5.2.1)."""


def remux_file(
    source: str,
    target: str,
    options: RemuxOptions,
    backend: Backend,
    *,
    replace_file: bool = False,
) -> RemuxStats:
    """Convert a transport stream from a file to another; `-` is standard input or output.

    Closes the backend. Refuses to replace a file with content, unless `replace_file` is set.
    Raises `UserError`, `BackendError`, and `BrokenPipeError` when the reader closed the pipe.
    """
    with ExitStack() as stack:
        reader = stack.enter_context(_open_source(source))
        _check_target(target, reader, replace_file)
        progress = stack.enter_context(_progress(source, reader))
        runner = stack.enter_context(asyncio.Runner())
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
    """Yield the converted stream, from when the source is known to be convertible: a wrong source
    leaves no output file."""
    held: list[bytes] = []
    recognised = False
    taken = 0

    # No return value: the runner formats the result of its task, a quarter of a megabyte.
    async def convert(chunk: bytes) -> None:
        held.append((await remuxer.process(chunk)).data)

    for chunk in chunks:
        runner.run(convert(chunk))
        taken += len(chunk)
        if not recognised:
            counters = runner.run(remuxer.stats())
            recognised = _recognise(counters, source, options.program, taken >= RECOGNISE_BYTES)
        if recognised:
            yield b"".join(held)
            held.clear()
    held.append(runner.run(remuxer.finish()).data)
    if not recognised:
        _recognise(runner.run(remuxer.stats()), source, options.program, final=True)
    yield b"".join(held)


def _recognise(counters: RemuxStats, source: str, program: int, final: bool) -> bool:
    """Return True when the source can be converted. Raise when it cannot, or when `final` is set
    and it is still unknown."""
    if counters.bytes_in == 0 and final:
        raise UserError(f"{_input(source)} is empty")
    if counters.packets_in == 0 and final:
        raise UserError(
            f"{_input(source)} is not a transport stream: no packets of 188, 192 or 204 bytes found"
        )
    if program and counters.programs and program not in counters.programs:
        there = ", ".join(map(str, counters.programs))
        raise UserError(f"program {program} is not in {_input(source)}; choose one of {there}")
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


def _check_target(target: str, reader: BinaryIO, replace_file: bool) -> None:
    """Refuse a terminal, the input file, and an existing file unless it may be replaced."""
    if target == "-" and os.isatty(1):
        raise UsageError("cannot write to a terminal; give a file, or a pipe to a player")
    try:
        writing = os.fstat(1) if target == "-" else Path(target).stat()
    except OSError:
        return
    reading = os.fstat(reader.fileno())
    if stat.S_ISREG(reading.st_mode) and os.path.samestat(reading, writing):
        raise UsageError("input and output are the same file; give another output")
    if target != "-" and stat.S_ISREG(writing.st_mode) and writing.st_size and not replace_file:
        raise UsageError(f"{target} exists; replace it with --force")


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
    """Raise an error of the operating system as a line for the user."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"{what}: {error.strerror}") from error


@contextmanager
def _progress(source: str, reader: BinaryIO) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the number of bytes of each read.

    On a terminal a line shows the progress until the end; without a size, how much was read.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    size = os.fstat(reader.fileno()).st_size or None
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    ]
    if size:
        columns.append(TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(_input(source), total=size)
        yield lambda count: progress.advance(task, count)


def _input(source: str) -> str:
    return "standard input" if source == "-" else source


def _output(target: str) -> str:
    return "standard output" if target == "-" else target

"""Conversion of a whole transport stream with one blocking call."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Final

from ..base import RemuxOptions, RemuxStats
from ..errors import InvalidArgumentError
from .shared_library import Library, library_path, loaded

READ_BYTES: Final = 256 * 1024
"""Most bytes that are read and converted at once."""


def remux(
    source: str | PathLike[str] | BinaryIO,
    target: str | PathLike[str] | BinaryIO,
    options: RemuxOptions | None = None,
) -> RemuxStats:
    """Convert the audio of `source` to AAC, write the stream to `target`, and return the counters.

    >>> stats = remux("recording.ts", "converted.ts", RemuxOptions(tracks=("deu", "eng")))
    >>> [track.language for track in stats.tracks if track.state == "converting"]
    ['fra']

    Source and target are paths, or open binary files such as `sys.stdin.buffer`, which stay open.
    The call blocks until the source ends. It converts in the calling thread and releases the GIL
    meanwhile. A target path is overwritten once there is output. After an error the target holds
    the output so far.

    Raises `InvalidArgumentError` when both are the same file, or when the source is not a transport
    stream; `UnavailableError` when the library does not load; `OSError`.
    """
    library = loaded(library_path())
    with ExitStack() as stack:
        if isinstance(source, str | PathLike):
            reader: BinaryIO = stack.enter_context(Path(source).open("rb"))
        else:
            reader = source
        if _is_same_file(reader, target):
            raise InvalidArgumentError(
                f"{_name(source)} is both source and target; use another target"
            )
        handle = library.open(options or RemuxOptions())
        stack.callback(library.free, handle)
        writer: BinaryIO | None = None
        for output in _converted(library, handle, reader):
            if writer is None:
                if isinstance(target, str | PathLike):
                    writer = stack.enter_context(Path(target).open("wb"))
                else:
                    writer = target
            _write(writer, output)
        stats = RemuxStats.from_json(library.stats(handle))
    if stats.packets_in == 0:
        raise InvalidArgumentError(
            f"{_name(source)} is not a transport stream (no packets of 188 or 204 bytes); "
            "use a file of MPEG-TS"
        )
    return stats


def _converted(library: Library, handle: int, reader: BinaryIO) -> Iterator[bytes]:
    # read1 returns what a pipe has: a live stream does not wait for a full chunk.
    read = getattr(reader, "read1", reader.read)
    while chunk := read(READ_BYTES):
        if output := library.process(handle, chunk):
            yield output
    if output := library.finish(handle):
        yield output


def _write(writer: BinaryIO, output: bytes) -> None:
    """Write all of `output`: an unbuffered file may accept only a part of it."""
    rest = memoryview(output)
    while rest:
        rest = rest[writer.write(rest) :]


def _is_same_file(reader: BinaryIO, target: str | PathLike[str] | BinaryIO) -> bool:
    try:
        here = os.fstat(reader.fileno())
        if isinstance(target, str | PathLike):
            there = Path(target).stat()
        else:
            there = os.fstat(target.fileno())
    except OSError:
        # The target does not exist yet, or is a file in memory.
        return False
    return stat.S_ISREG(here.st_mode) and os.path.samestat(here, there)


def _name(file: str | PathLike[str] | BinaryIO) -> str:
    return os.fspath(file) if isinstance(file, str | PathLike) else getattr(file, "name", "it")

"""Where the file is."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from .database import FILE, Database, UnwritableError

log = structlog.get_logger()


def default_directory() -> Path:
    """What systemd made for the service, else the user's own (XDG Base Directory)."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0])
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path("~/.local/share").expanduser()) / "xg2g"


@asynccontextmanager
async def open_database(directory: Path | None, *, keep: bool = True) -> AsyncIterator[Database]:
    """Open the database in `directory`, or in the default one.

    Where nothing can be kept, and without `keep`, it is a temporary one: television works all the
    same. On a disk that has become read-only it begins with what is there, so that channels have
    their numbers. Raises `StoreError`.
    """
    with TemporaryDirectory(prefix="xg2g-") as temporary:
        database, unkept = None, None
        if keep:
            place = directory or default_directory()
            try:
                database = Database.open(place)
            except UnwritableError as error:
                unkept = str(error)
                log.error("nothing new is remembered, not even numbers", reason=unkept)
                _copy(place / FILE, Path(temporary) / FILE)
        async with database or Database.open(Path(temporary)) as opened:
            opened.unkept = unkept
            yield opened


def _copy(file: Path, to: Path) -> None:
    """Copy what can be read of a database that cannot be written."""
    # Only as a file that nobody writes can one be read where its log cannot be opened.
    for how in ("mode=ro", "mode=ro&immutable=1"):
        with (
            suppress(sqlite3.Error, ValueError),
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?{how}", uri=True)) as old,
            closing(sqlite3.connect(to)) as new,
        ):
            old.backup(new)
            return

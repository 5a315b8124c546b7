"""Where the database file lies."""

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
    """Return the directory that systemd made, or the user's own: below `LOCALAPPDATA`, which only
    Windows sets, or as in the XDG Base Directory Specification."""
    if state := os.environ.get("STATE_DIRECTORY"):
        return Path(state.split(":")[0])
    home = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(home) if home else Path("~/.local/share").expanduser()) / "xg2g"


@asynccontextmanager
async def open_database(directory: Path | None, *, keep: bool = True) -> AsyncIterator[Database]:
    """Open the database in `directory`, or in the default directory.

    Without `keep`, or if the directory is not writable, the database is temporary: television works
    all the same. If the directory has a database that can only be read, the temporary one is a
    copy, so that channels keep their numbers. Raises `StoreError`.
    """
    with TemporaryDirectory(prefix="xg2g-") as temporary:
        database, why_temporary = None, None
        if keep:
            location = directory or default_directory()
            try:
                database = Database.open(location)
            except UnwritableError as error:
                why_temporary = str(error)
                log.error("data is lost when xg2g ends, channel numbers too", reason=why_temporary)
                _copy(location / FILE, Path(temporary) / FILE)
        async with database or Database.open(Path(temporary)) as opened:
            opened.why_temporary = why_temporary
            yield opened


def _copy(file: Path, to: Path) -> None:
    """Copy a database that can be read but not written."""
    # If its log cannot be opened, it can only be read as a file that never changes.
    for how in ("mode=ro", "mode=ro&immutable=1"):
        with (
            suppress(sqlite3.Error, ValueError),
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?{how}", uri=True)) as old,
            closing(sqlite3.connect(to)) as new,
        ):
            old.backup(new)
            return

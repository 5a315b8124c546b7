"""Where the file is."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from .database import Database, UnwritableError

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
    same. Raises `StoreError`.
    """
    with TemporaryDirectory(prefix="xg2g-") as temporary:
        database = None
        if keep:
            try:
                database = Database.open(directory or default_directory())
            except UnwritableError as error:
                log.error("nothing is remembered, not even channel numbers", reason=str(error))
        async with database or Database.open(Path(temporary)) as opened:
            yield opened

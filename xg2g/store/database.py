"""The database file: reading, writing, and what happens when it is damaged.

Every call runs on a thread of the database: a commit waits for the disk, 5 to 100 ms on the memory
cards of small computers, and the event loop carries live streams. One thread writes, a few read.
The unit of work is a function with a whole transaction in it. aiosqlite hands each statement to a
thread by itself and would cross threads thousands of times for one refresh of the guide.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

import structlog

from .file_lock import lock_file
from .schema import NewerVersionError, migrate, salvage

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

log = structlog.get_logger()

FILE = "xg2g.db"
DAMAGED = "xg2g.db.damaged"
"""Name of a damaged file that was moved aside; an earlier one is replaced."""

_READERS = 2
_BUSY_S = 10
"""Limit for waiting on a lock. There is one writer, and readers never block it, so no call waits as
long."""
_WAL_LIMIT_BYTES = 16 * 1024 * 1024
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    # A file of another program.
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
}


class StoreError(Exception):
    """The file cannot be read or written. The text is one line for a user."""


class UnwritableError(StoreError):
    """The directory is not writable."""


class Snapshot:
    """One state of the file, unchanged by later writes."""

    def __init__(self, connection: sqlite3.Connection, threads: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._threads = threads
        # When a caller is cancelled, its call goes on in a thread.
        self._in_use = threading.Lock()

    async def read(self, work: Work[T]) -> T:
        """Run `work` on this state; it may leave a cursor open. Raises `StoreError`."""

        def run() -> T:
            with self._in_use:
                return work(self._connection)

        return await _on(self._threads, run)

    async def aclose(self) -> None:
        """Release the state."""

        def close() -> None:
            with self._in_use:
                self._connection.close()

        await asyncio.shield(_on(self._threads, close))


class Database:
    """An open file. When `write` has returned, its changes survive a crash of the machine."""

    def __init__(self, path: Path, writer: sqlite3.Connection, lock: IO[str]) -> None:
        self._path = path
        self._writer = writer
        self._lock = lock
        self.why_temporary: str | None = None
        """Why the file is temporary although it should outlive the process; None otherwise."""
        self._write_thread = ThreadPoolExecutor(1, "store-write")
        self._read_threads = ThreadPoolExecutor(_READERS, "store-read")

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the file in `directory`; create them if necessary. Blocks.

        A damaged file is moved aside, and its readable channels are copied into a new one. Raises
        `UnwritableError` if the directory is not writable, and `StoreError` if another xg2g uses
        it.
        """
        path = directory / FILE
        try:
            directory.mkdir(parents=True, exist_ok=True)
            lock = _locked(directory)
        except OSError as error:
            raise _unusable(directory, error.strerror or str(error)) from error
        try:
            try:
                writer = _opened(path)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in _DAMAGE:
                    raise
                writer = _replaced(path, error)
        except NewerVersionError as error:
            lock.close()
            raise StoreError(
                f"{path} was written by a later version of xg2g; use that version"
            ) from error
        except (sqlite3.Error, OSError) as error:
            lock.close()
            raise _unusable(directory, str(error)) from error
        return cls(path, writer, lock)

    async def write(self, work: Work[T]) -> T:
        """Run `work` as one transaction: all of it is stored, or nothing. Raises `StoreError`."""

        def run() -> T:
            with _transaction(self._writer, "BEGIN IMMEDIATE"):
                return work(self._writer)

        return await _on(self._write_thread, run)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one state of the file. Raises `StoreError`."""

        def run() -> T:
            with (
                contextlib.closing(_connection(self._path)) as connection,
                _transaction(connection, "BEGIN"),
            ):
                return work(connection)

        return await _on(self._read_threads, run)

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        """Hold one state of the file while the context is open. Raises `StoreError`."""
        connection = _connection(self._path)
        snapshot = Snapshot(connection, self._read_threads)
        try:
            await snapshot.read(lambda opened: opened.execute("BEGIN"))
            yield snapshot
        finally:
            await snapshot.aclose()

    async def aclose(self) -> None:
        """Finish the write under way, and close the file."""

        def close() -> None:
            self._write_thread.shutdown()
            self._read_threads.shutdown()
            self._writer.close()
            self._lock.close()

        await asyncio.to_thread(close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


async def _on(threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, call)
    except sqlite3.Error as error:
        raise StoreError(f"cannot read or write the data directory: {error}") from error


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:
        # On a full disk the transaction has ended already.
        if connection.in_transaction:
            connection.rollback()
        raise
    connection.commit()


def _connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _opened(path: Path) -> sqlite3.Connection:
    """Open the file for writing. Raises `sqlite3.DatabaseError` if it is damaged."""
    connection = _connection(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            damage = sqlite3.DatabaseError(" ".join(str(verdict).split()))
            damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise damage
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _replaced(path: Path, error: sqlite3.Error) -> sqlite3.Connection:
    """Move the damaged file aside, and begin a new one with its readable channels."""
    aside = path.with_name(DAMAGED)
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        beside_moved = aside.with_name(aside.name + suffix)
        beside_moved.unlink(missing_ok=True)
        if beside.exists():
            beside.rename(beside_moved)
    connection = _opened(path)
    saved = salvage(aside, connection)
    log.error(
        "damaged data file moved aside", reason=str(error), to=str(aside), channels_saved=saved
    )
    return connection


def _locked(directory: Path) -> IO[str]:
    """Lock the directory against another xg2g until this file is closed or the process ends."""
    lock = (directory / "lock").open("a")
    try:
        lock_file(lock)
    except BlockingIOError as error:
        lock.close()
        raise StoreError(
            f"another xg2g uses {directory}; stop it, or give each its own data.dir"
        ) from error
    except OSError:
        # Some network file systems have no locks.
        pass
    return lock


def _unusable(directory: Path, why: str) -> UnwritableError:
    return UnwritableError(f"cannot write to {directory} ({why}); choose another data.dir")

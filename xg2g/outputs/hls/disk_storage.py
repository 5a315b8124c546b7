"""Storage on disk, for windows of hours.

    <hls.dir>/xg2g-hls-<random>/lock            locked by the process while it lives
                               /<run>/video-12.m4s

Threads write, read and remove the files: a slow or sleeping disk does not block the event loop.
"""

import asyncio
import contextlib
import secrets
import shutil
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, Final, Self

import structlog

from ...store.file_lock import lock_file

log = structlog.get_logger()

_PREFIX: Final = "xg2g-hls-"
_LOCK: Final = "lock"
_READERS: Final = 4

_READ_S: Final = 10.0
"""Longest time to read a file. The output and its tuner last while a request is answered: a disk
that hangs must not hold them."""

_RECENT: Final = 24
"""Segments of a channel, all renditions counted, that stay in memory: most clients play live."""

_RETRIES: Final = 2
"""Number of failed writes that are tried again with each new segment."""

_MAX_NOT_REMOVED: Final = 100
"""Most files that are tried to remove again. The rest go with the folder."""

_MAX_UNWRITTEN_BYTES: Final = 64 * 1024 * 1024
"""Most bytes that wait for a slow disk. Later segments stay in memory while the window has them."""


class UnwritableFolderError(Exception):
    """The folder cannot be written."""


class StorageFolder:
    """The folder of one process, and the threads that work in it."""

    def __init__(self, folder: Path, lock: IO[bytes]) -> None:
        self.folder = folder
        self._lock = lock
        self.writer = ThreadPoolExecutor(1, "hls-write")
        self.readers = ThreadPoolExecutor(_READERS, "hls-read")
        self._not_removed: deque[Path] = deque(maxlen=_MAX_NOT_REMOVED)

    @classmethod
    def open(cls, root: Path) -> Self:
        """Make a folder in `root`, and remove the folders of processes that have ended. Blocks.
        Raises `UnwritableFolderError`."""
        try:
            root.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(root)
            folder = root / f"{_PREFIX}{secrets.token_hex(4)}"
            folder.mkdir(mode=0o700)
            lock = (folder / _LOCK).open("wb")
            lock_file(lock)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UnwritableFolderError(f"hls.dir {root} cannot be written: {reason}") from error
        return cls(folder, lock)

    def remove(self, path: Path) -> None:
        """Remove a file. Windows does not while it is read: then a later call tries again. Only
        called by the thread that writes."""
        self._not_removed.append(path)
        for each in list(self._not_removed):
            with contextlib.suppress(PermissionError):
                _remove(each)
                self._not_removed.remove(each)

    async def aclose(self) -> None:
        """Remove the folder."""

        def close() -> None:
            self.writer.shutdown()
            self.readers.shutdown()
            # Windows removes no file that is open.
            self._lock.close()
            shutil.rmtree(self.folder, ignore_errors=True)

        await asyncio.to_thread(close)


def _remove_leftovers(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            with (folder / _LOCK).open("rb") as lock:
                lock_file(lock)
                shutil.rmtree(folder, ignore_errors=True)
            # Windows leaves a file that is open, and its folder.
            shutil.rmtree(folder, ignore_errors=True)


class DiskStorage:
    """Storage with whole segments on disk, and new files in memory."""

    def __init__(self, disk: StorageFolder, run: str, on_failure: Callable[[], None]) -> None:
        """`run` names a folder. `on_failure` is called when a segment could not be written: a
        shorter window may leave room for it."""
        self._disk = disk
        self._folder = disk.folder / run
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._memory: dict[str, bytes] = {}
        self._recent: OrderedDict[str, None] = OrderedDict()
        """Segments that are on disk and in memory, oldest first."""
        self._written: dict[str, int] = {}
        """Sizes of the files on disk."""
        self._written_bytes = 0
        self._parts: dict[str, tuple[str, ...]] = {}
        self._places: dict[str, tuple[str, int, int]] = {}
        """The segment of a part, and its offset and size there."""
        self._failed: OrderedDict[str, None] = OrderedDict()
        """Segments that could not be written, oldest first. Later ones try them again."""
        self._unwritten_bytes = 0
        self._held = 0
        self._has_failed = False
        self._is_cleared = False

    def put(self, key: str, data: bytes) -> None:
        self.drop(key)
        self._memory[key] = data
        self._held += len(data)

    def join(self, key: str, parts: Sequence[str]) -> None:
        there = [part for part in parts if part in self._memory]
        at = 0
        for part in there:
            size = len(self._memory[part])
            self._places[part] = (key, at, size)
            at += size
        data = b"".join(self._forget(part) for part in there)
        self._parts[key] = tuple(there)
        self._memory[key] = data
        self._held += len(data)
        for again in list(self._failed)[:_RETRIES]:
            # A failure shortens the window, maybe by the next of these.
            if again in self._failed:
                self._write(again)
        self._write(key)

    async def get(self, key: str) -> bytes | None:
        whole, at, size = self._places.get(key, (key, 0, -1))
        data = self._memory.get(whole)
        if data is not None:
            return data[at : at + size] if size >= 0 else data
        if whole not in self._written:
            return None
        read = partial(_read, self._path(whole), at, size)
        try:
            async with asyncio.timeout(_READ_S):
                return await self._loop.run_in_executor(self._disk.readers, read)
        except TimeoutError:
            return None

    def drop(self, key: str) -> None:
        for part in self._parts.pop(key, ()):
            self._places.pop(part, None)
        self._forget(key)
        self._recent.pop(key, None)
        self._failed.pop(key, None)
        if (size := self._written.pop(key, None)) is not None:
            self._written_bytes -= size
            self._later(partial(self._disk.remove, self._path(key)))

    def clear(self) -> None:
        self._is_cleared = True
        for kept in (self._memory, self._recent, self._failed, self._written, self._parts):
            kept.clear()
        self._places.clear()
        self._held = self._written_bytes = 0
        self._later(partial(shutil.rmtree, self._folder, ignore_errors=True))

    @property
    def held_bytes(self) -> int:
        return self._held

    @property
    def stored_bytes(self) -> int:
        recent = sum(self._written[key] for key in self._recent)
        return self._held + self._written_bytes - recent

    def _forget(self, key: str) -> bytes:
        data = self._memory.pop(key, b"")
        self._held -= len(data)
        return data

    def _path(self, key: str) -> Path:
        return self._folder / key.replace("/", "-")

    def _later(self, call: Callable[[], object]) -> "Future[object] | None":
        """Submit a call to the thread that writes, unless it is being shut down."""
        try:
            return self._disk.writer.submit(call)
        except RuntimeError:
            return None

    def _write(self, key: str) -> None:
        data = self._memory[key]
        self._failed.pop(key, None)
        if self._unwritten_bytes + len(data) > _MAX_UNWRITTEN_BYTES:
            self._fail(key, "the disk is too slow")
            return
        if (written := self._later(partial(_write, self._path(key), data))) is not None:
            self._unwritten_bytes += len(data)
            written.add_done_callback(partial(self._done, key, len(data)))

    def _done(self, key: str, size: int, written: "Future[object]") -> None:
        """Continue in the event loop. Called by the thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._note, key, size, written)

    def _note(self, key: str, size: int, written: "Future[object]") -> None:
        self._unwritten_bytes -= size
        if self._is_cleared:
            return
        if key not in self._parts:
            # It has left the window meanwhile.
            self._later(partial(self._disk.remove, self._path(key)))
            return
        error = written.exception()
        if error is not None:
            self._fail(key, str(getattr(error, "strerror", None) or error))
            return
        self._written[key] = size
        self._written_bytes += size
        self._recent[key] = None
        while len(self._recent) > _RECENT:
            oldest, _ = self._recent.popitem(last=False)
            self._forget(oldest)

    def _fail(self, key: str, reason: str) -> None:
        self._failed[key] = None
        if not self._has_failed:
            self._has_failed = True
            log.warning(
                "the disk takes no more: the HLS window gets shorter",
                folder=str(self._folder),
                reason=reason,
            )
        self._on_failure()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        path.write_bytes(data)
    except OSError:
        # The incomplete file takes room.
        with contextlib.suppress(PermissionError):
            _remove(path)
        raise


def _read(path: Path, at: int, size: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            file.seek(at)
            return file.read(size)
    except OSError:
        return None


def _remove(path: Path) -> None:
    """Raises `PermissionError`. No other failure leaves a file."""
    try:
        path.unlink()
    except PermissionError:
        raise
    except OSError:
        pass

"""Storage for the files of a presentation."""

from collections.abc import Sequence
from typing import Protocol


class Storage(Protocol):
    """Files by their key: the path below the run's folder. `video/header-0.mp4` is an
    initialisation segment, `video/12.3.m4s` a part, `video/12.m4s` a segment."""

    def put(self, key: str, data: bytes) -> None:
        """Store a file. Does not block."""

    def join(self, key: str, parts: Sequence[str]) -> None:
        """Store the concatenation of these files as `key`. They stay."""

    async def get(self, key: str) -> bytes | None:
        """Return a file's bytes; None if it is not there, or no longer."""

    def drop(self, key: str) -> None:
        """Remove a file. One that was joined takes its parts along."""

    def clear(self) -> None:
        """Remove all files."""

    @property
    def held_bytes(self) -> int:
        """Size of the files in memory."""

    @property
    def stored_bytes(self) -> int:
        """Size of all files, in memory and on disk."""


class MemoryStorage:
    """Storage in memory. A segment and its parts share their bytes."""

    def __init__(self) -> None:
        self._files: dict[str, bytes | memoryview] = {}
        self._parts: dict[str, tuple[str, ...]] = {}
        self._held = 0

    def put(self, key: str, data: bytes) -> None:
        self.drop(key)
        self._files[key] = data
        self._held += len(data)

    def join(self, key: str, parts: Sequence[str]) -> None:
        pieces = [(part, self._files[part]) for part in parts if part in self._files]
        whole = b"".join(piece for _, piece in pieces)
        self._files[key] = whole
        self._parts[key] = tuple(part for part, _ in pieces)
        view, at = memoryview(whole), 0
        for part, piece in pieces:
            self._files[part] = view[at : at + len(piece)]
            at += len(piece)

    async def get(self, key: str) -> bytes | None:
        found = self._files.get(key)
        return None if found is None else bytes(found)

    def drop(self, key: str) -> None:
        data = self._files.pop(key, None)
        if data is None:
            return
        self._held -= len(data)
        for part in self._parts.pop(key, ()):
            self._files.pop(part, None)

    def clear(self) -> None:
        self._files.clear()
        self._parts.clear()
        self._held = 0

    @property
    def held_bytes(self) -> int:
        return self._held

    @property
    def stored_bytes(self) -> int:
        return self._held

"""The backend that runs the remuxer in this process."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from weakref import WeakSet

from ..base import BackendHealth, RemuxOptions
from ..errors import ClosedError, UnavailableError
from .remuxer import EmbeddedRemuxer
from .shared_library import Library, library_path, loaded


class EmbeddedBackend:
    """Opener of remuxers in this process, with one worker thread per core."""

    def __init__(self, library: Path | None = None) -> None:
        """Prepare to load `library`; None: that of `XG2G_LIBRARY`, or the installed one."""
        self.path = library or library_path()
        self._workers = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="xg2g-remux")
        self._remuxers: WeakSet[EmbeddedRemuxer] = WeakSet()
        self._closed = False

    @property
    def name(self) -> str:
        return "embedded"

    async def open(self, options: RemuxOptions) -> EmbeddedRemuxer:
        if self._closed:
            raise ClosedError("the backend is closed")
        library = self._load()
        remuxer = EmbeddedRemuxer(library, library.open(options), self._workers)
        self._remuxers.add(remuxer)
        return remuxer

    async def check(self) -> BackendHealth:
        try:
            versions = self._load().versions()
        except UnavailableError as error:
            return BackendHealth(usable=False, detail=str(error))
        return BackendHealth(
            usable=not self._closed,
            detail="in this process: " + ", ".join(f"{n} {v}" for n, v in versions.items()),
            versions=versions,
            open_remuxers=sum(not remuxer.closed for remuxer in self._remuxers),
        )

    async def aclose(self) -> None:
        self._closed = True
        self._workers.shutdown(wait=False)

    def _load(self) -> Library:
        return loaded(self.path)

"""Who watches what, now."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..backends.base import RemuxStats

_ID_BYTES = 6


@dataclass(eq=False, slots=True, kw_only=True)
class Viewer:
    """One response with a live stream."""

    channel_id: str
    address: str | None
    """Where the connection came from; a proxy's, if there is one."""
    id: str = field(default_factory=lambda: secrets.token_hex(_ID_BYTES))
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    bytes_out: int = 0
    dismissed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to end the stream."""
    stats: Callable[[], Awaitable[RemuxStats]] | None = None
    """Asks the remuxer of the stream; None until it has begun."""


class Viewers:
    """Everybody who watches, the earliest first."""

    def __init__(self) -> None:
        self._here: dict[str, Viewer] = {}

    def __iter__(self) -> Iterator[Viewer]:
        return iter(tuple(self._here.values()))

    def __len__(self) -> int:
        return len(self._here)

    def find(self, viewer_id: str) -> Viewer | None:
        """Return the viewer of this id, or None."""
        return self._here.get(viewer_id)

    @contextmanager
    def watching(self, viewer: Viewer) -> Iterator[None]:
        """Count the viewer for as long as the context is open."""
        self._here[viewer.id] = viewer
        try:
            yield
        finally:
            del self._here[viewer.id]

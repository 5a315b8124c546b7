"""Who watches what, now."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from typing import Protocol

from xg2g_backends.base import RemuxStats

from .signal import Signal
from .upstream import Upstream

_ID_BYTES = 6


class LiveStream(Protocol):
    """A stream as one viewer gets it; `xg2g.streaming.upstream.UpstreamReader` is one."""

    on_freeze: Callable[[float], None]
    """Told for how long, in seconds, no output came although the receiver sent."""
    on_skip: Callable[[int], None]
    """Told how many bytes were left out, each time that the viewer fell behind what is kept."""
    skips: int
    """How often the viewer fell behind what is kept, and went on at the newest."""
    skipped_bytes: int

    @property
    def upstream(self) -> Upstream:
        """What all viewers of the channel share."""
        ...

    @property
    def lag_s(self) -> float:
        """For how long the next output to read has been there."""
        ...

    async def read(self) -> bytes:
        """Return the next output, at least a byte; `b""` at the end. Raises `ReceiverError` and
        `BackendError`."""
        ...

    async def stats(self) -> RemuxStats:
        """Return the counters of the remuxer; raises `BackendError`."""
        ...


@dataclass(eq=False, slots=True, kw_only=True)
class Viewer:
    """One response with a live stream, or an output that many responses are parts of."""

    channel_id: str
    address: str | None
    """Where the connection came from; a proxy's, if there is one."""
    tuner: int | None = None
    """Which one it is to clients of network tuners; the receiver chooses among its own. None for
    any, until `Viewers.watching` has chosen."""
    format: str = "mpegts"
    """`mpegts`, or `hls`: an output, however many players play it."""
    count: Callable[[], int] = lambda: 1
    """Returns how many players there are, as far as they can be told apart."""
    id: str = field(default_factory=lambda: secrets.token_hex(_ID_BYTES))
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    bytes_out: int = 0
    dismissed: Signal = field(default_factory=Signal)
    """Set to end the stream."""
    stream: LiveStream | None = None
    """What is watched; None until it has begun."""


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

    def by_tuner(self) -> Mapping[int, Viewer]:
        """Each number that is taken, with who came first to it."""
        found: dict[int, Viewer] = {}
        for viewer in self:
            if viewer.tuner is not None:
                found.setdefault(viewer.tuner, viewer)
        return found

    @contextmanager
    def watching(self, viewer: Viewer) -> Iterator[None]:
        """Count the viewer for as long as the context is open."""
        if viewer.tuner is None:
            viewer.tuner = self._tuner_for(viewer.channel_id)
        self._here[viewer.id] = viewer
        try:
            yield
        finally:
            del self._here[viewer.id]

    def _tuner_for(self, channel_id: str) -> int:
        """The number that the channel has already, or the lowest that is free."""
        taken = self.by_tuner()
        same = (number for number, first in taken.items() if first.channel_id == channel_id)
        free = (number for number in count() if number not in taken)
        return next(chain(same, free))

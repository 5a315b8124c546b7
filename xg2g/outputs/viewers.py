"""The viewers of this moment, and the streams that they share."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from typing import Final, Protocol

from xg2g_backends.base import RemuxStats

from ..lineup import Lineup
from ..streaming.upstream import Upstream
from .stop_event import StopEvent

LATE_S: Final = 1.0
"""A viewer is late when output has waited for them for longer: their network or player is too slow,
or the player is paused."""
_ID_BYTES = 6


class LiveStream(Protocol):
    """A stream as one viewer gets it; `xg2g.streaming.hub.UpstreamReader` is one."""

    on_freeze: Callable[[float], None]
    """Called with the seconds for which no output came although the receiver sent."""
    on_skip: Callable[[int], None]
    """Called with the number of bytes left out, whenever the viewer fell behind the ring."""
    skips: int
    """How often the viewer fell behind the ring, and went on at its newest output."""
    skipped_bytes: int

    @property
    def upstream(self) -> Upstream:
        """The stream that all viewers of the channel share."""
        ...

    @property
    def lag_s(self) -> float:
        """How long the next output has waited to be read."""
        ...

    async def read(self) -> bytes:
        """Return the next output, at least a byte; `b""` at the end. Raises `ReceiverError` and
        `BackendError`."""
        ...

    async def stats(self) -> RemuxStats:
        """Return the counters of the remuxer. Raises `BackendError`."""
        ...


@dataclass(eq=False, slots=True, kw_only=True)
class Viewer:
    """An HTTP client of a live stream, or an HLS output on behalf of all its players."""

    channel_id: str
    address: str | None
    """Remote address of the connection; behind a proxy, the proxy's."""
    tuner: int | None = None
    """Number of the tuner that network tuner clients see; the receiver numbers its own. None: any,
    until `Viewers.watching` has chosen one."""
    format: str = "mpegts"
    """`mpegts`, or `hls` for an output with any number of players."""
    count: Callable[[], int] = lambda: 1
    """Returns the number of players; equal address and user agent count as one player."""
    id: str = field(default_factory=lambda: secrets.token_hex(_ID_BYTES))
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    bytes_out: int = 0
    terminated: StopEvent = field(default_factory=StopEvent)
    """Set it to end the stream."""
    stream: LiveStream | None = None
    """The stream that is watched; None until it has begun."""

    @property
    def is_late(self) -> bool:
        """Whether output has waited for the viewer for longer than `LATE_S`."""
        return self.stream is not None and self.stream.lag_s > LATE_S


class Viewers:
    """All viewers of this moment, the earliest first."""

    def __init__(self) -> None:
        self._by_id: dict[str, Viewer] = {}

    def __iter__(self) -> Iterator[Viewer]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, viewer_id: str) -> Viewer | None:
        """Return the viewer of this id, or None."""
        return self._by_id.get(viewer_id)

    def by_tuner(self) -> Mapping[int, Viewer]:
        """Return the earliest viewer of each tuner number in use."""
        found: dict[int, Viewer] = {}
        for viewer in self:
            if viewer.tuner is not None:
                found.setdefault(viewer.tuner, viewer)
        return found

    @contextmanager
    def watching(self, viewer: Viewer) -> Iterator[None]:
        """Count the viewer while the context is open."""
        if viewer.tuner is None:
            viewer.tuner = self._tuner_for(viewer.channel_id)
        self._by_id[viewer.id] = viewer
        try:
            yield
        finally:
            del self._by_id[viewer.id]

    def _tuner_for(self, channel_id: str) -> int:
        """Return the number that the channel has already, or the lowest free one."""
        taken = self.by_tuner()
        same = (number for number, first in taken.items() if first.channel_id == channel_id)
        free = (number for number in count() if number not in taken)
        return next(chain(same, free))


@dataclass(frozen=True, slots=True)
class SharedStream:
    """An upstream and its viewers."""

    upstream: Upstream
    viewers: tuple[Viewer, ...]
    """The earliest first; without those whose stream has not begun."""

    def channel_id(self, lineup: Lineup) -> str:
        """Return the id of the channel that the first viewer requested; without viewers, of the
        channel that the upstream is a source of."""
        if self.viewers:
            return self.viewers[0].channel_id
        service = self.upstream.service
        found = (each.id for each in lineup.channels if service in each.sources)
        return next(found, service.channel_id)


def shared_streams(
    upstreams: Iterable[Upstream], viewers: Iterable[Viewer]
) -> tuple[SharedStream, ...]:
    """Return each upstream with its viewers, in the order of the upstreams.

    Viewers whose stream has not begun, or whose upstream has ended, are in none of them.
    """
    of: dict[Upstream, list[Viewer]] = {each: [] for each in upstreams}
    for viewer in viewers:
        if viewer.stream is not None and viewer.stream.upstream in of:
            of[viewer.stream.upstream].append(viewer)
    return tuple(SharedStream(upstream, tuple(found)) for upstream, found in of.items())

"""Who shares what: each upstream with its viewers."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..lineup import Lineup
from .upstream import Upstream
from .viewers import Viewer

LATE_S = 1.0
"""A viewer for whom output has waited for longer is late: their network or player is too slow, or
the player pauses."""


@dataclass(frozen=True, slots=True)
class Audience:
    """An upstream and those who watch it."""

    upstream: Upstream
    viewers: tuple[Viewer, ...]
    """The earliest first; without those whose stream has not begun."""

    def channel_id(self, lineup: Lineup) -> str:
        """Return the id of the channel that is watched: what the first viewer asked for, or the
        channel that the upstream is a source of."""
        if self.viewers:
            return self.viewers[0].channel_id
        service = self.upstream.service
        found = (each.id for each in lineup.channels if service in each.sources)
        return next(found, service.channel_id)


def audiences(upstreams: Iterable[Upstream], viewers: Iterable[Viewer]) -> tuple[Audience, ...]:
    """Return the audience of each upstream, in the order of the upstreams.

    A viewer whose stream has not begun, or whose upstream has ended, is in none of them.
    """
    of: dict[Upstream, list[Viewer]] = {each: [] for each in upstreams}
    for viewer in viewers:
        if viewer.stream is not None and viewer.stream.upstream in of:
            of[viewer.stream.upstream].append(viewer)
    return tuple(Audience(upstream, tuple(found)) for upstream, found in of.items())


def is_late(viewer: Viewer) -> bool:
    """Return whether output waits for the viewer for longer than `LATE_S`."""
    return viewer.stream is not None and viewer.stream.lag_s > LATE_S

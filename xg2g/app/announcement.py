"""The announcement that the daemon serves."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from ..config import Settings
from ..lineup import Lineup
from ..web.gateway import Gateway
from ..web.service_status import service_status


@dataclass(frozen=True, slots=True)
class Ready:
    """The state of the daemon when it begins to serve."""

    host: str
    port: int
    lineup: Lineup | None
    """None until the receiver has answered."""
    tuners: int | None = None
    """Number of tuners; None until the receiver has told it."""
    public_url: str | None = None
    """URL of xg2g for players, if it is not `host` and `port`."""
    trouble: str | None = None
    """Why no stream can be served now, in one line; None if streams can be served."""
    why_temporary: str | None = None
    """Why channel numbers and guide are lost at the end of this process, in one line; None if they
    are kept, or need not be."""


class Announcement:
    """Call of `on_ready`, made again when the first lineup comes later."""

    def __init__(self, on_ready: Callable[[Ready], None], ready: Callable[[], Ready]) -> None:
        self._on_ready = on_ready
        self._ready = ready
        self.is_incomplete = False
        """True after an announcement without a lineup."""

    def make(self) -> None:
        """Announce the present state."""
        ready = self._ready()
        self.is_incomplete = ready.lineup is None
        self._on_ready(ready)


def ready_now(listener: socket.socket, gateway: Gateway, settings: Settings) -> Ready:
    """Return the present state."""
    host, port = listener.getsockname()[:2]
    status = service_status(gateway)
    return Ready(
        host,
        port,
        gateway.lineup_keeper.lineup,
        tuners=gateway.hub.limit,
        public_url=settings.server.public_url or None,
        trouble=None if status.is_ready else status.reasons[0],
        why_temporary=gateway.database.why_temporary,
    )

"""What the routes stand on."""

import asyncio
from dataclasses import dataclass, field

from starlette.requests import Request

from .lineup_keeper import LineupKeeper
from .metrics import Metrics
from .picons import Picons
from .store.database import Database
from .streaming import LiveStreams

DOWNLOADS = 8
"""Of the guide, at a time: each makes a core busy for some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The parts of one daemon."""

    lineup_keeper: LineupKeeper
    database: Database
    picons: Picons
    streams: LiveStreams
    metrics: Metrics
    send_timeout_s: float
    public_url: str | None = None
    """How clients reach xg2g, without a final slash; None for the address that each asked."""
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOWNLOADS))
    """Held while a guide is sent."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to end every live stream."""


def gateway_of(request: Request) -> Gateway:
    """The gateway that answers this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway

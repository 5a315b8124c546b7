"""The parts of the daemon that its routes use."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from starlette.requests import Request

from ..guide.refresher import Refresher
from ..hdhomerun.documents import Device
from ..hdhomerun.identity import Identity
from ..lineup import Channel, Lineup
from ..lineup.keeper import LineupKeeper
from ..lineup.naming import choose, unknown
from ..lineup.picons import Picons
from ..metrics import Metrics
from ..network.hosts import AllowedHosts, host_of
from ..network.origins import AllowedOrigins
from ..outputs.failures import Failures
from ..outputs.hls.outputs import HlsOutputs
from ..outputs.stop_event import StopEvent
from ..outputs.viewers import Viewers
from ..readiness import Readiness
from ..store.database import Database
from ..streaming.hub import Hub
from .http.access import Access
from .pages.built_page import BuiltPage

ASSUMED_TUNERS = 2
"""Number of tuners that is announced until the receiver has told its own."""

DOWNLOADS = 8
"""Guide downloads at the same time: each keeps a core busy for some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Parts of one daemon."""

    lineup_keeper: LineupKeeper
    refresher: Refresher
    database: Database
    picons: Picons
    hub: Hub
    identity: Identity
    name: str
    """Name in media servers."""
    metrics: Metrics
    pause_limit_s: float
    """How long a viewer of a live stream may stop reading."""
    tuner_bouquets: tuple[str, ...] = ()
    """Bouquets that the network tuner lists; all if empty."""
    public_url: str | None = None
    """URL under which clients reach xg2g, without a final slash; None: the address that each client
    requested."""
    has_guide: bool = False
    """True if the receiver's guide is read. Requests for it are refused until it was read once:
    media servers would keep an empty guide for a day."""
    hosts: AllowedHosts = field(default_factory=AllowedHosts)
    """Host names that xg2g answers to."""
    origins: AllowedOrigins = field(default_factory=lambda: AllowedOrigins(AllowedHosts()))
    """Web pages of other servers that may read answers."""
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOWNLOADS))
    """Held while a guide is sent."""
    access: Access = field(default_factory=Access)
    """Who may change something, and who may read."""
    readiness: Readiness = field(default_factory=Readiness)
    failures: Failures = field(default_factory=Failures)
    page: BuiltPage | None = None
    """The web page; None if it was not built."""
    viewers: Viewers = field(default_factory=Viewers)
    hls: HlsOutputs | None = None
    """None if HLS is switched off."""
    stopping: StopEvent = field(default_factory=StopEvent)
    """Set to end every live stream."""

    @property
    def device(self) -> Device:
        """xg2g as a network tuner."""
        tuners = self.hub.limit
        return Device(self.identity, self.name, ASSUMED_TUNERS if tuners is None else tuners)

    def tuner_channels(self, lineup: Lineup) -> Sequence[Channel]:
        """Return the channels that the network tuner lists, in the order of their numbers."""
        if not self.tuner_bouquets:
            return lineup.channels
        names = choose(self.tuner_bouquets, (group.name for group in lineup.groups)).names
        chosen = (lineup.select(bouquet=name) or () for name in names)
        by_number = {channel.number: channel for channel in chain.from_iterable(chosen)}
        return [by_number[number] for number in sorted(by_number)]

    def missing_tuner_bouquets(self, lineup: Lineup) -> str | None:
        """Return one line about bouquets that the network tuner should list and that do not exist;
        None if all exist."""
        names = [group.name for group in lineup.groups]
        missing = choose(self.tuner_bouquets, names).missing
        return unknown(missing, names) if missing else None


def gateway_of(request: Request) -> Gateway:
    """Return the application's gateway."""
    gateway: Gateway = request.app.state.gateway
    return gateway


def base_url(request: Request) -> str:
    """Return the beginning of all URLs that are given to this client, without a final slash.

    It is the setting's URL, or else the address that the client requested. `X-Forwarded-*` is
    ignored: every client can send it, and a playlist is kept for long.
    """
    public_url = gateway_of(request).public_url
    if public_url:
        return public_url
    host = request.headers.get("host", "")
    if host_of(host) is None:
        name, port = request.scope["server"]
        host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return f"http://{host}"

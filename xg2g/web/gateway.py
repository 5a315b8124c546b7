"""What the routes stand on."""

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
from ..network.hosts import AllowedHosts
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

UNKNOWN_TUNERS = 2
"""What is announced until the receiver has said how many it has."""

DOWNLOADS = 8
"""Of the guide, at a time: each makes a core busy for some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The parts of one daemon."""

    lineup_keeper: LineupKeeper
    refresher: Refresher
    database: Database
    picons: Picons
    hub: Hub
    identity: Identity
    name: str
    """What media servers call it."""
    metrics: Metrics
    pause_limit_s: float
    """How long a viewer of a live stream may take nothing."""
    tuner_bouquets: tuple[str, ...] = ()
    """Bouquets that are listed as a network tuner; none for all."""
    public_url: str | None = None
    """How clients reach xg2g, without a final slash; None for the address that each asked."""
    has_guide: bool = False
    """The receiver's guide is read. None is given out before it was read once: media servers keep
    an empty one for a day."""
    hosts: AllowedHosts = field(default_factory=AllowedHosts)
    """The names that it answers to."""
    access: Access = field(default_factory=Access)
    """Who may change something, and who may read."""
    origins: AllowedOrigins = field(default_factory=lambda: AllowedOrigins(AllowedHosts()))
    """Web pages of other servers that may read its answers."""
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOWNLOADS))
    """Held while a guide is sent."""
    readiness: Readiness = field(default_factory=Readiness)
    failures: Failures = field(default_factory=Failures)
    page: BuiltPage | None = None
    """What a browser shows; None if it was not built."""
    viewers: Viewers = field(default_factory=Viewers)
    hls: HlsOutputs | None = None
    """None where HLS is switched off."""
    stopping: StopEvent = field(default_factory=StopEvent)
    """Set to end every live stream."""

    @property
    def device(self) -> Device:
        """What it is as a network tuner."""
        tuners = self.hub.limit
        return Device(self.identity, self.name, UNKNOWN_TUNERS if tuners is None else tuners)

    def tuner_channels(self, lineup: Lineup) -> Sequence[Channel]:
        """What is listed as a network tuner, in order of the numbers."""
        if not self.tuner_bouquets:
            return lineup.channels
        names = choose(self.tuner_bouquets, (group.name for group in lineup.groups)).names
        chosen = (lineup.select(bouquet=name) or () for name in names)
        by_number = {channel.number: channel for channel in chain.from_iterable(chosen)}
        return [by_number[number] for number in sorted(by_number)]

    def missing_tuner_bouquets(self, lineup: Lineup) -> str | None:
        """One line about bouquets that should be listed as a network tuner and are not there."""
        names = [group.name for group in lineup.groups]
        missing = choose(self.tuner_bouquets, names).missing
        return unknown(missing, names) if missing else None


def gateway_of(request: Request) -> Gateway:
    """The gateway that answers this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway

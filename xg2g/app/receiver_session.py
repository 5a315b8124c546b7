"""One receiver as the daemon has it: its lists, its streams and its tuners, tied together."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from xg2g_backends.base import Backend
from xg2g_backends.joining import Joiner

from ..config import Settings
from ..lineup import channel_table
from ..lineup.arrangement import Bouquet
from ..lineup.keeper import LineupKeeper
from ..lineup.reader import Recall, read_at_once, read_bouquets
from ..metrics import Metrics
from ..readiness import READY, Finding, Part, Readiness, State
from ..readiness.port import port_trouble
from ..readiness.streams import WatchedStreams
from ..receiver.errors import ReceiverError
from ..receiver.openwebif import ListedService, OpenWebif
from ..receiver.refusal_reason import refusal_reason
from ..receiver.relay_list import RelayList
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import StreamClient
from ..store.database import Database
from ..streaming.hub import Hub
from ..streaming.iptv import IptvClient, StreamRouter


class ReceiverSession:
    """What is known of the receiver decides how its streams are opened, and what it streams is
    needed to ask it why it refused one."""

    def __init__(
        self,
        receiver: OpenWebif,
        backend: Backend,
        database: Database,
        metrics: Metrics,
        readiness: Readiness,
        settings: Settings,
    ) -> None:
        self.keeper = LineupKeeper(
            partial(self._read, read_bouquets),
            database,
            read_at_once=partial(self._read, read_at_once),
            wanted=settings.lineup.bouquets,
            clock_s=time.monotonic,
        )
        self._receiver = receiver
        self._database = database
        self._metrics = metrics
        self._readiness = readiness
        self._relays = RelayList(receiver)
        self.hub = Hub(
            self._sources(settings),
            backend,
            settings.remux_options(),
            metrics=metrics,
            linger_s=settings.receiver.linger_s,
            first_output_s=settings.receiver.first_byte_timeout_s,
            limit=settings.hdhomerun.tuners or None,
            make_joiner=Joiner,
        )

    async def turn_to(self, settings: Settings) -> None:
        """Go on with the receiver of other settings; streams that are open are left alone."""
        self.hub.receiver = self._sources(settings)
        await self._receiver.reconfigure(
            settings.receiver_address(),
            connect_timeout_s=settings.receiver.connect_timeout_s,
            answer_timeout_s=settings.receiver.answer_timeout_s,
        )

    async def _probe_web_interface(self) -> Finding:
        """Find out whether the web interface accepts a connection; it is asked nothing."""
        address = self._address
        trouble = await port_trouble(address.host, address.port)
        if trouble is None:
            return READY
        reason = f"cannot reach the receiver's web interface at {address.url}: {trouble}"
        # What was read before is served on.
        return Finding(State.DEGRADED, f"{reason}; lineup and guide stay as they were")

    def _sources(self, settings: Settings) -> StreamRouter:
        address, deadlines = settings.receiver_address(), settings.stream_deadlines()
        self._address = address
        streams = StreamClient(
            address,
            deadlines,
            relayed=self._relays.includes,
            explain=self._why_refused,
            relay_failed=self._metrics.relay_failures.inc,
        )
        watched = WatchedStreams(streams, address, self._readiness, self._receiver.in_standby)
        self._readiness.watch(Part.STREAM_SERVER, watched.probe)
        self._readiness.watch(Part.WEB_INTERFACE, self._probe_web_interface)
        return StreamRouter(
            watched, IptvClient(address.host, deadlines, receiver_ports=address.ports)
        )

    async def _read(
        self, read: Callable[[OpenWebif, Recall], Awaitable[list[Bouquet]]]
    ) -> list[Bouquet]:
        bouquets = await read(self._receiver, self._recalled)
        await self._relays.refresh()
        if self.hub.limit is None:
            # Once: this question is a heavy one.
            self.hub.limit = len((await self._receiver.about()).tuners) or None
        return bouquets

    async def _recalled(self, reference: str) -> Bouquet | None:
        return await self._database.read(partial(channel_table.stored_bouquet, reference=reference))

    async def _why_refused(self, service: ServiceReference) -> ReceiverError | None:
        refused = self._listed([service])
        if not refused:
            return None
        return await refusal_reason(self._receiver, refused[0], self._listed(self.hub.services))

    def _listed(self, services: Sequence[ServiceReference]) -> list[ListedService]:
        """Those that the receiver itself has listed: it is asked about nothing else."""
        lineup = self.keeper.lineup
        return [
            ListedService(each, each.stream_path, "")
            for each in services
            if lineup is not None and lineup.find(each.channel_id) is not None
        ]

"""The daemon's session with one receiver: its lineup, its streams and its tuners."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import ClassVar

from xg2g_backends.base import Backend
from xg2g_backends.joining import Joiner

from ..config import Settings
from ..config.settings import AudioSettings, ReceiverSettings
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
    """Lineup keeper and hub of one receiver, which need each other: the lineup decides how streams
    are opened, and open streams are needed to find out why the receiver refused another one."""

    LIVE_KEYS: ClassVar[frozenset[str]] = frozenset(
        {
            *(f"receiver.{it.name}" for it in fields(ReceiverSettings) if it.name != "wait"),
            *(f"audio.{it.name}" for it in fields(AudioSettings)),
        }
    )

    def __init__(
        self,
        receiver: OpenWebif,
        backend: Backend,
        database: Database,
        metrics: Metrics,
        readiness: Readiness,
        settings: Settings,
    ) -> None:
        self.on_new_receiver: Callable[[], None] = lambda: None
        """Called when the receiver's settings have changed, so that its lists are read again."""
        self._settings = settings.receiver
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
            self._streams(settings.receiver),
            backend,
            settings.audio.remux_options(),
            metrics=metrics,
            linger_s=settings.receiver.linger_s,
            first_output_s=settings.receiver.first_byte_timeout_s,
            limit=settings.hdhomerun.tuners or None,
            make_joiner=Joiner,
        )

    async def apply(self, settings: Settings) -> None:
        """Use these settings from now on. Open streams stay as they are."""
        before, receiver = self._settings, settings.receiver
        self._settings = receiver
        self.hub.linger_s = receiver.linger_s
        self.hub.first_output_s = receiver.first_byte_timeout_s
        self.hub.options = settings.audio.remux_options()
        if replace(before, linger_s=receiver.linger_s) == receiver:
            return
        self.hub.receiver = self._streams(receiver)
        await self._receiver.reconfigure(
            receiver.address(),
            connect_timeout_s=receiver.connect_timeout_s,
            answer_timeout_s=receiver.answer_timeout_s,
        )
        self.on_new_receiver()

    async def _probe_web_interface(self) -> Finding:
        """Check that the web interface accepts a connection, without sending a request."""
        address = self._address
        trouble = await port_trouble(address.host, address.port)
        if trouble is None:
            return READY
        reason = f"cannot reach the receiver's web interface at {address.url}: {trouble}"
        # The lineup and guide that were read before are still served.
        return Finding(State.DEGRADED, f"{reason}; lineup and guide are not updated")

    def _streams(self, settings: ReceiverSettings) -> StreamRouter:
        address, deadlines = settings.address(), settings.deadlines()
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
            # Only once: this request is expensive for the receiver.
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
        """Return the services that are in the lineup: the receiver is asked about no others."""
        lineup = self.keeper.lineup
        return [
            ListedService(each, each.stream_path, "")
            for each in services
            if lineup is not None and lineup.find(each.channel_id) is not None
        ]

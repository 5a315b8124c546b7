"""What one viewer receives of a service: its packets from where the broadcast stands."""

from collections.abc import Callable
from datetime import datetime

from xg2g.simulator.conditions import Conditions
from xg2g.simulator.loop import Loop
from xg2g.simulator.service import Service
from xg2g.simulator.tables import eit_packets, tdt_packets
from xg2g.simulator.transport import NULL_PID, PCR_HZ, PCR_MODULUS

# A receiver forwards EIT each 2 s at least and TDT each 30 s (ETSI EN 300 468, TR 101 211).
_TABLES_INTERVAL_S = 1.0


class Feed:
    """Reads a service from `position_s` of its endless loop on."""

    def __init__(
        self,
        service: Service,
        conditions: Conditions,
        position_s: float,
        utc: Callable[[], datetime],
        loop: Loop | None = None,
    ) -> None:
        """`loop` instead of the service's own."""
        self._service = service
        self._loop = loop or service.loop
        self._utc = utc
        self._next_packet = self._loop.packet_at(position_s)
        self._tables_due_s = position_s
        self._counters: dict[int, int] = {}
        self._shift_27m = 0
        if conditions.wrap_after_s is not None:
            start_27m = PCR_MODULUS - round(conditions.wrap_after_s * PCR_HZ)
            self._shift_27m = start_27m - self._loop.clock_at(position_s)

    def read_until(self, position_s: float) -> bytes:
        """The packets that are sent before `position_s` and were not read yet."""
        end = self._loop.packet_at(position_s)
        data = self._loop.read(self._next_packet, end, self._shift_27m)
        self._next_packet = max(self._next_packet, end)
        if self._service.has_guide and position_s >= self._tables_due_s:
            self._tables_due_s = position_s + _TABLES_INTERVAL_S
            data += self._tables()
        return data

    def skip_to(self, position_s: float) -> None:
        """Leave out what is sent before `position_s` and was not read yet."""
        self._next_packet = max(self._next_packet, self._loop.packet_at(position_s))

    def _tables(self) -> bytes:
        now = self._utc()
        reference = self._service.reference
        eit = eit_packets(
            reference.service_id,
            reference.transport_stream_id,
            reference.original_network_id,
            self._service.programmes,
            now,
        )
        out = bytearray()
        for packet in tdt_packets(now) + eit:
            pid = int.from_bytes(packet[1:3], "big") & NULL_PID
            counter = self._counters.get(pid, 0)
            self._counters[pid] = (counter + 1) & 0x0F
            packet[3] |= counter
            out += packet
        return bytes(out)

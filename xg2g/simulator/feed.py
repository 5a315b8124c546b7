"""The packets of a service that one viewer receives, with its guide's tables."""

from collections.abc import Callable
from datetime import datetime

from xg2g.simulator.loop import Loop
from xg2g.simulator.programmes import Programmes
from xg2g.simulator.service import Conditions, Service
from xg2g.simulator.transport import (
    EIT_PID,
    NULL_PID,
    PCR_HZ,
    PCR_MODULUS,
    TDT_PID,
    section_packets,
    with_crc,
)

# A receiver forwards EIT each 2 s at least and TDT each 30 s (ETSI EN 300 468, TR 101 211).
_TABLES_INTERVAL_S = 1.0


class Feed:
    """The packets of a service from `position_s` of its endless loop on."""

    def __init__(
        self,
        service: Service,
        conditions: Conditions,
        position_s: float,
        utc: Callable[[], datetime],
        loop: Loop | None = None,
    ) -> None:
        """`loop` replaces the service's own."""
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
        """Return the unread packets that are sent before `position_s`."""
        end = self._loop.packet_at(position_s)
        data = self._loop.read(self._next_packet, end, self._shift_27m)
        self._next_packet = max(self._next_packet, end)
        if self._service.has_guide and position_s >= self._tables_due_s:
            self._tables_due_s = position_s + _TABLES_INTERVAL_S
            data += self._tables()
        return data

    def skip_to(self, position_s: float) -> None:
        """Drop the unread packets that are sent before `position_s`."""
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


def tdt_packets(now: datetime) -> list[bytearray]:
    """Return a time and date table (ETSI EN 300 468, clause 5.2.5)."""
    return section_packets(TDT_PID, b"\x70\x70\x05" + _broadcast_time(now))


def eit_packets(
    service_id: int,
    transport_stream_id: int,
    original_network_id: int,
    programmes: Programmes,
    now: datetime,
) -> list[bytearray]:
    """Return the present event (EN 300 468, clause 5.2.4), section 0 of present/following.

    The version changes with the event.
    """
    event = programmes.running_at(now)
    title = b"\x15" + event.title.encode()
    text = b"\x15" + event.short_description.encode()
    short_event = b"eng" + bytes((len(title),)) + title + bytes((len(text),)) + text
    descriptors = bytes((0x4D, len(short_event))) + short_event
    body = transport_stream_id.to_bytes(2, "big") + original_network_id.to_bytes(2, "big")
    body += b"\x00\x4e" + event.event_id.to_bytes(2, "big") + _broadcast_time(event.begin)
    body += _bcd_time(int(event.duration.total_seconds()))
    # running_status 4: running.
    body += (0x8000 | len(descriptors)).to_bytes(2, "big") + descriptors
    version = 0xC1 | (event.event_id & 0x1F) << 1
    length = 5 + len(body) + 4
    head = b"\x4e" + (0xF000 | length).to_bytes(2, "big") + service_id.to_bytes(2, "big")
    return section_packets(EIT_PID, with_crc(head + bytes((version, 0, 1)) + body))


def _broadcast_time(time: datetime) -> bytes:
    """Return modified Julian date and BCD time (EN 300 468, annex C)."""
    days, seconds = divmod(int(time.timestamp()), 86_400)
    return (days + 40_587).to_bytes(2, "big") + _bcd_time(seconds)


def _bcd_time(seconds: int) -> bytes:
    hours, rest = divmod(seconds, 3600)
    return bytes.fromhex(f"{hours:02}{rest // 60:02}{rest % 60:02}")

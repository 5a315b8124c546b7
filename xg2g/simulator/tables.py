"""Tables of the guide in the transport stream: time and date, and the present event."""

from datetime import datetime

from xg2g.simulator.programmes import Programmes
from xg2g.simulator.transport import EIT_PID, TDT_PID, section_packets, with_crc


def tdt_packets(now: datetime) -> list[bytearray]:
    """A time and date table (ETSI EN 300 468, clause 5.2.5)."""
    return section_packets(TDT_PID, b"\x70\x70\x05" + _broadcast_time(now))


def eit_packets(
    service_id: int,
    transport_stream_id: int,
    original_network_id: int,
    programmes: Programmes,
    now: datetime,
) -> list[bytearray]:
    """The present event of the service (EN 300 468, clause 5.2.4), section 0 of present/following.

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
    """Modified Julian date and BCD time (EN 300 468, annex C)."""
    days, seconds = divmod(int(time.timestamp()), 86_400)
    return (days + 40_587).to_bytes(2, "big") + _bcd_time(seconds)


def _bcd_time(seconds: int) -> bytes:
    hours, rest = divmod(seconds, 3600)
    return bytes.fromhex(f"{hours:02}{rest // 60:02}{rest % 60:02}")

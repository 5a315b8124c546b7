"""The programme guide of the simulated receiver: half-hour events, for ever, without a database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from xg2g.simulator.transport import EIT_PID, TDT_PID, section_packets, with_crc

EVENT_DURATION = timedelta(minutes=30)

# Titles as they come off the air: an ampersand and quotes, which OpenWebif escapes in JSON.
_TITLES = ("Test card", 'Bars & "Tone"', "The running clock", "Flash & beep", "<Interlude>")
# U+008A is the line break of EN 300 468 annex A; OpenWebif leaves it in descriptions.
_DESCRIPTION = "A flash and a beep at each full second.\u008aBoth begin at the same instant."


@dataclass(frozen=True)
class Event:
    """One programme; `event_id` is unique within its service only."""

    event_id: int
    begin: datetime
    duration: timedelta
    title: str
    short_description: str
    long_description: str


def events(service_id: int, since: datetime, count: int) -> list[Event]:
    """`count` events of a service, the first being the one that runs at `since`."""
    slot = int(since.timestamp() // EVENT_DURATION.total_seconds())
    return [_event(service_id, slot + i) for i in range(count)]


def _event(service_id: int, slot: int) -> Event:
    title = _TITLES[(service_id + slot) % len(_TITLES)]
    begin = datetime.fromtimestamp(slot * EVENT_DURATION.total_seconds(), UTC)
    return Event(slot & 0xFFFF, begin, EVENT_DURATION, title, f"Part {slot % 48}", _DESCRIPTION)


def tdt_packets(now: datetime) -> list[bytearray]:
    """A time and date table (ETSI EN 300 468, clause 5.2.5)."""
    return section_packets(TDT_PID, b"\x70\x70\x05" + _broadcast_time(now))


def eit_packets(
    service_id: int, transport_stream_id: int, original_network_id: int, now: datetime
) -> list[bytearray]:
    """The present event of the service (EN 300 468, clause 5.2.4), section 0 of present/following.

    The version changes with the event.
    """
    event = events(service_id, now, 1)[0]
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

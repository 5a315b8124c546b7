"""Transport packets and what begins in them (ISO/IEC 13818-1, 2.4.3).

Arguments named `packet` are whole packets of 188 bytes that begin with their sync byte.
"""

PACKET_BYTES = 188
NULL_PID = 0x1FFF

_PLAIN_STREAM_IDS = frozenset({0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF})
"""Whose PES packets have no optional header, and so no PTS (2.4.3.7)."""

_VIDEO_STREAM_IDS = frozenset(bytes((number,)) for number in range(0xE0, 0xF0))


def pid_of(packet: bytes) -> int:
    """The PID."""
    return (packet[1] & 0x1F) << 8 | packet[2]


def starts_unit(packet: bytes) -> bool:
    """payload_unit_start_indicator: a PES packet or a section begins here."""
    return packet[1] & 0x40 != 0


def is_scrambled(packet: bytes) -> bool:
    """transport_scrambling_control says that the payload is."""
    return packet[3] & 0xC0 != 0


def is_random_access(packet: bytes) -> bool:
    """random_access_indicator."""
    return packet[3] & 0x20 != 0 and packet[4] > 0 and packet[5] & 0x40 != 0


def payload_of(packet: bytes) -> bytes:
    """What is behind the adaptation field, which may be nothing."""
    match packet[3] & 0x30:
        case 0x10:
            return packet[4:]
        case 0x30:
            return packet[5 + packet[4] :]
        case _:
            return b""


def is_pes(payload: bytes) -> bool:
    """Whether a payload that starts a unit starts a PES packet."""
    return payload[:3] == b"\0\0\1"


def is_video_pes(payload: bytes) -> bool:
    """Whether it starts one of video, by its stream_id (2.4.3.7)."""
    return is_pes(payload) and payload[3:4] in _VIDEO_STREAM_IDS


def elementary(payload: bytes) -> bytes:
    """What a payload that begins a PES packet has of its elementary stream."""
    return payload[9 + payload[8] :] if len(payload) > 8 else b""


def pts_90k(payload: bytes) -> int | None:
    """The PTS, 33 bits, of a payload that begins a PES packet; None where there is none."""
    if len(payload) < 14 or payload[3] in _PLAIN_STREAM_IDS or not payload[7] & 0x80:
        return None
    field = int.from_bytes(payload[9:14], "big")
    return (field >> 3) & 0x1_C000_0000 | (field >> 2) & 0x3FFF_8000 | (field >> 1) & 0x7FFF


def since_90k(pts: int, earlier: int) -> int:
    """How long after `earlier`, by the nearest way around the clock: negative for before."""
    return (pts - earlier + (1 << 32)) % (1 << 33) - (1 << 32)

"""MPEG-TS syntax as the simulator needs it: stamps, sections, packets (ISO/IEC 13818-1)."""

PACKET_SIZE = 188
SYNC_BYTE = 0x47
PAYLOAD_SIZE = PACKET_SIZE - 4

PAT_PID = 0x0000
EIT_PID = 0x0012
TDT_PID = 0x0014
NULL_PID = 0x1FFF

PTS_MODULUS = 1 << 33
PCR_MODULUS = PTS_MODULUS * 300
PCR_HZ = 27_000_000

# Stream ids whose PES packets have no optional header, hence no stamps (clause 2.4.3.7).
_PLAIN_STREAM_IDS = frozenset({0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF})

# CRC-32/MPEG-2, Annex A.
_CRC_POLYNOMIAL = 0x04C11DB7


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = (crc << 1) ^ (_CRC_POLYNOMIAL if crc & 0x8000_0000 else 0)
        table.append(crc & 0xFFFF_FFFF)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc32(data: bytes) -> int:
    """Return the CRC of a section; 0 for a section with its own CRC at the end."""
    crc = 0xFFFF_FFFF
    for byte in data:
        crc = ((crc << 8) & 0xFFFF_FFFF) ^ _CRC_TABLE[(crc >> 24) ^ byte]
    return crc


def with_crc(section: bytes) -> bytes:
    """Return `section` with its CRC appended; section_length must already count it."""
    return section + crc32(section).to_bytes(4, "big")


def read_pcr(packet: bytes, start: int = 0) -> int | None:
    """Return the PCR (27 MHz) of the packet at `start`, or None without one."""
    if not packet[start + 3] & 0x20 or packet[start + 4] < 7 or not packet[start + 5] & 0x10:
        return None
    field = int.from_bytes(packet[start + 6 : start + 12], "big")
    return (field >> 15) * 300 + (field & 0x1FF)


def encode_pcr(pcr_27m: int) -> bytes:
    """Return the six bytes of a PCR field; `pcr_27m` is taken modulo the 33-bit wrap."""
    base, extension = divmod(pcr_27m % PCR_MODULUS, 300)
    return (base << 15 | 0x7E00 | extension).to_bytes(6, "big")


def read_stamp(data: bytes, start: int) -> int | None:
    """Return the PTS or DTS (90 kHz) of the five bytes at `start`; None if a marker is wrong."""
    field = int.from_bytes(data[start : start + 5], "big")
    if field & 0x01_0001_0001 != 0x01_0001_0001:
        return None
    return (field >> 3) & 0x1_C000_0000 | (field >> 2) & 0x3FFF_8000 | (field >> 1) & 0x7FFF


def encode_stamp(prefix: int, stamp_90k: int) -> bytes:
    """Return a PTS (prefix 2, or 3 before a DTS) or DTS (prefix 1) field, modulo 33 bits."""
    stamp = stamp_90k % PTS_MODULUS
    field = prefix << 36 | 0x01_0001_0001
    field |= (stamp & 0x1_C000_0000) << 3 | (stamp & 0x3FFF_8000) << 2 | (stamp & 0x7FFF) << 1
    return field.to_bytes(5, "big")


def payload_start(packets: bytes, start: int) -> int:
    """Return the payload's offset in the packet at `start`; the packet's end without payload."""
    control = packets[start + 3] & 0x30
    if control == 0x10:
        return start + 4
    if control == 0x30:
        return min(start + 5 + packets[start + 4], start + PACKET_SIZE)
    return start + PACKET_SIZE


def stamp_offsets(packets: bytes, start: int) -> list[int]:
    """Return the offsets of PTS and DTS in the packet at `start`, if a clear PES packet begins in
    it."""
    if not packets[start + 1] & 0x40 or packets[start + 3] & 0xC0:
        return []
    pes = payload_start(packets, start)
    end = start + PACKET_SIZE
    if pes + 9 > end or packets[pes : pes + 3] != b"\0\0\1":
        return []
    if packets[pes + 3] in _PLAIN_STREAM_IDS or packets[pes + 6] & 0xC0 != 0x80:
        return []
    wanted = {0x80: (pes + 9,), 0xC0: (pes + 9, pes + 14)}.get(packets[pes + 7] & 0xC0, ())
    return [at for at in wanted if at + 5 <= end and read_stamp(packets, at) is not None]


def section_packets(pid: int, section: bytes) -> list[bytearray]:
    """Return packets (continuity counter 0) with one section, padded with stuffing bytes."""
    rest = b"\0" + section
    packets: list[bytearray] = []
    while rest:
        flags = 0x4000 if not packets else 0
        payload, rest = rest[:PAYLOAD_SIZE], rest[PAYLOAD_SIZE:]
        header = bytes((SYNC_BYTE,)) + (flags | pid).to_bytes(2, "big") + b"\x10"
        packets.append(bytearray(header + payload.ljust(PAYLOAD_SIZE, b"\xff")))
    return packets

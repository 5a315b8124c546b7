"""What a remuxer that takes over a stream in its middle has to be told: the program's tables, and
the beginning of the packet that the one before it held."""

from collections.abc import Iterator
from typing import Final

SYNC_BYTE: Final = 0x47
PACKET_BYTES: Final = 188
STRIDES: Final = (PACKET_BYTES, 204, 192)
"""Packet lengths on the wire; 204 with Reed-Solomon parity (EN 300 429), 192 with the time stamp
of the next packet (M2TS)."""
SYNC_RUN: Final = 5
"""Sync bytes one stride apart before packets are believed (TR 101 290, 5.2.1)."""
UNDECIDED_BYTES: Final = (SYNC_RUN - 1) * PACKET_BYTES
"""Up to here the remuxer has nothing to believe, and gives nothing out."""

PAT_PID: Final = 0
TABLE_PAT: Final = 0x00
TABLE_PMT: Final = 0x02
NULL_PID: Final = 0x1FFF
VIDEO_TYPES: Final = frozenset(
    (0x01, 0x02, 0x10, 0x1B, 0x1F, 0x20, 0x24, 0x25, 0x33, 0x42, 0xD1, 0xD2, 0xEA)
)
"""Stream types of a PMT (H.222.0, table 2-34; the last four are AVS, Dirac, AVS2 and VC-1)."""


def carried_over(past: bytes, program: int) -> bytes:
    """Return what to give a new remuxer before the stream goes on where `past` ends: the last PAT
    and PMTs as whole packets, then the packet that `past` breaks off in.

    With `program` 0 the PMTs of every program are taken. Empty when `past` shows no packets.
    """
    aligned = _aligned_end(past)
    if aligned is None:
        return past if len(past) <= UNDECIDED_BYTES else b""
    stride, end = aligned
    return _tables(past[:end], stride, program) + past[end:]


def tables(past: bytes, program: int) -> bytes:
    """Return the last PAT and PMTs alone, for a stream that has a gap here."""
    aligned = _aligned_end(past)
    return b"" if aligned is None else _tables(past[: aligned[1]], aligned[0], program)


def video_alone(past: bytes, body: bytes, program: int) -> tuple[bytes, int] | None:
    """Return `body`, which follows `past`, with a null packet (H.222.0, 2.4.3.3) in place of each
    that carries no video, and how many bytes of it are given up so.

    The packet that `past` breaks off in stays. None when `past` does not show where packets begin
    or which carry video, or when `body` does not go on with packets.
    """
    aligned = _aligned_end(past)
    if aligned is None:
        return None
    stride, end = aligned
    pids = _video_pids(past[end % stride : end], stride, program)
    if not pids:
        return None
    kept, given_up = bytearray(body), 0
    begun = len(past) - end
    for at in range((stride - begun) % stride, len(body) - 2, stride):
        if body[at] != SYNC_BYTE:
            return None
        if int.from_bytes(body[at + 1 : at + 3], "big") & 0x1FFF not in pids:
            kept[at + 1 : at + 3] = NULL_PID.to_bytes(2, "big")
            given_up += min(stride, len(body) - at)
    return bytes(kept), given_up


def first_packet(stream: bytes) -> int:
    """Return where the first packet begins; the end when there is none to be seen."""
    for start in range(min(max(STRIDES), len(stream))):
        for stride in STRIDES:
            run = stream[start : start + (SYNC_RUN - 1) * stride + 1 : stride]
            if run == bytes([SYNC_BYTE]) * SYNC_RUN:
                return start
    return len(stream)


def _aligned_end(past: bytes) -> tuple[int, int] | None:
    """Packet length, and where the last whole packet ends."""
    for stride in STRIDES:
        for rest in range(stride):
            end = len(past) - rest
            if end < SYNC_RUN * stride:
                break
            begun = rest == 0 or past[end] == SYNC_BYTE
            run = past[end - SYNC_RUN * stride : end : stride]
            if begun and run == bytes([SYNC_BYTE]) * SYNC_RUN:
                return stride, end
    return None


def _tables(past: bytes, stride: int, program: int) -> bytes:
    packets = [past[at : at + stride] for at in range(len(past) % stride, len(past), stride)]
    pat = b""
    programs: dict[int, int] = {}
    for section, carriers in _sections(packets, PAT_PID):
        if section[0] == TABLE_PAT:
            pat, programs = carriers, _programs(section)
    found: dict[tuple[int, int], bytes] = {}
    wanted = {pid for number, pid in programs.items() if program in (0, number)}
    for pid in wanted:
        for section, carriers in _sections(packets, pid):
            number = int.from_bytes(section[3:5], "big")
            if section[0] == TABLE_PMT and program in (0, number):
                found[pid, number] = carriers
    return pat + b"".join(found.values())


def _video_pids(packets: bytes, stride: int, program: int) -> set[int]:
    """PIDs of video, and of clocks that have a PID of their own; empty where there is no video."""
    carriers = _tables(packets, stride, program)
    cut = [carriers[at : at + stride] for at in range(0, len(carriers), stride)]
    listed = {int.from_bytes(packet[1:3], "big") & 0x1FFF for packet in cut} - {PAT_PID}
    video: set[int] = set()
    clocks: set[int] = set()
    others: set[int] = set()
    for pid in listed:
        for section, _ in _sections(cut, pid):
            clocks.add(int.from_bytes(section[8:10], "big") & 0x1FFF)
            at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
            while at + 5 <= len(section) - 4:
                is_video = section[at] in VIDEO_TYPES
                elementary = int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
                (video if is_video else others).add(elementary)
                at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
    return video | (clocks - others) if video else set()


def _programs(pat: bytes) -> dict[int, int]:
    """Program -> PID of its PMT (H.222.0, 2.4.4.3); program 0 is the network's table."""
    entries = pat[8:-4]
    pairs = (entries[at : at + 4] for at in range(0, len(entries) - 3, 4))
    numbers = {
        int.from_bytes(pair[:2], "big"): int.from_bytes(pair[2:], "big") & 0x1FFF for pair in pairs
    }
    numbers.pop(0, None)
    return numbers


def _sections(packets: list[bytes], pid: int) -> Iterator[tuple[bytes, bytes]]:
    """Each first section of a PID that begins a packet's payload, and the packets it lies in."""
    section, carriers = b"", b""
    for packet in packets:
        if int.from_bytes(packet[1:3], "big") & 0x1FFF != pid or packet[1] & 0x80:
            continue
        payload = _payload(packet)
        if packet[1] & 0x40:
            section, carriers = payload[1 + payload[0] :] if payload else b"", b""
        elif not section:
            continue
        else:
            section += payload
        carriers += packet
        length = 3 + (int.from_bytes(section[1:3], "big") & 0xFFF)
        if len(section) >= length > 8:
            yield section[:length], carriers
            section = b""


def _payload(packet: bytes) -> bytes:
    if not packet[3] & 0x10:
        return b""
    start = 5 + packet[4] if packet[3] & 0x20 else 4
    return packet[start:PACKET_BYTES]

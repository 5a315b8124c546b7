"""A broadcast, packet by packet, and a receiver that sends it."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xg2g.receiver.service_reference import ServiceReference
from xg2g.receiver.stream import LiveSource
from xg2g.simulator.transport import encode_stamp, section_packets, with_crc

PACKET_BYTES = 188
PMT_PID, VIDEO, SOUND_PID, DATA = 0x100, 0x101, 0x102, 0x103
MPEG2, MPEG_AUDIO, H264, HEVC, VVC = 0x02, 0x03, 0x1B, 0x24, 0x33
START_90K = 900_000


def packet(
    pid: int,
    payload: bytes = b"",
    *,
    starts: bool = False,
    scrambled: bool = False,
    rai: bool = False,
) -> bytes:
    control = scrambled << 7 | (0x30 if rai else 0x10)
    head = bytes((0x47, starts << 6 | pid >> 8, pid & 0xFF, control)) + b"\x01\x40" * rai
    return (head + payload).ljust(PACKET_BYTES, b"\xff")


def section(pid: int, table_id: int, number: int, content: bytes) -> bytes:
    head = bytes((table_id, 0xB0 | (len(content) + 9) >> 8, (len(content) + 9) & 0xFF))
    section = with_crc(head + number.to_bytes(2, "big") + b"\xc1\0\0" + content)
    return b"".join(map(bytes, section_packets(pid, section)))


def pmt(*streams: tuple[int, int], descriptors: bytes = b"") -> bytes:
    content = b"\xe1\x01" + (0xF000 | len(descriptors)).to_bytes(2, "big") + descriptors
    for stream_type, pid in streams:
        content += bytes((stream_type, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0))
    return section(PMT_PID, 0x02, 7, content)


def pes(pid: int, stream_id: int, at_s: float, content: bytes = b"", *, rai: bool = False) -> bytes:
    stamp = encode_stamp(2, round(START_90K + at_s * 90_000))
    head = b"\0\0\1" + bytes((stream_id, 0, 0, 0x80, 0x80, 5)) + stamp
    return packet(pid, head + content, starts=True, rai=rai)


def picture(
    at_s: float = 0.0, content: bytes = b"\0\0\1\x09\xf0\0\0\1\x41\x9a\x02\x03", **more: bool
) -> bytes:
    return pes(VIDEO, 0xE0, at_s, content, **more)


def sound(at_s: float = 0.0, pid: int = SOUND_PID) -> bytes:
    return pes(pid, 0xC0, at_s)


PAT = section(0, 0x00, 1, b"\0\x07\xe1\0")
TELEVISION = PAT + pmt((H264, VIDEO), (MPEG_AUDIO, SOUND_PID))
RADIO = PAT + pmt((MPEG_AUDIO, SOUND_PID))
IDR = b"\0\0\1\x09\xf0\0\0\1\x67\x64\0\x28\0\0\1\x68\xee\x3c\x80\0\0\1\x65\x88\x84\0\0"
"""Access unit delimiter, parameter sets and the beginning of a slice."""
KEY = picture(content=IDR)


def scrambled_payload(
    pid: int, number: int, *, starts: bool = False, scrambled: bool = False
) -> bytes:
    content = random.Random(number).randbytes(184)
    return packet(pid, content, starts=starts, scrambled=scrambled)


SCRAMBLED = b"".join(scrambled_payload(VIDEO, n, starts=not n, scrambled=True) for n in range(20))


def with_bits(packets: bytes) -> bytes:
    """The packets as they are, with transport_scrambling_control set."""
    out = bytearray(packets)
    for at in range(0, len(out), PACKET_BYTES):
        out[at + 3] |= 0x80
    return bytes(out)


SERVICE = ServiceReference.parse("1:0:19:7:1:1:C00000:0:0:0:")
OTHER = ServiceReference.parse("1:0:19:7:2:1:C00000:0:0:0:")


class Broadcast:
    """A receiver whose every service sends its pieces, a few milliseconds apart, the last of them
    for ever if that is wanted."""

    def __init__(self, *pieces: bytes, for_ever: bool = True) -> None:
        self.pieces = pieces
        self.for_ever = for_ever
        self.others: dict[ServiceReference, tuple[bytes, ...]] = {}
        self.opened: list[ServiceReference] = []
        self.open_now = 0

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        self.opened.append(service)
        self.open_now += 1
        try:
            yield _Source(list(self.others.get(service, self.pieces)), self.for_ever)
        finally:
            self.open_now -= 1


class _Source:
    def __init__(self, pieces: list[bytes], for_ever: bool) -> None:
        self._pieces = pieces
        self._for_ever = for_ever
        self._counters: Counter[int] = Counter()

    async def read(self) -> bytes:
        await asyncio.sleep(0.005)
        if len(self._pieces) > 1 or not self._for_ever:
            return self._numbered(self._pieces.pop(0)) if self._pieces else b""
        return self._numbered(self._pieces[0])

    def _numbered(self, packets: bytes) -> bytes:
        out = bytearray(packets)
        for at in range(0, len(out), PACKET_BYTES):
            pid = (out[at + 1] & 0x1F) << 8 | out[at + 2]
            out[at + 3] |= self._counters[pid] & 0x0F
            self._counters[pid] += 1
        return bytes(out)

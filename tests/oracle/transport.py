"""Reading a transport stream (ISO/IEC 13818-1, 2.4) for the checks: packets as
columns, sections, PES packets, elementary streams and clocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PACKET_BYTES = 188
NULL_PID = 0x1FFF
PTS_MODULUS = 1 << 33
PCR_MODULUS = PTS_MODULUS * 300
_SYNC_BYTE = 0x47
_RUN = 4


def signed(difference: int, modulus: int) -> int:
    """The difference of two wrapping clocks by the shorter way around."""
    half = modulus // 2
    return (difference + half) % modulus - half


class Packets:
    """The whole packets of a stream, one row of 188 bytes each, fields as columns.

    `sync_losses` counts the places where bytes had to be skipped to find 0x47 again.
    Reed-Solomon tails of 204-byte packets are left out.
    """

    def __init__(self, stream: bytes) -> None:
        offsets, self.sync_losses = _packet_offsets(stream)
        flat = np.frombuffer(stream, np.uint8)
        rows = offsets[:, None] + np.arange(PACKET_BYTES)
        self.rows: NDArray[np.uint8] = flat[rows] if len(offsets) else flat[:0].reshape(0, 188)
        wide = self.rows[:, :12].astype(np.int64)
        self.tei = wide[:, 1] >> 7
        self.pusi = wide[:, 1] >> 6 & 1
        self.pid = (wide[:, 1] & 0x1F) << 8 | wide[:, 2]
        self.scrambling = wide[:, 3] >> 6
        has_adaptation = wide[:, 3] >> 5 & 1
        self.cc = wide[:, 3] & 15
        adaptation_length = np.where(has_adaptation, wide[:, 4], 0)
        self.payload_start = 4 + np.where(has_adaptation, 1 + adaptation_length, 0)
        self.has_payload = (wide[:, 3] >> 4 & 1 == 1) & (self.payload_start < PACKET_BYTES)
        flags = np.where(adaptation_length > 0, wide[:, 5], 0)
        self.discontinuity = flags >> 7
        has_pcr = (flags >> 4 & 1 == 1) & (adaptation_length >= 7) & (self.payload_start <= 188)
        base = wide[:, 6] << 25 | wide[:, 7] << 17 | wide[:, 8] << 9 | wide[:, 9] << 1
        base |= wide[:, 10] >> 7
        extension = (wide[:, 10] & 1) << 8 | wide[:, 11]
        self.pcr_27m = np.where(has_pcr, base * 300 + extension, -1)
        """PCR in 27 MHz ticks, -1 where a packet has none."""

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, pid: int) -> NDArray[np.int64]:
        """The indices of a PID's packets."""
        return np.flatnonzero(self.pid == pid)

    def pids(self) -> set[int]:
        """Every PID that occurs."""
        return {int(pid) for pid in np.unique(self.pid)}

    def payload(self, index: int) -> bytes:
        """The payload of one packet; empty when it has none."""
        if not self.has_payload[index]:
            return b""
        return self.rows[index, self.payload_start[index] :].tobytes()


def _packet_offsets(stream: bytes) -> tuple[NDArray[np.int64], int]:
    offsets: list[NDArray[np.int64]] = []
    losses = 0
    at = 0
    flat = np.frombuffer(stream, np.uint8)
    while at + PACKET_BYTES <= len(stream):
        start, stride = _align(stream, at)
        if stride == 0:
            return _joined(offsets), losses + 1
        losses += start != at
        steps = (len(stream) - start - PACKET_BYTES) // stride + 1
        good = flat[start : start + (steps - 1) * stride + 1 : stride] == _SYNC_BYTE
        count = steps if good.all() else int(np.argmin(good))
        offsets.append(start + stride * np.arange(count))
        at = start + stride * count
        if count < steps:
            losses += 1
            at -= stride - PACKET_BYTES
    return _joined(offsets), losses


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _align(stream: bytes, at: int) -> tuple[int, int]:
    """Where packets begin again, and their stride; stride 0 when they do not."""
    while (at := stream.find(_SYNC_BYTE, at)) >= 0:
        for stride in (PACKET_BYTES, 204):
            ahead = range(at, min(at + _RUN * stride, len(stream)), stride)
            if all(stream[position] == _SYNC_BYTE for position in ahead):
                return at, stride
        at += 1
    return len(stream), 0


@dataclass(frozen=True)
class Section:
    """A PSI section: its bytes, and the packet in which it was complete."""

    packet: int
    data: bytes

    @property
    def table_id(self) -> int:
        return self.data[0]

    @property
    def extension(self) -> int:
        return self.data[3] << 8 | self.data[4]

    @property
    def version(self) -> int:
        return self.data[5] >> 1 & 31

    @property
    def content(self) -> bytes:
        """Everything that a version number stands for."""
        return self.data[:5] + bytes([self.data[5] & 0xC1]) + self.data[6:-4]

    @property
    def crc_holds(self) -> bool:
        return crc32(self.data) == 0


def sections(packets: Packets, pid: int) -> Iterator[Section]:
    """The sections of a PID in order (2.4.4); a continuity loss drops what was begun."""
    pending = b""
    last_cc = -1
    for index in packets.of(pid):
        if not packets.has_payload[index] or packets.scrambling[index] or packets.tei[index]:
            continue
        cc = int(packets.cc[index])
        if cc == last_cc:
            continue
        if last_cc >= 0 and cc != (last_cc + 1) & 15:
            pending = b""
        last_cc = cc
        payload = packets.payload(index)
        if packets.pusi[index]:
            pointer = payload[0]
            if pending:
                yield from _complete(pending + payload[1 : 1 + pointer], int(index))[0]
            pending = payload[1 + pointer :]
        elif pending:
            pending += payload
        whole, pending = _complete(pending, int(index))
        yield from whole


def _complete(data: bytes, packet: int) -> tuple[list[Section], bytes]:
    whole = []
    while len(data) >= 3 and data[0] != 0xFF:
        length = 3 + ((data[1] & 0x0F) << 8 | data[2])
        if length < 12 or len(data) < length:
            break
        whole.append(Section(packet, data[:length]))
        data = data[length:]
    return whole, b"" if data[:1] == b"\xff" else data


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


_CRC_TABLE = _crc_table()


def crc32(data: bytes) -> int:
    """CRC of annex A; 0 over a section that carries its own."""
    value = 0xFFFFFFFF
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC_TABLE[value >> 24 ^ byte]
    return value


@dataclass(frozen=True)
class Stream:
    """An entry of a PMT."""

    stream_type: int
    pid: int
    descriptors: bytes

    def descriptor(self, tag: int) -> bytes | None:
        """The first descriptor with this tag."""
        return next((body for found, body in self.all_descriptors() if found == tag), None)

    def all_descriptors(self) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at + 2 <= len(self.descriptors):
            length = self.descriptors[at + 1]
            yield self.descriptors[at], self.descriptors[at + 2 : at + 2 + length]
            at += 2 + length


@dataclass(frozen=True)
class Pmt:
    """A program map section, read."""

    section: Section
    program: int
    pcr_pid: int
    streams: list[Stream]


def read_pmt(section: Section) -> Pmt:
    """Reads a section with table_id 2 (2.4.4.8)."""
    data = section.data
    at = 12 + ((data[10] & 0x0F) << 8 | data[11])
    streams = []
    while at + 5 <= len(data) - 4:
        length = (data[at + 3] & 0x0F) << 8 | data[at + 4]
        pid = (data[at + 1] & 0x1F) << 8 | data[at + 2]
        streams.append(Stream(data[at], pid, data[at + 5 : at + 5 + length]))
        at += 5 + length
    pcr_pid = (data[8] & 0x1F) << 8 | data[9]
    return Pmt(section, section.extension, pcr_pid, streams)


def read_pat(section: Section) -> dict[int, int]:
    """Program number to PMT PID (2.4.4.3), without the network PID."""
    body = section.data[8:-4]
    entries = (body[at : at + 4] for at in range(0, len(body) - 3, 4))
    pairs = {e[0] << 8 | e[1]: (e[2] & 0x1F) << 8 | e[3] for e in entries}
    return {program: pid for program, pid in pairs.items() if program}


def pats(packets: Packets) -> list[tuple[Section, dict[int, int]]]:
    """Every good PAT section."""
    found = (s for s in sections(packets, 0) if s.table_id == 0 and s.crc_holds)
    return [(section, read_pat(section)) for section in found]


def pmts(packets: Packets) -> list[Pmt]:
    """Every good PMT section of every program that a PAT ever named, in packet order."""
    named = {(number, pid) for _, pat in pats(packets) for number, pid in pat.items()}
    found = []
    for pid in sorted({pid for _, pid in named}):
        good = (s for s in sections(packets, pid) if s.table_id == 2 and s.crc_holds)
        found += [read_pmt(s) for s in good if (s.extension, pid) in named]
    return sorted(found, key=lambda pmt: pmt.section.packet)


@dataclass
class Pes:
    """A PES packet: where it begins, its header's facts, its payload by TS packet."""

    packet: int
    stream_id: int
    length: int
    aligned: bool
    pts_90k: int | None
    dts_90k: int | None
    payload: list[tuple[int, bytes]] = field(default_factory=list)
    after_loss: bool = False
    """A continuity loss lies between the previous PES packet's start and this one."""
    header_bytes: int = 0

    @property
    def data(self) -> bytes:
        return b"".join(chunk for _, chunk in self.payload)


def pes_packets(packets: Packets, pid: int) -> list[Pes]:
    """The clear PES packets of a PID (2.4.3.6); duplicates of packets are left out."""
    found: list[Pes] = []
    last_cc = -1
    lost = False
    for index in (int(i) for i in packets.of(pid)):
        if not packets.has_payload[index] or packets.tei[index]:
            continue
        cc = int(packets.cc[index])
        if cc == last_cc:
            continue
        if last_cc >= 0 and cc != (last_cc + 1) & 15:
            lost = True
        last_cc = cc
        if packets.scrambling[index]:
            lost = True
            continue
        payload = packets.payload(index)
        if packets.pusi[index]:
            pes = _read_pes(index, payload)
            if pes is not None:
                pes.after_loss, lost = lost, False
                found.append(pes)
            else:
                lost = True
        elif found and not lost:
            found[-1].payload.append((index, payload))
    return found


def _read_pes(index: int, payload: bytes) -> Pes | None:
    if payload[:3] != b"\x00\x00\x01" or len(payload) < 9:
        return None
    if payload[6] >> 6 != 2:
        return None
    body = 9 + payload[8]
    flags = payload[7] >> 6
    pts = _timestamp(payload[9:14]) if flags & 2 and len(payload) >= 14 else None
    dts = _timestamp(payload[14:19]) if flags == 3 and len(payload) >= 19 else None
    return Pes(
        packet=index,
        stream_id=payload[3],
        length=payload[4] << 8 | payload[5],
        aligned=bool(payload[6] & 4),
        pts_90k=pts,
        dts_90k=dts,
        payload=[(index, payload[body:])],
        header_bytes=body,
    )


def _timestamp(five: bytes) -> int:
    return (
        (five[0] >> 1 & 7) << 30 | five[1] << 22 | five[2] >> 1 << 15 | five[3] << 7 | five[4] >> 1
    )


class Clock:
    """The time at which a packet arrives, by the PCRs of one PID (2.4.2.2).

    Between two PCRs the rate is constant; before the first and after the last, and
    across a jump, the nearest good rate goes on.
    """

    MAX_STEP_27M = 27_000_000

    def __init__(self, packets: Packets, pcr_pid: int) -> None:
        at = np.flatnonzero((packets.pid == pcr_pid) & (packets.pcr_27m >= 0) & (packets.tei == 0))
        self.positions = at
        self.values_27m = packets.pcr_27m[at]
        steps = np.diff(self.values_27m)
        half = PCR_MODULUS // 2
        self.steps_27m = (steps + half) % PCR_MODULUS - half
        marked = packets.discontinuity[at[1:]] == 1
        sound = (self.steps_27m > 0) & (self.steps_27m < self.MAX_STEP_27M) & ~marked
        rates = np.where(sound, self.steps_27m / np.maximum(np.diff(at), 1), np.nan)
        self.usable = bool(sound.any())
        if self.usable:
            fallback = float(np.nanmedian(rates))
            self._rates = np.where(sound, rates, fallback)

    def at_27m(self, packet: int) -> float:
        """PCR time of the last byte of a packet; wraps as the PCR does."""
        section = int(np.searchsorted(self.positions, packet, side="right")) - 1
        index = min(max(section, 0), len(self._rates) - 1)
        base = max(section, 0)
        elapsed = (packet - self.positions[base]) * self._rates[index]
        return float((self.values_27m[base] + elapsed) % PCR_MODULUS)

    def elapsed_s(self, packets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Stream time of packets in seconds since the first PCR, jumps taken out."""
        sound = self._rates * np.diff(self.positions)
        total = np.concatenate(([0.0], np.cumsum(sound)))
        section = np.searchsorted(self.positions, packets, side="right") - 1
        base = np.maximum(section, 0)
        rate = self._rates[np.minimum(base, len(self._rates) - 1)]
        elapsed = total[base] + (packets - self.positions[base]) * rate
        return np.asarray(elapsed / 27e6, np.float64)

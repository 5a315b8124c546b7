"""What networks, recorders and fuzzers do to the packets of a stream."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from tests.oracle.transport import PACKET_BYTES, Packets
from tests.remux.broadcast import scrambled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

REED_SOLOMON_BYTES = 16
_PSI_BYTES_BEFORE_CRC = 20


def all_scrambled(stream: bytes, pids: Iterable[int]) -> bytes:
    """Scramble the payload of these PIDs from beginning to end."""
    for pid in pids:
        stream = scrambled(stream, 0, 1, pid)
    return stream


def without_packets(stream: bytes, lost: Iterable[int]) -> bytes:
    """Lose packets by their number."""
    return bytes(np.delete(Packets(stream).rows, list(lost), axis=0).tobytes())


def without_pids(stream: bytes, pids: Iterable[int]) -> bytes:
    """Lose every packet of these PIDs."""
    packets = Packets(stream)
    return bytes(packets.rows[~np.isin(packets.pid, list(pids))].tobytes())


def nth_of(stream: bytes, pid: int, number: int) -> int:
    """Return which packet of the stream is the `number`th with payload of a PID."""
    packets = Packets(stream)
    return int([i for i in packets.of(pid) if packets.has_payload[i]][number])


def tables_at(stream: bytes, tables: set[int], places: list[float]) -> bytes:
    """Keep of the tables those alone that come first behind each place; places count from 0
    to 1. Their continuity counters count on."""
    packets = Packets(stream)
    rows = packets.rows.copy()
    keep = np.ones(len(packets), bool)
    for pid in tables:
        at = packets.of(pid)
        first = [next(i for i in at if i >= place * len(packets)) for place in places]
        keep[at] = False
        keep[first] = True
        for count, index in enumerate(first):
            rows[index, 3] = rows[index, 3] & 0xF0 | count & 15
    return bytes(rows[keep].tobytes())


def without_clock(stream: bytes, pid: int, start: float, end: float) -> bytes:
    """Leave the PCRs of a PID out between two places."""
    packets = Packets(stream)
    number = np.arange(len(packets)) / len(packets)
    gone = (packets.pid == pid) & (packets.pcr_27m >= 0) & (number >= start) & (number < end)
    return bytes(packets.rows[~gone].tobytes())


def fuzzed(stream: bytes, lost: int, errors: int, clocks: int, seed: int = 1) -> bytes:
    """Lose packets, set transport_error_indicator over spoilt bytes, and write PCRs that are
    none into others."""
    rng = random.Random(seed)
    rows = Packets(stream).rows.copy()
    chosen = rng.sample(range(1, len(rows)), lost + errors + clocks)
    for index in chosen[:errors]:
        rows[index, 1] |= 0x80
        _spoil(rows[index], rng)
    for index in chosen[errors : errors + clocks]:
        rows[index, 3] |= 0x20
        rows[index, 4:12] = list(b"\x07\x10" + rng.randbytes(6))
    return np.delete(rows, chosen[errors + clocks :], axis=0).tobytes()


def _spoil(row: NDArray[np.uint8], rng: random.Random) -> None:
    for _ in range(8):
        row[rng.randrange(4, PACKET_BYTES)] ^= 1 << rng.randrange(8)


def with_bad_sections(stream: bytes, pid: int) -> bytes:
    """Spoil a byte of each section of a PID, so that no CRC holds."""
    packets = Packets(stream)
    rows = packets.rows.copy()
    for index in packets.of(pid):
        if packets.pusi[index]:
            rows[index, _PSI_BYTES_BEFORE_CRC] ^= 0xFF
    return rows.tobytes()


def falsely_scrambled(stream: bytes, pids: Iterable[int], share: float, seed: int = 1) -> bytes:
    """Set transport_scrambling_control of clear packets."""
    rng = random.Random(seed)
    packets = Packets(stream)
    rows = packets.rows.copy()
    for index in np.flatnonzero(np.isin(packets.pid, list(pids))):
        if rng.random() < share:
            rows[index, 3] |= 0x80
    return rows.tobytes()


def with_reed_solomon(stream: bytes) -> bytes:
    """Put 16 bytes behind each packet, as 204-byte packets have them."""
    rng = random.Random(204)
    packets = (stream[at : at + PACKET_BYTES] for at in range(0, len(stream), PACKET_BYTES))
    return b"".join(packet + rng.randbytes(REED_SOLOMON_BYTES) for packet in packets)


def out_of_step(stream: bytes, places: list[float]) -> bytes:
    """Lose half a packet at each place, or put bytes in its stead."""
    rng = random.Random(47)
    for number, place in enumerate(sorted(places, reverse=True)):
        at = round(len(stream) // PACKET_BYTES * place) * PACKET_BYTES
        more = rng.randbytes(90).replace(b"\x47", b"\x00") if number % 2 else b""
        stream = stream[:at] + more + stream[at + 94 :]
    return stream

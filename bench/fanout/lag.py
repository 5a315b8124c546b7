"""How far behind the broadcast a viewer is, by the clock (PCR) in the bytes that they have."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKET_BYTES: Final = 188
PCR_HZ: Final = 27_000_000
_LOOKED_AT: Final = 400
"""Packets: 60 ms of 10 Mbit/s, and a PCR comes each 40 ms at least."""


def newest_pcr_s(data: memoryview, first_packet: int) -> float | None:
    """Return the newest PCR, in seconds, in packets of which the first begins at that offset.

    None when the last `_LOOKED_AT` of them have none. Raises ValueError when they are no packets.
    """
    count = (len(data) - first_packet) // PACKET_BYTES
    skipped = max(count - _LOOKED_AT, 0)
    if count <= 0:
        return None
    begin = first_packet + skipped * PACKET_BYTES
    flat = np.frombuffer(data, np.uint8, (count - skipped) * PACKET_BYTES, begin)
    rows = flat.reshape(-1, PACKET_BYTES)
    if (rows[:, 0] != 0x47).any():
        raise ValueError("the stream is out of step with its packets")
    has_pcr = (rows[:, 3] & 0x20 != 0) & (rows[:, 4] >= 7) & (rows[:, 5] & 0x10 != 0)
    found = np.flatnonzero(has_pcr)
    if not found.size:
        return None
    at = begin + int(found[-1]) * PACKET_BYTES
    pcr = int.from_bytes(data[at + 6 : at + 12], "big")
    return ((pcr >> 15) * 300 + (pcr & 0x1FF)) / PCR_HZ


@dataclass
class Broadcast:
    """What is known of a channel: when, at the earliest, each moment of it was here.

    Lag is counted from there. It is that of a viewer whom nothing has ever delayed but what delays
    all of them always, and rises for all when the daemon falls behind. Clocks that wrap (each 26.5
    hours) are not followed.
    """

    earliest_s: float = math.inf

    def arrived(self, pcr_s: float, now_s: float) -> None:
        """Bytes with this clock are here."""
        self.earliest_s = min(self.earliest_s, now_s - pcr_s)

    def lag_s(self, pcr_s: float, now_s: float) -> float:
        """How far behind the broadcast somebody is who has no newer clock than this."""
        return now_s - pcr_s - self.earliest_s


@dataclass
class Distribution:
    """Of values in seconds."""

    values: list[float] = field(default_factory=list)

    def percentiles(self, wanted: Iterable[float] = (50, 95, 99, 100)) -> list[float]:
        """Return the 50th, 95th, 99th and 100th percentile; an empty list without values."""
        if not self.values:
            return []
        return [float(value) for value in np.percentile(self.values, list(wanted))]

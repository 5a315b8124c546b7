"""The audio part of the system target decoder (ISO/IEC 13818-1, 2.4.2): does each
access unit arrive before its PTS, and does it fit in the decoder's buffers?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tests.oracle.transport import PCR_MODULUS, PTS_MODULUS, Clock, Packets, signed

if TYPE_CHECKING:
    from tests.oracle.access_unit import AccessUnit

TRANSPORT_BUFFER_BYTES = 512
MAX_STAY_S = 1.0
UNRELATED_S = 10.0
"""A PTS this far from the PCR has nothing to do with it; some services send such."""


@dataclass(frozen=True)
class Buffer:
    """Leak rate of the transport buffer and size of the main buffer."""

    rate_bps: float
    bytes: int


AAC_STEREO = Buffer(2e6, 3584)
AAC_SURROUND = Buffer(5.5296e6, 8976)
BUFFERS = {"mp2": Buffer(2e6, 3584), "ac3": Buffer(2e6, 5696), "aac": AAC_STEREO}


def buffer_for(codec: str, units: list[AccessUnit]) -> Buffer:
    """The decoder buffer that a track of this codec may use."""
    if codec == "aac" and units:
        channels = (units[0].data[2] & 1) << 2 | units[0].data[3] >> 6
        return AAC_SURROUND if channels > 2 else AAC_STEREO
    return BUFFERS.get(codec, AAC_SURROUND)


@dataclass
class BufferReport:
    """What the model saw of one PID."""

    late: int = 0
    """Access units not whole in the main buffer at their PTS."""
    overflow: int = 0
    """Access units whose arrival found the main buffer too full."""
    transport_overflow: int = 0
    """Packets that found the transport buffer too full."""
    stay: int = 0
    """Access units whose first byte waits more than a second."""
    unrelated: int = 0
    """Access units whose PTS is not on the PCR's time line; not judged."""
    leads_ms: list[float] = field(default_factory=list)
    """Time from arrival of a unit's last packet to its PTS, by the PCR."""

    def errors(self) -> int:
        return self.late + self.overflow + self.transport_overflow + self.stay

    def leads_outside(self, low_ms: float, high_ms: float) -> int:
        """How many leads are not in the given range."""
        return sum(not low_ms <= lead <= high_ms for lead in self.leads_ms)


def model(
    packets: Packets, clock: Clock, pid: int, units: list[AccessUnit], buffer: Buffer
) -> BufferReport:
    """Runs one PID through the transport buffer and the main buffer. Units outside of the first and
    the last PCR are not judged: only between two PCRs is it known when a packet arrives (2.4.2.2),
    and a stream that is cut anywhere would be blamed for the place of the cut."""
    report = BufferReport()
    if not clock.usable or not units:
        return report
    indices = packets.of(pid)
    arrival_s = clock.elapsed_s(indices)
    leave_s, report.transport_overflow = _transport_buffer(arrival_s, buffer.rate_bps)
    leaves = dict(zip(indices.tolist(), leave_s.tolist(), strict=True))
    arrives = dict(zip(indices.tolist(), arrival_s.tolist(), strict=True))
    waiting: list[tuple[float, int]] = []
    first, last = clock.positions[0], clock.positions[-1]
    for unit in units:
        if unit.first_packet < first or unit.last_packet > last:
            continue
        pcr_90k = clock.at_27m(unit.last_packet) / 300
        lead_s = signed(round(unit.pts_90k - pcr_90k), PTS_MODULUS) / 90_000
        if abs(lead_s) > UNRELATED_S:
            report.unrelated += 1
            continue
        report.leads_ms.append(lead_s * 1000)
        presented_s = arrives[unit.last_packet] + lead_s
        complete_s = leaves[unit.last_packet]
        report.late += complete_s > presented_s
        report.stay += presented_s - leaves[unit.first_packet] > MAX_STAY_S
        waiting = [entry for entry in waiting if entry[0] > complete_s]
        waiting.append((presented_s, len(unit.data)))
        report.overflow += sum(size for _, size in waiting) > buffer.bytes
    return report


def _transport_buffer(
    arrival_s: np.ndarray[tuple[int], np.dtype[np.float64]], rate_bps: float
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], int]:
    """When each packet has left, and how many did not fit on arrival."""
    drain_s = 188 * 8 / rate_bps
    leave = np.empty_like(arrival_s)
    overflow = 0
    empty_at = -np.inf
    for index, arrived in enumerate(arrival_s):
        backlog_bytes = max(0.0, empty_at - arrived) * rate_bps / 8 + 188
        overflow += bool(backlog_bytes > TRANSPORT_BUFFER_BYTES)
        empty_at = max(arrived, empty_at) + drain_s
        leave[index] = empty_at
    return leave, overflow


def pcr_distance_ms(later_27m: int, earlier_27m: int) -> float:
    """Signed distance of two PCR values."""
    return signed(later_27m - earlier_27m, PCR_MODULUS) / 27_000

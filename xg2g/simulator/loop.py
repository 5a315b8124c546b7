"""An endless broadcast, made of a short recording.

Each round of the loop repeats the recording, with PCR, PTS and DTS advanced by one period: the
clock continues through the joint and through the 33-bit wrap. Continuity counters continue as
well. Faults inside the recording (losses, jumps) are kept.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from xg2g.simulator.transport import (
    NULL_PID,
    PACKET_SIZE,
    PCR_HZ,
    PCR_MODULUS,
    encode_pcr,
    encode_stamp,
    read_pcr,
    read_stamp,
    stamp_offsets,
)


class Loop:
    """The packets of one service, repeated endlessly; positions count from the first round.

    `packets` is a multiple of 188 bytes and not empty; the PCR on `pcr_pid` is the clock.
    """

    def __init__(self, packets: bytes, pcr_pid: int) -> None:
        self._packets = packets
        self._count = len(packets) // PACKET_SIZE
        self._timetable = timetable(packets, pcr_pid)
        self._sites = _stamp_sites(packets)
        self._steps = _counter_steps(packets)
        self._flags: dict[int, bytes] = {}

    @property
    def duration_s(self) -> float:
        """Return the duration of a round."""
        return self._timetable.duration_s

    def packet_at(self, position_s: float) -> int:
        """Return the number of packets sent before `position_s`, from the first round on."""
        rounds = int(position_s // self.duration_s)
        inside_s = position_s - rounds * self.duration_s
        return rounds * self._count + bisect_left(self._timetable.due_s, inside_s)

    def clock_at(self, position_s: float) -> int:
        """Return the PCR (27 MHz) of a position in a recording without jumps."""
        rounds = int(position_s // self.duration_s)
        inside_s = position_s - rounds * self.duration_s
        pcr_27m = (
            self._timetable.first_pcr_27m
            + rounds * self._timetable.period_27m
            + round(inside_s * PCR_HZ)
        )
        return pcr_27m % PCR_MODULUS

    def read(self, first: int, end: int, shift_27m: int = 0) -> bytes:
        """Return packets `first` up to but not including `end`, stamped for their rounds.

        `shift_27m` is added to every PCR, PTS and DTS.
        """
        out = bytearray()
        while first < end:
            turn, start = divmod(first, self._count)
            stop = min(self._count, start + end - first)
            out += self._stamped(turn, start, stop, shift_27m)
            first += stop - start
        return bytes(out)

    def _stamped(self, turn: int, start: int, stop: int, shift_27m: int) -> bytearray:
        origin = start * PACKET_SIZE
        block = bytearray(self._packets[origin : stop * PACKET_SIZE])
        block[3::PACKET_SIZE] = self._counters(turn)[start:stop]
        shift_27m += turn * self._timetable.period_27m
        # Derived from the whole shift, so that rounding never adds up over the rounds.
        shift_90k = shift_27m // 300
        low = bisect_left(self._sites, origin)
        for site in self._sites[low : bisect_right(self._sites, stop * PACKET_SIZE - 1)]:
            packet_at = site - site % PACKET_SIZE
            if site == packet_at:
                pcr = read_pcr(self._packets, packet_at)
                if pcr is not None:
                    at = packet_at + 6 - origin
                    block[at : at + 6] = encode_pcr(pcr + shift_27m)
            else:
                stamp = read_stamp(self._packets, site)
                if stamp is not None:
                    prefix = self._packets[site] >> 4
                    at = site - origin
                    block[at : at + 5] = encode_stamp(prefix, stamp + shift_90k)
        return block

    def _counters(self, turn: int) -> bytes:
        """Return byte 3 of every packet of this round; it repeats every 16 rounds."""
        turn %= 16
        if turn not in self._flags:
            column = bytearray(self._packets[3::PACKET_SIZE])
            for i, (pid, flags) in enumerate(zip(pids(self._packets), column, strict=True)):
                column[i] = flags & 0xF0 | (flags + turn * self._steps[pid]) & 0x0F
            self._flags[turn] = bytes(column)
        return self._flags[turn]


def _stamp_sites(packets: bytes) -> array[int]:
    """Return the ascending offsets to restamp: of packets with a PCR, and of PTS and DTS fields."""
    sites = array("Q")
    for start in range(0, len(packets), PACKET_SIZE):
        if read_pcr(packets, start) is not None:
            sites.append(start)
        sites.extend(stamp_offsets(packets, start))
    return sites


def _counter_steps(packets: bytes) -> list[int]:
    """Return by how much each PID's continuity counter advances in one round."""
    first: dict[int, tuple[int, int]] = {}
    last: dict[int, int] = {}
    for pid, flags in zip(pids(packets), packets[3::PACKET_SIZE], strict=True):
        first.setdefault(pid, (flags & 0x0F, flags >> 4 & 1))
        last[pid] = flags & 0x0F
    steps = [0] * (NULL_PID + 1)
    for pid, (counter, has_payload) in first.items():
        steps[pid] = (last[pid] + has_payload - counter) & 0x0F
    return steps


# H.222.0 wants a PCR each 100 ms; a longer step in a recording is a jump of the clock or a gap.
_MAX_STEP_27M = PCR_HZ
_PACKET_BITS = PACKET_SIZE * 8
# No transponder carries more; a clock that says so is damaged, and believing it would mean to send
# the recording in no time.
_MAX_BITRATE = 400_000_000
# Recordings without a usable clock are played at this rate.
_DEFAULT_BITRATE = 2_000_000
_DEFAULT_STEP_27M = PCR_HZ // 25


@dataclass(frozen=True)
class Timetable:
    """When packets are sent: `due_s` of each packet from the first one on, `duration_s` of a round.

    A clock that starts at `first_pcr_27m` advances by `period_27m` in a round, jumps included.
    """

    due_s: array[float]
    duration_s: float
    first_pcr_27m: int
    period_27m: int


def pids(packets: bytes) -> array[int]:
    """Return the PID of each packet."""
    high, low = packets[1::PACKET_SIZE], packets[2::PACKET_SIZE]
    return array("H", ((h << 8 | lo) & NULL_PID for h, lo in zip(high, low, strict=True)))


def timetable(packets: bytes, pcr_pid: int) -> Timetable:
    """Return the timetable by the PCR on `pcr_pid`, or on another PID if it has none.

    Packets between two PCRs have equal distances, also between the last PCR and the first one of
    the next round. Where the clock jumps, packets have the mean distance.
    """
    count = len(packets) // PACKET_SIZE
    clock = _clock(packets, pcr_pid)
    steps = [(j - i, (b - a) % PCR_MODULUS) for (i, a), (j, b) in pairwise(clock)]
    timed = [(sent, step) for sent, step in steps if _plausible(sent, step)]
    mean_27m = _PACKET_BITS * PCR_HZ / _DEFAULT_BITRATE
    if timed:
        mean_27m = sum(step for _, step in timed) / sum(sent for sent, _ in timed)
    usual_27m = median_low([step for _, step in timed] or [_DEFAULT_STEP_27M])

    head, tail = (clock[0][0], count - clock[-1][0]) if clock else (count, 0)
    joint_27m = usual_27m
    if not timed or not _plausible(head + tail, usual_27m):
        joint_27m = round(mean_27m * (head + tail))
    head_27m = joint_27m * head // (head + tail)
    spans = [
        (sent, step if _plausible(sent, step) else round(mean_27m * sent)) for sent, step in steps
    ]
    due_s = array("d")
    now_27m = 0
    for sent, lasts_27m in [(head, head_27m), *spans, (tail, joint_27m - head_27m)]:
        due_s.extend((now_27m + i * lasts_27m / sent) / PCR_HZ for i in range(sent))
        now_27m += lasts_27m

    if not clock:
        return Timetable(due_s, now_27m / PCR_HZ, 0, now_27m)
    first, last = clock[0][1], clock[-1][1]
    return Timetable(due_s, now_27m / PCR_HZ, first, (last - first + usual_27m) % PCR_MODULUS)


def _plausible(sent: int, step_27m: int) -> bool:
    """Return True when `sent` packets can be sent between two PCRs that are `step_27m` apart."""
    least_27m = sent * _PACKET_BITS * PCR_HZ / _MAX_BITRATE
    return least_27m <= step_27m <= _MAX_STEP_27M


def _clock(packets: bytes, pcr_pid: int) -> list[tuple[int, int]]:
    """Return packet numbers and PCRs, in order."""
    by_pid: dict[int, list[tuple[int, int]]] = {}
    for i, pid in enumerate(pids(packets)):
        pcr = read_pcr(packets, i * PACKET_SIZE)
        if pcr is not None:
            by_pid.setdefault(pid, []).append((i, pcr))
    return by_pid.get(pcr_pid) or max(by_pid.values(), key=len, default=[])

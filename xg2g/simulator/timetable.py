"""When each packet of a recording is sent, by the clock that is in it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from xg2g.simulator.transport import NULL_PID, PACKET_SIZE, PCR_HZ, PCR_MODULUS, read_pcr

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
    """`due_s` says when each packet is sent, counted from the first; `duration_s` when the next
    round begins. `period_27m` is what a clock that begins at `first_pcr_27m` moves on by then,
    jumps inside the recording included.
    """

    due_s: array[float]
    duration_s: float
    first_pcr_27m: int
    period_27m: int


def pids(packets: bytes) -> array[int]:
    """The PID of each packet."""
    high, low = packets[1::PACKET_SIZE], packets[2::PACKET_SIZE]
    return array("H", ((h << 8 | lo) & NULL_PID for h, lo in zip(high, low, strict=True)))


def timetable(packets: bytes, pcr_pid: int) -> Timetable:
    """The timetable by the PCR on `pcr_pid`, or on another PID if that has none.

    Between two PCRs packets are equally far apart, also between the last one and the first of the
    next round. Where the clock jumps, the mean packet distance of the rest holds.
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
    """Whether so many packets may be sent in the time between two PCRs."""
    least_27m = sent * _PACKET_BITS * PCR_HZ / _MAX_BITRATE
    return least_27m <= step_27m <= _MAX_STEP_27M


def _clock(packets: bytes, pcr_pid: int) -> list[tuple[int, int]]:
    """Packet number and PCR, in order."""
    by_pid: dict[int, list[tuple[int, int]]] = {}
    for i, pid in enumerate(pids(packets)):
        pcr = read_pcr(packets, i * PACKET_SIZE)
        if pcr is not None:
            by_pid.setdefault(pid, []).append((i, pcr))
    return by_pid.get(pcr_pid) or max(by_pid.values(), key=len, default=[])

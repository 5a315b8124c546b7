"""The parts of services: PMT entries, pictures, subtitles, teletext and tracks of a multiplex."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.oracle.multiplexer import Coded, Multiplexer, pes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOUR_S = 3600.0


def track(
    mux: Multiplexer,
    pid: int,
    units: Iterable[Coded],
    stream_id: int = 0xC0,
    late_s: float = 0.0,
    start_s: float = 0.0,
) -> None:
    """Send a PES packet a unit, with time stamps that are `late_s` beside the clock."""
    for unit in units:
        heard_s = start_s + unit.at_s
        pts_90k = mux.base_27m // 300 + round((heard_s + late_s) * 90_000)
        due_s = heard_s - 0.04 - len(unit.data) * 8 / 1_500_000
        if due_s >= 0:
            mux.add_payload(pid, pes(unit.data, pts_90k, stream_id), due_s)


def pictures(mux: Multiplexer, pid: int, seconds: float, size: int = 1500) -> None:
    """Send what stands for pictures: noise, 25 a second."""
    noise = random.Random(pid)
    units = [Coded(0.5 + n / 25, noise.randbytes(size)) for n in range(round(seconds * 25))]
    for unit in units:
        pts_90k = mux.base_27m // 300 + round(unit.at_s * 90_000)
        mux.add_payload(pid, pes(unit.data, pts_90k, 0xE0), unit.at_s - 0.45)


def teletext_unit(number: int) -> bytes:
    """Return data units of teletext (ETSI EN 300 472, 4.3)."""
    unit = b"\x02\x2c\xe7\xe4" + random.Random(number).randbytes(42)
    return b"\x10" + unit * 3


def subtitle_unit(number: int) -> bytes:
    """Return a page without regions and its end (ETSI EN 300 743, 7.2)."""
    page = b"\x0f\x10\x00\x01\x00\x02\x0f" + bytes([number << 4 & 0xF0])
    return b"\x20\x00" + page + b"\x0f\x80\x00\x01\x00\x00\xff"


def texts(
    mux: Multiplexer,
    pid: int,
    seconds: float,
    make: Callable[[int], bytes],
    step_s: float = 0.1,
    late_s: float = 0.0,
) -> None:
    """Send teletext or subtitles."""
    for number in range(round(seconds / step_s)):
        at_s = 0.05 + number * step_s
        pts_90k = mux.base_27m // 300 + round((at_s + 0.3 + late_s) * 90_000)
        mux.add_payload(pid, pes(make(number), pts_90k, 0xBD), at_s)

"""The streams that are damaged: made here for each codec, and captures where there are any."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.oracle.multiplexer import Coded, Entry, Multiplexer, Program, encode, language, sound
from tests.oracle.transport import Packets, pmts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS: Final = 5.0
EDGE: Final = 0.25
"""Packets in the first and last quarter are never lost: only the middle is judged."""
_DATA, _AUDIO, _PMT = 0x101, 0x102, 0x100


@dataclass(frozen=True)
class Stream:
    """A clean stream and the PID of the sound that is looked at."""

    name: str
    pid: int
    data: bytes = field(repr=False)

    def with_loss(self, tries: int, packets: int) -> Iterator[bytes]:
        """Copies that each lack some packets of the PID in a row, at random places."""
        packets_in = Packets(self.data)
        rows, places = packets_in.rows, np.flatnonzero(packets_in.pid == self.pid)
        inner = range(round(len(places) * EDGE), round(len(places) * (1 - EDGE)) - packets + 1)
        rng = random.Random(self.name)
        for first in sorted(rng.sample(inner, min(tries, len(inner)))):
            kept = np.delete(rows, places[first : first + packets], axis=0)
            yield kept.tobytes()


@dataclass(frozen=True)
class _Recipe:
    name: str
    codec: str
    stream_type: int
    units_per_pes: int = 1
    channels: int = 2
    rate_hz: int = 48_000


_RECIPES: Final = (
    _Recipe("MP2, a frame a PES", "mp2", 0x03),
    _Recipe("MP2, five frames a PES", "mp2", 0x03, 5),
    _Recipe("MP2 at 44.1 kHz", "mp2", 0x03, 4, rate_hz=44_100),
    _Recipe("AC-3 stereo", "ac3", 0x81, 1),
    _Recipe("AC-3 5.1, two frames a PES", "ac3", 0x81, 2, 6),
    _Recipe("E-AC-3 stereo", "eac3", 0x87, 1),
    _Recipe("E-AC-3, three frames a PES", "eac3", 0x87, 3),
    _Recipe("AAC in LATM", "aac_latm", 0x11),
    _Recipe("AAC in ADTS (passes)", "aac", 0x0F, 2),
)


def made() -> Iterator[Stream]:
    """A service with data and one sound track for each codec."""
    for recipe in _RECIPES:
        samples = sound(SECONDS, recipe.channels, recipe.rate_hz)
        units: list[Coded] = encode(recipe.codec, samples, recipe.rate_hz)
        audio = Entry(recipe.stream_type, _AUDIO, language("deu"))
        program = Program(7, _PMT, _DATA, (Entry(0x06, _DATA), audio))
        mux = Multiplexer([program], rate_bps=2e6, video_pid=_DATA)
        mux.add(_AUDIO, units, units_per_pes=recipe.units_per_pes)
        mux.run(SECONDS)
        yield Stream(recipe.name, _AUDIO, mux.output())


def captured(folder: Path) -> Iterator[Stream]:
    """Each PID of each capture that a PMT declares; sound or not."""
    for path in sorted(folder.glob("*.ts")):
        data = path.read_bytes()
        pids = sorted({stream.pid for pmt in pmts(Packets(data)) for stream in pmt.streams})
        for pid in pids:
            yield Stream(path.stem, pid, data)

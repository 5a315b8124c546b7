"""Lost packets: what was lost is missing, what arrived is heard at its time, without a click."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from tests.harness.remuxer import remux
from tests.oracle.access_unit import AccessUnit, access_units
from tests.oracle.audio_sync import decode_track
from tests.oracle.hearing import Heard, hear, missing_ms
from tests.oracle.multiplexer import Entry, Multiplexer, Program, encode, language
from tests.oracle.transport import Packets
from tests.remux.broadcast import AUDIO, PMT, STREAM_TYPES, VIDEO, coded
from tests.remux.stand_ins.elementary import astride

SECONDS = 5.0
BLOCK_MS = 5.0
"""What is missing is counted in blocks of this."""


@dataclass(frozen=True)
class Service:
    """A clean stream, and what is heard of it."""

    source: bytes = field(repr=False)
    units: list[AccessUnit] = field(repr=False)
    clean: Heard = field(repr=False)
    unit_ms: float

    @property
    def packets(self) -> Packets:
        return Packets(self.source)

    def hit_by(self, lost: list[int]) -> int:
        """How many access units have bytes in these packets."""
        return sum(
            any(unit.first_packet <= packet <= unit.last_packet for packet in lost)
            for unit in self.units
        )

    def missing_ms(self, lost: list[int]) -> float:
        """What the remuxer's output lacks when these packets do not arrive."""
        damaged = np.delete(self.packets.rows, lost, axis=0).tobytes()
        return missing_ms(self.clean, hear(remux(damaged).output, AUDIO))


@cache
def service(codec: str, units_per_pes: int, aligned: bool, rate_hz: int = 48_000) -> Service:
    units = list(coded(codec, SECONDS, 2, rate_hz))
    audio = Entry(STREAM_TYPES[codec], AUDIO, language("deu"))
    mux = Multiplexer(
        [Program(7, PMT, VIDEO, (Entry(0x06, VIDEO), audio))], rate_bps=2e6, video_pid=VIDEO
    )
    mux.add(AUDIO, units if aligned else astride(units), units_per_pes=units_per_pes)
    mux.run(SECONDS)
    source = mux.output()
    found = access_units(Packets(source), AUDIO, {"eac3": "ac3"}.get(codec, codec))
    clean = hear(remux(source).output, AUDIO)
    assert clean is not None
    step_s = float(np.median(np.diff([unit.at_s for unit in units])))
    return Service(source, found, clean, step_s * 1000)


PACKINGS = [
    ("mp2", 1, True), ("mp2", 5, True), ("mp2", 1, False), ("ac3", 1, True), ("ac3", 2, False),
    ("eac3", 3, True), ("aac_latm", 1, True),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "units_per_pes", "aligned"), PACKINGS)
def test_a_lost_packet_costs_the_units_that_it_hit_and_at_most_one_more(
    codec: str, units_per_pes: int, aligned: bool
) -> None:
    """Wherever in its PES packet it stood: at the start, in the middle, at the end."""
    tape = service(codec, units_per_pes, aligned)
    places = tape.packets.of(AUDIO)
    middle = len(places) // 2
    for place in places[middle : middle + 16]:
        lost = [int(place)]
        most_ms = (tape.hit_by(lost) + 1) * tape.unit_ms + BLOCK_MS
        assert tape.missing_ms(lost) <= most_ms, (place, tape.hit_by(lost))


@pytest.mark.parametrize("count", [2, 5, 16, 17, 40])
@pytest.mark.parametrize("codec", ["mp2", "eac3"])
def test_a_burst_costs_the_units_that_it_hit_and_at_most_one_more(codec: str, count: int) -> None:
    """The continuity counter alone cannot tell 16 packets from none."""
    tape = service(codec, 3, True)
    places = tape.packets.of(AUDIO)
    for first in (len(places) // 3, len(places) // 2 + 5):
        lost = [int(place) for place in places[first : first + count]]
        most_ms = (tape.hit_by(lost) + 1) * tape.unit_ms + BLOCK_MS
        assert tape.missing_ms(lost) <= most_ms, (first, tape.hit_by(lost))


def test_so_it_is_at_44100_hz() -> None:
    tape = service("mp2", 4, True, 44_100)
    places = tape.packets.of(AUDIO)
    for place in places[len(places) // 2 :][:12]:
        lost = [int(place)]
        assert tape.missing_ms(lost) <= (tape.hit_by(lost) + 1) * tape.unit_ms + BLOCK_MS


@pytest.mark.parametrize("codec", ["mp2", "ac3", "aac_latm"])
def test_no_click_is_heard_at_a_loss(codec: str) -> None:
    """A tone that breaks off would have steps twenty times as large as its own."""
    at = np.arange(round(SECONDS * 48_000)) / 48_000
    samples = np.tile(0.5 * np.sin(2 * np.pi * 440 * at), (2, 1)).astype(np.float32)
    mux = Multiplexer(
        [Program(7, PMT, VIDEO, (Entry(STREAM_TYPES[codec], AUDIO),))], 2e6, video_pid=VIDEO
    )
    mux.add(AUDIO, encode(codec, samples), units_per_pes=2)
    mux.run(SECONDS)
    packets = Packets(mux.output())
    places = packets.of(AUDIO)
    for place in places[len(places) // 2 :][:6]:
        output = remux(np.delete(packets.rows, int(place), axis=0).tobytes()).output
        track = decode_track(Packets(output), AUDIO)
        assert track is not None
        row = np.concatenate([part.samples for part in track.decoded], axis=1)[0][9600:-9600]
        own = np.abs(np.diff(row[:9600])).max()
        assert np.abs(np.diff(row)).max() <= 2 * own, int(place)

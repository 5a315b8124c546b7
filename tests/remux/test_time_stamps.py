"""Time stamps that jitter, repeat, stand still or are absent: sound that is continuous in the
elementary stream stays continuous, and is heard at the right time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.harness.remuxer import remux
from tests.oracle.audio_sync import Comparison, Samples, compare, decode_track
from tests.oracle.multiplexer import Coded, Multiplexer, encode, packetize, pes
from tests.oracle.transport import PTS_MODULUS, Packets
from tests.remux.broadcast import AUDIO, VIDEO, clean, coded, multiplexer, service

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harness.remuxer import Remuxed

SECONDS = 6.0
TONE_HZ = 440
PURE_DB = -40.0


@cache
def tone(codec: str, rate_hz: int = 48_000) -> tuple[Coded, ...]:
    """A tone: whatever is put into it or left out of it is heard as dirt."""
    at = np.arange(round(SECONDS * rate_hz)) / rate_hz
    samples = np.tile(0.4 * np.sin(2 * np.pi * TONE_HZ * at), (2, 1)).astype(np.float32)
    return tuple(encode(codec, samples, rate_hz))


def without_pts(data: bytes) -> bytes:
    """A PES packet that has none."""
    return b"\x00\x00\x01\xc0" + (len(data) + 3).to_bytes(2) + b"\x84\x00\x00" + data


@dataclass
class Stamped:
    """Access units, each in a PES packet of its own, with any time stamps."""

    units: tuple[Coded, ...]
    codec: str = "mp2"
    base_27m: int = 27_000_000 * 3600

    def stream(
        self, stamp: Callable[[int, float], float | None], seconds: float = SECONDS
    ) -> bytes:
        """`stamp` makes the time in s that the PES packet with a number says from the true one."""
        mux: Multiplexer = multiplexer(self.codec, self.base_27m)
        for number, unit in enumerate(self.units):
            said = stamp(number, unit.at_s)
            pts = self.base_27m // 300 + round((said or 0.0) * 90_000)
            packet = without_pts(unit.data) if said is None else pes(unit.data, pts)
            due_s = unit.at_s - 0.04 - len(packetize(packet)) * 3 * 188 * 8 / mux.rate_bps
            if due_s >= 0:
                mux.add_payload(AUDIO, packet, due_s)
        mux.run(seconds)
        return mux.output()


def dirt_db(samples: Samples, rate_hz: int) -> float:
    """How loud everything but the tone is, below it."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    frequency = np.fft.rfftfreq(samples.size, 1 / rate_hz)
    near = abs(frequency - TONE_HZ) < 25
    rest = spectrum[~near & (frequency > 50)].sum()
    return float(10 * np.log10(rest / spectrum[near].sum()))


def assert_unbroken(remuxed: Remuxed, seconds: float = SECONDS) -> None:
    """All of the tone is there, in one piece, and no AAC frames part in time."""
    track = decode_track(Packets(remuxed.output), AUDIO)
    assert track is not None and track.codec == "aac"
    assert track.duration_s >= seconds - 0.2
    assert remuxed.track(AUDIO).silence_ms == 0
    row = np.concatenate([part.samples for part in track.decoded], axis=1)[0]
    rate_hz = track.decoded[0].rate_hz
    assert dirt_db(row[rate_hz // 2 : -rate_hz // 2], rate_hz) < PURE_DB
    pts = np.array([part.pts_90k for part in track.decoded])
    steps = np.diff(pts) % PTS_MODULUS - 1024 * 90_000 / rate_hz
    assert abs(steps).max() <= 900 + 2, steps


def grid(ticks_s: float, rounding: Callable[[float], float]) -> Callable[[int, float], float]:
    return lambda _number, at_s: float(rounding(at_s / ticks_s) * ticks_s)


def jitter(reach_s: float) -> Callable[[int, float], float]:
    rng = random.Random(3)
    return lambda _number, at_s: at_s + rng.uniform(-reach_s, reach_s)


CONTINUOUS: dict[str, Callable[[int, float], float | None]] = {
    "40 ms, rounded": grid(0.04, round),
    "40 ms, cut off": grid(0.04, np.floor),
    "33 ms, rounded up": grid(1001 / 30_000, np.ceil),
    "milliseconds": grid(0.001, np.floor),
    "15 ms either way": jitter(0.015),
    "pairs": lambda number, at_s: at_s - number % 2 * 0.024,
    "always three alike": lambda number, at_s: at_s - number % 3 * 0.024,
    "stuck for 200 ms": lambda number, at_s: at_s - max(min(number - 90, 9), 0) % 9 * 0.024,
    "each ninth": lambda number, at_s: None if number % 9 else at_s,
    "always zero": lambda _number, _at_s: -3600.0,
    "always the same": lambda _number, _at_s: 0.0,
    "never": lambda _number, _at_s: None,
    "one hours off": lambda number, at_s: at_s + 7200 * (number == 100),
    "one 300 ms off": lambda number, at_s: at_s - 0.3 * (number == 100),
}


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_continuous_sound_stays_continuous_whatever_its_time_stamps_say(kind: str) -> None:
    source = Stamped(tone("mp2")).stream(CONTINUOUS[kind])
    assert_unbroken(remux(source))


@pytest.mark.parametrize("codec", ["ac3", "eac3", "aac_latm"])
@pytest.mark.parametrize("kind", ["40 ms, rounded", "15 ms either way", "always zero", "never"])
def test_so_does_that_of_other_codings(codec: str, kind: str) -> None:
    source = Stamped(tone(codec), codec).stream(CONTINUOUS[kind])
    # LATM tells its configuration now and then only: nothing decodes before.
    assert_unbroken(remux(source), SECONDS - 0.5 * (codec == "aac_latm"))


def test_so_does_sound_at_44100_hz() -> None:
    source = Stamped(tone("mp2", 44_100)).stream(CONTINUOUS["40 ms, rounded"])
    assert_unbroken(remux(source))


def test_time_stamps_that_begin_later_are_taken_over() -> None:
    source = Stamped(tone("mp2")).stream(lambda _number, at_s: None if at_s < 2 else at_s)
    remuxed = remux(source)
    track = decode_track(Packets(remuxed.output), AUDIO)
    assert track is not None
    assert track.duration_s >= SECONDS - 0.2
    found = _against_truth("mp2", lambda _number, at_s: None if at_s < 2 else at_s)
    assert [abs(point.offset_ms) <= 1.0 for point in found.points][-5:] == [True] * 5, found


def _against_truth(codec: str, stamp: Callable[[int, float], float | None]) -> Comparison:
    """The same time stamps on sound that can be compared, beside that with the true ones."""
    units = coded(codec, SECONDS)
    output = decode_track(Packets(remux(Stamped(units, codec).stream(stamp)).output), AUDIO)
    truth = decode_track(Packets(clean(codec, SECONDS)), AUDIO)
    assert output is not None and truth is not None
    return compare(truth.decoded, output.decoded, tuple(np.linspace(0, 1, 12).tolist()), 0.3)


@pytest.mark.parametrize(
    ("kind", "error_ms"),
    [("40 ms, rounded", 11), ("15 ms either way", 6), ("milliseconds", 1), ("pairs", 0.1)],
)
def test_time_lies_in_the_middle_of_time_stamps_that_scatter(kind: str, error_ms: float) -> None:
    found = _against_truth("mp2", CONTINUOUS[kind])
    assert max(abs(point.offset_ms) for point in found.points[4:]) <= error_ms, found


@pytest.mark.parametrize("kind", ["always zero", "never"])
def test_without_time_stamps_sound_is_heard_when_it_arrives(kind: str) -> None:
    """It arrives 40 ms before its time; broadcast sound does 6 to 83 ms before."""
    found = _against_truth("mp2", CONTINUOUS[kind])
    assert len(found.points) >= 10, found
    assert found.offset_ms <= 80, found


def test_one_wrong_time_stamp_moves_nothing() -> None:
    for kind in ("one hours off", "one 300 ms off"):
        assert _against_truth("mp2", CONTINUOUS[kind]).offset_ms <= 0.1


def test_time_stamps_that_stand_still_over_a_wrap_are_no_jump() -> None:
    stuck = CONTINUOUS["stuck for 200 ms"]
    base_27m = ((1 << 33) - 2 * 90_000) * 300
    assert_unbroken(remux(Stamped(tone("mp2"), base_27m=base_27m).stream(stuck)))


def test_a_pause_of_a_clean_stream_is_heard_as_long_as_it_is() -> None:
    """No packet is missing: the station itself has sent nothing for 60 ms."""
    units = [Coded(u.at_s + 0.06 * (u.at_s >= 3), u.data) for u in coded("mp2", SECONDS)]
    mux = Multiplexer([service("mp2")], rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, units)
    mux.run(SECONDS)
    source = mux.output()
    track, output = (decode_track(Packets(s), AUDIO) for s in (source, remux(source).output))
    assert track is not None and output is not None
    found = compare(track.decoded, output.decoded, tuple(np.linspace(0, 1, 12).tolist()), 0.3)
    wrong = [point for point in found.points if abs(point.offset_ms) > 1.0]
    assert all(2.6 <= point.at_s <= 3.2 for point in wrong) and len(wrong) <= 1, found


def test_the_clean_stream_is_the_measure() -> None:
    """The tone itself is pure enough for what is asked here."""
    assert_unbroken(remux(Stamped(tone("mp2")).stream(lambda _number, at_s: at_s)))

"""The judge of sound and lip-sync, tried on streams whose faults are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.oracle.audio_sync import Comparison, Decoded, compare, decode_track
from tests.oracle.multiplexer import Coded, Entry, Multiplexer, Program, encode, sound
from tests.oracle.transport import PTS_MODULUS, Packets

PID = 0x102
SECONDS = 5.0


@cache
def coded(codec: str, seed: int = 1, channels: int = 2) -> tuple[Coded, ...]:
    return tuple(encode(codec, sound(SECONDS, channels, seed=seed)))


def stream(units: list[Coded], shift_s: float = 0.0, base_27m: int = 27_000_000) -> bytes:
    program = Program(1, 0x100, 0x101, (Entry(0x0F, PID),))
    mux = Multiplexer([program], rate_bps=1.5e6, base_27m=base_27m)
    mux.add(PID, units, shift_s)
    mux.run(SECONDS)
    return mux.output()


def decoded(data: bytes) -> list[Decoded]:
    track = decode_track(Packets(data), PID)
    assert track is not None
    return track.decoded


def judged(output: list[Coded], shift_s: float = 0.0, codec: str = "mp2") -> Comparison:
    return compare(decoded(stream(list(coded(codec)))), decoded(stream(output, shift_s)))


@pytest.mark.parametrize("codec", ["mp2", "ac3", "eac3", "aac_latm", "aac"])
def test_a_faithful_conversion_passes(codec: str) -> None:
    found = judged(list(coded("aac")), codec=codec)
    assert len(found.points) == 3
    assert found.offset_ms <= 0.05
    assert found.correlation > 0.98
    assert found.longest_gap_s < 0.3 and not found.silent
    assert found.level_db < 0.3


@pytest.mark.parametrize("shift_ms", [-40, -2, 2, 20, 120])
def test_a_constant_shift_is_measured(shift_ms: int) -> None:
    found = judged(list(coded("aac")), shift_ms / 1000)
    assert found.points
    for point in found.points:
        assert point.offset_ms == pytest.approx(shift_ms, abs=0.1)


def test_sound_that_begins_on_time_and_ends_late_is_caught() -> None:
    drifting = [Coded(unit.at_s * 1.001, unit.data) for unit in coded("aac")]
    found = judged(drifting)
    assert abs(found.points[0].offset_ms) < 1
    assert abs(found.points[-1].offset_ms) > 3


def test_another_track_is_caught() -> None:
    assert judged(list(coded("aac", seed=2))).correlation < 0.3


def test_exchanged_channels_are_caught() -> None:
    exchanged = encode("aac", sound(SECONDS)[::-1].copy())
    assert judged(exchanged).correlation < 0.3


def test_one_dead_channel_is_caught() -> None:
    half = sound(SECONDS)
    half[1] = 0
    assert judged(encode("aac", half)).correlation < 0.3


@pytest.mark.parametrize("change_db", [-12, -0.6, 0.6, 3])
def test_a_change_of_level_is_measured_though_only_one_channel_has_it(change_db: float) -> None:
    changed = sound(SECONDS)
    changed[1] *= 10 ** (change_db / 20)
    found = judged(encode("aac", changed))
    assert found.correlation > 0.9
    assert found.level_db == pytest.approx(abs(change_db), abs=0.2)


def test_distorted_sound_is_caught() -> None:
    noisy = sound(SECONDS) + sound(SECONDS, seed=7) * 0.5
    assert judged(encode("aac", noisy)).correlation < 0.93


def test_missing_sound_is_measured() -> None:
    units = list(coded("aac"))
    del units[100:130]
    found = judged(units)
    assert found.longest_gap_s == pytest.approx(30 * 1024 / 48_000, abs=0.03)


def test_a_steady_tone_is_not_taken_for_a_shift() -> None:
    time_s = np.arange(int(48_000 * SECONDS)) / 48_000
    tone = np.asarray(np.tile(0.3 * np.sin(2 * np.pi * 440 * time_s), (2, 1)), np.float32)
    source = decoded(stream(encode("mp2", tone)))
    output = decoded(stream(encode("aac", tone)))
    assert compare(source, output).offset_ms <= 0.1


def test_sync_is_followed_over_the_wrap_of_the_pts() -> None:
    base_27m = (PTS_MODULUS - 2 * 90_000) * 300
    source = decoded(stream(list(coded("mp2")), base_27m=base_27m))
    output = decoded(stream(list(coded("aac")), base_27m=base_27m))
    good = compare(source, output)
    assert good.offset_ms <= 0.05 and good.source_s > 4
    late = compare(source, decoded(stream(list(coded("aac")), 0.002, base_27m)))
    assert late.offset_ms == pytest.approx(2, abs=0.1)


def test_channels_and_rates_may_differ() -> None:
    mono = sound(SECONDS, 1)
    source = decoded(stream(encode("mp2", mono)))
    assert compare(source, decoded(stream(encode("aac", np.repeat(mono, 2, 0))))).correlation > 0.98
    slow = sound(SECONDS, 2, rate_hz=32_000, seed=3)
    at = np.arange(int(SECONDS * 48_000)) * 32 / 48
    fast = np.stack([np.interp(at, np.arange(slow.shape[1]), row) for row in slow])
    source = decoded(stream(encode("mp2", slow, 32_000)))
    found = compare(source, decoded(stream(encode("aac", np.asarray(fast, np.float32)))))
    assert found.offset_ms <= 0.1 and found.correlation > 0.98


def test_silence_is_called_silence() -> None:
    quiet = decoded(stream(encode("mp2", np.zeros((2, 48_000 * 2), np.float32))))
    assert compare(quiet, quiet).silent

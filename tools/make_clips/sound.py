"""The sound of the test clips: a beep at each full second over a sound that never repeats.

Each track has its own beep pitch, so that tracks can be told apart by ear and by a test. Below the
beeps lie a sweep over the whole loop and low seeded noise: a cross-correlation of two recordings
then has exactly one peak per loop, which a periodic tone would not give.
"""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

SAMPLE_RATE = 48_000
BEEP_S = 0.1


def track(loop_s: float, beep_hz: float, seed: int) -> Samples:
    """One channel of `loop_s` seconds that continues without a step when repeated."""
    time = np.arange(round(loop_s * SAMPLE_RATE)) / SAMPLE_RATE
    return _beeps(time, beep_hz) + _sweep(time, loop_s, seed) + _noise(len(time), seed)


def surround(loop_s: float, beep_hz: float, seed: int) -> Samples:
    """Six channels, shape (6, samples), as FL FR FC LFE SL SR: beeps in front, each its own bed."""
    time = np.arange(round(loop_s * SAMPLE_RATE)) / SAMPLE_RATE
    beep = _beeps(time, beep_hz)
    beep_levels = (0.5, 0.5, 1.0, 0.0, 0.0, 0.0)
    channels = [level * beep + _noise(len(time), seed + i) for i, level in enumerate(beep_levels)]
    for i in (0, 1, 2, 4, 5):
        channels[i] += _sweep(time, loop_s, seed + i)
    channels[3] = 0.1 * np.sin(2 * np.pi * 50 * time)
    return np.stack(channels)


def tone(loop_s: float, pitch_hz: int) -> Samples:
    """A steady tone, five times as loud for BEEP_S from each full second on.

    Both loops and seconds are whole numbers of its cycles: it has no step, and a beep begins where
    the tone goes up through zero.
    """
    time = np.arange(round(loop_s * SAMPLE_RATE)) / SAMPLE_RATE
    level = np.where(np.mod(time, 1.0) < BEEP_S, 0.5, 0.1)
    steady: Samples = level * np.sin(2 * np.pi * pitch_hz * np.mod(time, 1.0))
    return steady


def beeps(loop_s: float, pitch_hz: int, seed: int) -> Samples:
    """Beeps over next to nothing: noise at a tenth of what lies below `track`."""
    time = np.arange(round(loop_s * SAMPLE_RATE)) / SAMPLE_RATE
    return _beeps(time, pitch_hz) + 0.1 * _noise(len(time), seed)


def _beeps(time: Samples, beep_hz: float) -> Samples:
    """A tone whose first sample above zero lies on each full second, fading out over BEEP_S."""
    into_second = np.mod(time, 1.0)
    fade = np.clip(1 - into_second / BEEP_S, 0, 1)
    beep: Samples = 0.5 * fade * np.sin(2 * np.pi * beep_hz * into_second)
    return beep


def _sweep(time: Samples, loop_s: float, seed: int) -> Samples:
    """Up from 200 Hz to the middle of the loop and down again, so that the joint has no step."""
    top_hz = 1500 + 170 * (seed % 10)
    swing_hz = (top_hz - 200) / 2
    # The mean frequency is rounded to whole cycles per loop; the phase then closes at the joint.
    mean_hz = round((200 + swing_hz) * loop_s) / loop_s
    turn = 2 * np.pi / loop_s
    sweep: Samples = 0.05 * np.sin(
        2 * np.pi * mean_hz * time - 2 * np.pi * swing_hz / turn * np.sin(turn * time)
    )
    return sweep


def _noise(length: int, seed: int) -> Samples:
    """Noise falling with frequency, as codecs keep it best; circular, so it loops."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(length))
    frequency = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    spectrum *= 1 / np.sqrt(1 + (frequency / 300) ** 2)
    noise: Samples = np.fft.irfft(spectrum, length)
    return 0.015 * noise / float(np.std(noise))

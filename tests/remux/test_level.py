"""How loud the output is, in which channels, and that nothing of it is cut off."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest

from tests.harness.remuxer import remux
from tests.oracle.audio_sync import Decoded, Samples, TimeLine, compare, decode_track
from tests.oracle.multiplexer import Coded, encode, sound, tones
from tests.oracle.transport import Packets
from tests.remux.broadcast import AUDIO, multiplexer
from xg2g_backends.base import RemuxOptions

SECONDS = 4.0
SURROUND_HZ = (400.0, 500.0, 600.0, 60.0, 700.0, 800.0)


def stream(codec: str, units: list[Coded], seconds: float = SECONDS) -> bytes:
    mux = multiplexer(codec)
    mux.add(AUDIO, units)
    mux.run(seconds)
    return mux.output()


def decoded(data: bytes, stereo: bool = True) -> list[Decoded]:
    track = decode_track(Packets(data), AUDIO, stereo)
    assert track is not None
    return track.decoded


def heard(source: bytes, options: RemuxOptions) -> Samples:
    """The output's sound, settled."""
    return settled(decoded(remux(source, options).output, stereo=False))


def settled(units: list[Decoded]) -> Samples:
    line = TimeLine(units, units[0].pts_90k, units[0].rate_hz)
    return line.samples[:, 48_000 : round((SECONDS - 0.5) * 48_000)]


def level_db(samples: Samples, hz: float) -> float:
    """Of one tone, below full scale."""
    window = np.hanning(samples.size)
    turning = np.exp(-2j * np.pi * hz * np.arange(samples.size) / 48_000)
    amplitude = 2 * abs((samples * window * turning).sum()) / window.sum()
    return float(20 * np.log10(max(amplitude, 1e-9)))


def dirt_db(samples: Samples, hz: float) -> float:
    """Everything but the tone, below it."""
    power = abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    frequency = np.fft.rfftfreq(samples.size, 1 / 48_000)
    tone = abs(frequency - hz) < 25
    return float(10 * np.log10(power[~tone & (frequency > 50)].sum() / power[tone].sum()))


def loudness_lufs(data: bytes) -> float:
    """Integrated loudness (EBU R128) of what `ffmpeg -ac 2` makes of a stream."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-f", "mpegts", "-i", "pipe:", "-map", "0:a"]
    command += ["-af", "aformat=fltp:channel_layouts=stereo,ebur128", "-f", "null", "-"]
    said = subprocess.run(command, input=data, capture_output=True, check=True).stderr.decode()
    found = re.findall(r"I:\s+(-?[\d.]+) LUFS", said)
    return float(found[-1])


def test_each_channel_of_surround_is_in_stereo_at_the_level_that_the_stream_says() -> None:
    """FFmpeg's encoder writes -4.5 dB for the centre and -6 dB for surround into AC-3, half of
    whose loss of loudness comes back."""
    gain_db = 0.48
    source = stream("ac3", encode("ac3", tones(SECONDS, SURROUND_HZ, 0.1)))
    left, right = heard(source, RemuxOptions())
    for side, levels in ((left, (0, None, -4.5, None, -6, None)), (right, (None, 0, -4.5, None))):
        for hz, expected in zip(SURROUND_HZ, levels, strict=False):
            if expected is None:
                assert level_db(side, hz) < -60, hz
            else:
                found = level_db(side, hz) + 20
                assert found == pytest.approx(expected + gain_db, abs=0.2), hz


@pytest.mark.parametrize("codec", ["ac3", "eac3"])
def test_surround_is_as_loud_as_ffmpeg_makes_it(codec: str) -> None:
    source = stream(codec, encode(codec, sound(SECONDS, 6)))
    output = remux(source).output
    assert loudness_lufs(output) == pytest.approx(loudness_lufs(source), abs=1.0)


@pytest.mark.parametrize("channels", [1, 2])
def test_surround_at_full_scale_stays_below_the_ceiling_and_clean(channels: int) -> None:
    loud = tones(SECONDS, (997.0,) * 3 + (0.0,) + (997.0,) * 2, 0.95)
    source = stream("ac3", encode("ac3", loud))
    output = heard(source, RemuxOptions(channels=channels))
    assert abs(output).max() < 10 ** (-0.3 / 20)
    for samples in output:
        assert level_db(samples, 997) > -2
        assert dirt_db(samples, 997) < -40


def test_no_peak_of_loud_noise_comes_near_full_scale() -> None:
    loud = np.clip(sound(SECONDS, 6) * 8, -1, 1)
    output = heard(stream("ac3", encode("ac3", loud, bitrate=640_000)), RemuxOptions())
    assert abs(output).max() < 10 ** (-0.3 / 20)


@pytest.mark.parametrize("codec", ["mp2", "ac3", "eac3", "aac_latm"])
@pytest.mark.parametrize("channels", [0, 1, 2])
def test_a_loud_tone_of_both_channels_keeps_its_level(codec: str, channels: int) -> None:
    amplitude = 10 ** (-1 / 20)
    source = stream(codec, encode(codec, tones(SECONDS, (997.0, 997.0), amplitude)))
    coder_db = dirt_db(settled(decoded(source))[0], 997)
    for samples in heard(source, RemuxOptions(channels=channels)):
        assert level_db(samples, 997) == pytest.approx(-1, abs=0.1)
        assert dirt_db(samples, 997) < max(coder_db + 0.5, -50)


def test_the_level_does_not_jump_between_stereo_and_surround() -> None:
    noise = sound(3 * SECONDS, 2)
    third = noise.shape[1] // 3 // 1536 * 1536
    wide = np.zeros((6, noise.shape[1]), np.float32)
    wide[:2] = noise
    stereo, surround = encode("ac3", noise), encode("ac3", wide)
    first, second = third // 1536, 2 * third // 1536
    units = stereo[:first] + surround[first:second] + stereo[second:]
    whole = stream("ac3", stereo, 3 * SECONDS)
    output = remux(stream("ac3", units, 3 * SECONDS)).output
    places = tuple(np.linspace(0, 1, 25).tolist())
    result = compare(decoded(whole), decoded(output), places, window_s=0.2)
    assert len(result.points) > 20
    assert result.level_db < 0.7 and result.offset_ms < 0.1
    assert result.longest_gap_s == 0


@pytest.mark.parametrize(
    ("layout", "kept_hz", "channels"),
    [
        ("3.0", (400, 500, 600), 3),
        ("4.0", (400, 500, 600, 700), 4),
        ("3.0(back)", (400, 500, 0, 600), 4),
        ("quad(side)", (400, 500, 0, 600, 700), 5),
        ("5.0(side)", (400, 500, 600, 700, 800), 5),
        ("2.1", (400, 500, 0, 60, 0, 0), 6),
        ("5.1(side)", (400, 500, 600, 60, 700, 800), 6),
    ],
)
def test_channels_as_in_the_source_stay_where_they_are(
    layout: str, kept_hz: tuple[float, ...], channels: int
) -> None:
    source_hz = {"2.1": (400.0, 500.0, 60.0), "5.1(side)": SURROUND_HZ}.get(
        layout, (400.0, 500.0, 600.0, 700.0, 800.0)[: len([hz for hz in kept_hz if hz])]
    )
    source = stream("ac3", encode("ac3", tones(SECONDS, source_hz, 0.1), layout=layout))
    output = heard(source, RemuxOptions(channels=0, bitrate=384_000))
    assert output.shape[0] == channels
    for samples, hz in zip(output, kept_hz, strict=True):
        for other in (hz for hz in kept_hz if hz):
            found = level_db(samples, other)
            assert found == pytest.approx(-20, abs=0.5) if other == hz else found < -55

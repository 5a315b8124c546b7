"""The test cards: picture and sound belong together, tracks can be told apart, and a clip's end
continues with its own beginning."""

import io
from functools import cache
from importlib import resources
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.oracle.audio_sync import Decoded, TimeLine, decode_track
from tests.oracle.transport import Packets, pmts
from xg2g.simulator.loop import Loop
from xg2g.simulator.recording import parse_recording

CLIPS = resources.files("xg2g.simulator").joinpath("clips")
MAX_CLIP_BYTES = 3_000_000
MAX_ALL_BYTES = 17_000_000
RATE_HZ = 48_000
ROUND_90K = 864_000

BEEP_HZ = {
    "one-hd.ts": {0x102: 880, 0x103: 1175, 0x104: 659, 0x106: 440, 0x107: 587},
    "two-hd.ts": {0x202: 784, 0x203: 988, 0x204: 523},
    "three-latm.ts": {0x1202: 698, 0x1203: 1047},
    "four-radio.ts": {0x301: 831},
}
CHANGING = {0x502: 740, 0x503: 370}
WITH_PICTURE = ("one-hd.ts", "two-hd.ts", "three-latm.ts")


@cache
def rounds(name: str, count: int = 3) -> bytes:
    data = CLIPS.joinpath(name).read_bytes()
    (program,) = parse_recording(data).programs
    return Loop(data, program.pcr_pid).read(0, count * (len(data) // 188))


@cache
def flashes_90k(name: str) -> list[int]:
    """PTS of each picture that is white after one that is not."""
    data = rounds(name, 2)
    found = []
    white = True
    with av.open(io.BytesIO(data), "r", format="mpegts") as container:
        for frame in container.decode(container.streams.video[0]):
            luma = np.asarray(frame.to_ndarray(format="gray")[::8, ::8], np.float64)
            was_white, white = white, bool(luma.mean() > 230)
            if white and not was_white and frame.pts is not None:
                found.append(frame.pts)
    return found


@cache
def decoded(name: str, pid: int) -> list[Decoded]:
    track = decode_track(Packets(rounds(name)), pid)
    assert track is not None
    # The file begins in the middle of an access unit, and LATM repeats its configuration only
    # every 15 frames on one of the tracks.
    assert track.refused <= 15
    return track.decoded


def sound(name: str, pid: int, origin_90k: float | None = None) -> TimeLine:
    units = decoded(name, pid)
    return TimeLine(units, units[0].pts_90k if origin_90k is None else origin_90k, RATE_HZ)


@pytest.mark.parametrize("name", WITH_PICTURE)
def test_each_beep_begins_with_a_flash(name: str) -> None:
    flashes = flashes_90k(name)[1:-1]
    assert len(flashes) >= 15
    for pid in BEEP_HZ[name]:
        line = sound(name, pid, flashes[0])
        for flash in flashes[1:]:
            at = round((flash - flashes[0]) * RATE_HZ / 90_000)
            late_s = onset(line.window(at - 2400, 4800).mean(0)) - 0.05
            assert abs(late_s) <= 0.001, f"PID {pid:#x} is {late_s * 1000:.2f} ms off"


@pytest.mark.parametrize("name", WITH_PICTURE)
def test_flashes_come_each_second(name: str) -> None:
    flashes = flashes_90k(name)
    steps = [b - a for a, b in zip(flashes, flashes[1:], strict=False)]
    # The clock of the card begins anew after 9.6 s.
    assert set(steps) == {90_000, 54_000}
    assert steps.count(54_000) == 1


@pytest.mark.parametrize(
    ("name", "pid", "pitch_hz"),
    [
        (name, pid, pitch)
        for name, pids in [*BEEP_HZ.items(), ("six-changes.ts", CHANGING)]
        for pid, pitch in pids.items()
    ],
)
def test_each_track_has_its_own_pitch(name: str, pid: int, pitch_hz: int) -> None:
    line = sound(name, pid)
    samples = line.samples.mean(0)[: 5 * RATE_HZ]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    # The sweep lingers at 200 Hz, where it turns.
    spectrum[frequency < 250] = 0
    # Beeps once a second spread over a comb of 1 Hz around the pitch.
    assert frequency[np.argmax(spectrum)] == pytest.approx(pitch_hz, abs=5)


@pytest.mark.parametrize(
    ("name", "pid"), [(name, pid) for name, pids in BEEP_HZ.items() for pid in pids]
)
def test_the_sound_goes_through_the_joint_without_gap_or_click(name: str, pid: int) -> None:
    line = sound(name, pid)
    first, last = RATE_HZ, len(line.covered) - RATE_HZ
    assert line.covered[first:last].all()
    size = ROUND_90K * RATE_HZ // 90_000
    # The same place of two rounds; the joint lies in between in one of them.
    a, b = line.samples[:, first : first + size], line.samples[:, first + size : first + 2 * size]
    # AC-3 decoders fill empty bits with noise of their own.
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.999
    assert np.abs(a - b).max() < 0.05


def test_a_long_enough_piece_of_a_track_is_found_in_one_place_only() -> None:
    samples = sound("one-hd.ts", 0x102).samples[0][: ROUND_90K * RATE_HZ // 90_000]
    piece = samples[3 * RATE_HZ : 4 * RATE_HZ]
    size = len(samples) - len(piece) + 1
    spectrum = np.fft.rfft(samples) * np.conj(np.fft.rfft(piece, len(samples)))
    product = np.fft.irfft(spectrum, len(samples))[:size]
    energy = np.concatenate(([0.0], np.cumsum(samples.astype(float) ** 2)))
    correlation = product / np.sqrt(
        (energy[len(piece) :] - energy[: -len(piece)]) * (piece.astype(float) ** 2).sum()
    )
    best = int(np.argmax(correlation))
    assert best == 3 * RATE_HZ
    elsewhere = np.delete(correlation, np.arange(best - 100, best + 100))
    assert elsewhere.max() < 0.97 < correlation[best]


def test_tracks_are_signalled_as_broadcasters_do() -> None:
    one = pmts(Packets(rounds("one-hd.ts", 1)))[0]
    types = {stream.pid: stream.stream_type for stream in one.streams}
    assert types[0x102] == 0x03
    assert types[0x106] == 0x06, "AC-3 is private data with a descriptor in DVB"
    three = pmts(Packets(rounds("three-latm.ts", 1)))[0]
    assert {s.pid: s.stream_type for s in three.streams}[0x1202] == 0x11
    assert {s.pid: s.stream_type for s in three.streams}[0x1201] == 0x24


def test_a_changed_pmt_comes_before_the_sound_that_it_announces() -> None:
    packets = Packets(rounds("six-changes.ts"))
    tables = pmts(packets)
    versions = [pmt.section.version for pmt in tables]
    assert sum(a != b for a, b in pairwise(versions)) == 2 * 3, "twice in each of three rounds"
    for pid in CHANGING:
        sent = packets.of(pid)
        begins = [int(b) for a, b in pairwise(sent) if b - a > len(packets) // 10]
        assert len(begins) >= 2
        for first in begins:
            latest = [pmt for pmt in tables if pmt.section.packet < first][-1]
            assert pid in {stream.pid for stream in latest.streams}


def test_the_clips_stay_small() -> None:
    sizes = [len(clip.read_bytes()) for clip in CLIPS.iterdir() if clip.name.endswith(".ts")]
    assert len(sizes) == 16
    assert max(sizes) < MAX_CLIP_BYTES
    assert sum(sizes) < MAX_ALL_BYTES


def onset(samples: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> float:
    """Seconds to the first sample that is a good part as loud as the loudest."""
    loud = np.abs(samples) > 0.35 * np.abs(samples).max()
    return float(np.argmax(loud)) / RATE_HZ

"""Does the output sound as the source does, and at the same time?

Both tracks are decoded with FFmpeg's libraries, their samples are laid on one time
line by their PTS, and windows of them are cross-correlated. What the PTS say and
what the sound says must be the same alignment.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from tests.oracle.access_unit import AccessUnit, access_units, audio_codec
from tests.oracle.transport import PTS_MODULUS, Packets

if TYPE_CHECKING:
    from collections.abc import Iterable

Samples = NDArray[np.float32]

WINDOW_S = 0.4
SEARCH_S = 0.15
SETTLE_S = 0.03
"""Left out at either end: coders start from silence and fade their overlap in."""
HOLE_S = 0.005
"""Shorter holes between access units do not part what lies around them."""
JUMP_S = 5.0
"""A step of the PTS above this begins another time base."""
SILENCE_RMS = 10 ** (-70 / 20)
FAINT = 10 ** (-26 / 20)
"""A channel this far below the loudest one drowns in the coder's noise; not judged."""
_DECODERS = {"mp2": "mp3float", "ac3": "eac3", "aac": "aac", "aac_latm": "aac_latm", "dts": "dca"}
_SAME_RUN_TICKS = 27
_TIE = 0.002


@dataclass(frozen=True)
class Decoded:
    """The samples of one access unit, one row per channel."""

    pts_90k: float
    rate_hz: int
    samples: Samples = field(repr=False)


@dataclass
class Track:
    """Decoded audio of one PID."""

    codec: str
    units: list[AccessUnit] = field(repr=False)
    decoded: list[Decoded] = field(repr=False)
    refused: int
    """Access units that the decoder did not take."""
    channels: int
    """The most channels that were coded, before any mixing down."""

    @property
    def duration_s(self) -> float:
        return sum((unit.samples.shape[1] / unit.rate_hz for unit in self.decoded), 0.0)


def decode_track(
    packets: Packets, pid: int, stereo: bool = True, from_packet: int = 0
) -> Track | None:
    """Decodes a PID by what its elementary stream holds; None when that is no audio.

    Access units that begin before `from_packet` are left out.

    With `stereo`, more than two channels are mixed down as `ffmpeg -ac 2` does it: centre
    and surround at -3 dB, nothing divided by the sum of the levels.
    """
    codec = audio_codec(packets, pid)
    if codec is None:
        return None
    units = [u for u in access_units(packets, pid, codec) if u.first_packet >= from_packet]
    decoded, refused = decode(units, codec, stereo)
    return Track(codec, units, decoded, refused, _coded_channels(units[::16], codec))


def _coded_channels(units: list[AccessUnit], codec: str) -> int:
    context = _decoder(codec)
    found = 0
    for unit in units:
        with suppress(av.FFmpegError):
            frames = context.decode(av.Packet(unit.data))
            found = max([found, *(frame.layout.nb_channels for frame in frames)])
    return found


def _decoder(codec: str) -> AudioCodecContext:
    context = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(context, AudioCodecContext)
    return context


def decode(
    units: Iterable[AccessUnit], codec: str, stereo: bool = True
) -> tuple[list[Decoded], int]:
    """Decodes access units one by one, so that each sample keeps its unit's PTS."""
    context = _decoder(codec)
    decoded: list[Decoded] = []
    refused = 0
    ticks = 0.0
    previous: AccessUnit | None = None
    for unit in units:
        pts = unit.pts_90k
        if previous is not None and not unit.own_pts and not unit.after_loss:
            pts = (decoded[-1].pts_90k + ticks) % PTS_MODULUS if decoded else pts
        try:
            frames = context.decode(av.Packet(unit.data))
        except av.FFmpegError:
            frames = []
        refused += not frames
        for frame in frames:
            mixes = stereo and frame.layout.nb_channels > 2
            samples = _mixed_down(frame) if mixes else _planar(frame)
            ticks = frame.samples * 90_000 / frame.sample_rate
            decoded.append(Decoded(pts, frame.sample_rate, samples))
        previous = unit if frames else None
    return decoded, refused


def _planar(frame: av.AudioFrame) -> Samples:
    raw = frame.to_ndarray()
    scale = 1 if raw.dtype.kind == "f" else 1 / (1 << 8 * raw.dtype.itemsize - 1)
    if not frame.format.is_planar:
        raw = raw.reshape(-1, frame.layout.nb_channels).T
    return np.asarray(raw * scale, np.float32)


def _mixed_down(frame: av.AudioFrame) -> Samples:
    frame.pts = None
    mixer = av.AudioResampler(format="fltp", layout="stereo", rate=frame.sample_rate)
    return np.concatenate([_planar(part) for part in mixer.resample(frame)], axis=1)


class TimeLine:
    """Samples laid where their PTS put them, at one rate, from `origin_90k` on."""

    def __init__(self, decoded: list[Decoded], origin_90k: float, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        channels = max((unit.samples.shape[0] for unit in decoded), default=1)
        placed = list(_placed(decoded, origin_90k, rate_hz))
        length = max((start + block.shape[1] for start, block in placed), default=0)
        self.samples: Samples = np.zeros((channels, max(length, 0)), np.float32)
        self.covered = np.zeros(max(length, 0), bool)
        for start, block in placed:
            if start < 0:
                block, start = block[:, -start:], 0
            if block.shape[0] < channels:
                block = np.broadcast_to(block[:1], (channels, block.shape[1]))
            self.samples[:, start : start + block.shape[1]] = block
            self.covered[start : start + block.shape[1]] = True

    def window(self, start: int, length: int) -> Samples:
        """Samples from `start` on, silence where there are none."""
        found = np.zeros((self.samples.shape[0], length), np.float32)
        low, high = max(start, 0), min(start + length, self.samples.shape[1])
        if high > low:
            found[:, low - start : high - start] = self.samples[:, low:high]
        return found


def _placed(
    decoded: list[Decoded], origin_90k: float, rate_hz: int
) -> Iterable[tuple[int, Samples]]:
    """Blocks with their first sample's index. PTS that agree with the running sample
    count to a rounding error do not move it."""
    line_90k = 0.0
    last_pts = origin_90k
    run_90k = run_rate = run_samples = 0.0
    for unit in decoded:
        line_90k += _signed(unit.pts_90k - last_pts)
        last_pts = unit.pts_90k
        expected = run_90k + run_samples * 90_000 / unit.rate_hz
        if run_rate != unit.rate_hz or abs(line_90k - expected) > _SAME_RUN_TICKS:
            run_90k, run_rate, run_samples = line_90k, unit.rate_hz, 0
        exact_s = run_90k / 90_000 + run_samples / unit.rate_hz
        block = unit.samples
        if unit.rate_hz != rate_hz:
            count = round(block.shape[1] * rate_hz / unit.rate_hz)
            at = np.arange(count) * unit.rate_hz / rate_hz
            own = np.arange(block.shape[1])
            block = np.stack([np.interp(at, own, row) for row in block]).astype(np.float32)
        yield round(exact_s * rate_hz), block
        run_samples += unit.samples.shape[1]


def _signed(ticks: float) -> float:
    half = PTS_MODULUS / 2
    return (ticks + half) % PTS_MODULUS - half


@dataclass(frozen=True)
class Point:
    """One window's result."""

    at_s: float
    """Where in the source, counted from its first PTS."""
    offset_ms: float
    """How much later than in the source the sound is heard; negative: earlier."""
    correlation: float
    worst_channel: float
    """The lowest correlation of a channel that is neither silent nor faint."""
    level_db: float
    """How much louder than in the source it is, in the channel where that is worst."""


@dataclass(frozen=True)
class Comparison:
    """What the windows and the time lines say of one track."""

    points: list[Point]
    source_s: float
    output_s: float
    missing_s: float
    """Sound of the source that no output sample covers, once the output has begun."""
    longest_gap_s: float
    """The longest run of it."""
    begins_s: float
    """Where the output's sound begins, counted as the points are."""
    silent: bool
    """The source has no window that is more than silence."""

    @property
    def offset_ms(self) -> float:
        """The largest absolute offset."""
        return max((abs(point.offset_ms) for point in self.points), default=float("inf"))

    @property
    def correlation(self) -> float:
        """The lowest correlation of any channel."""
        return min((point.worst_channel for point in self.points), default=0.0)

    @property
    def level_db(self) -> float:
        """The largest change of level either way, of any channel."""
        return max((abs(point.level_db) for point in self.points), default=float("inf"))


def compare(
    source: list[Decoded],
    output: list[Decoded],
    places: tuple[float, ...] = (0.0, 0.5, 1.0),
    window_s: float = WINDOW_S,
) -> Comparison:
    """Compares at places of the common time, 0 the start and 1 the end."""
    rate_hz = output[0].rate_hz if output else 48_000
    origin, end = _main_stretch(source)
    ours = TimeLine(_within(output, origin, end), origin, rate_hz)
    theirs = TimeLine(_within(source, origin, end), origin, rate_hz)
    ours_samples, theirs_samples = _same_channels(ours.samples, theirs.samples)
    ours.samples, theirs.samples = ours_samples, theirs_samples
    length = min(ours.covered.size, theirs.covered.size)
    both = _closed(ours.covered[:length] & theirs.covered[:length], round(HOLE_S * rate_hz))
    starts = _window_starts(both, theirs, rate_hz, window_s)
    points = []
    if starts.size:
        wanted = starts[0] + np.array(places) * (starts[-1] - starts[0])
        chosen = sorted({int(starts[np.argmin(abs(starts - place))]) for place in wanted})
        size = _window_size(both, rate_hz, window_s)
        points = [_point(theirs, ours, start, size) for start in chosen]
    edge = round(0.1 * rate_hz)
    missing = theirs.covered[:length] & ~ours.covered[:length]
    begins = int(np.argmax(ours.covered)) if ours.covered.any() else 0
    inner = missing[begins : max(length - edge, begins)]
    return Comparison(
        points=points,
        source_s=float(theirs.covered.sum() / rate_hz),
        output_s=float(ours.covered.sum() / rate_hz),
        missing_s=float(inner.sum() / rate_hz),
        longest_gap_s=_longest_run(inner) / rate_hz,
        begins_s=begins / rate_hz,
        silent=_rms(theirs.samples) < SILENCE_RMS,
    )


def _main_stretch(source: list[Decoded]) -> tuple[float, float]:
    """First and last PTS of the longest stretch without a jump of the time base;
    damaged time stamps and other stretches lie outside."""
    first = source[0].pts_90k
    line = np.sort([_signed(unit.pts_90k - first) for unit in source])
    edges = np.flatnonzero(np.diff(line) > JUMP_S * 90_000) + 1
    stretch = max(np.split(line, edges), key=len)
    return (first + stretch[0]) % PTS_MODULUS, (first + stretch[-1]) % PTS_MODULUS


def _within(decoded: list[Decoded], origin_90k: float, end_90k: float) -> list[Decoded]:
    span = _signed(end_90k - origin_90k)
    margin = 0.2 * 90_000
    inside = (-margin <= _signed(unit.pts_90k - origin_90k) <= span + margin for unit in decoded)
    return [unit for unit, keep in zip(decoded, inside, strict=True) if keep]


def _same_channels(a: Samples, b: Samples) -> tuple[Samples, Samples]:
    if a.shape[0] == b.shape[0]:
        return a, b
    if min(a.shape[0], b.shape[0]) == 1:
        wide = max(a.shape[0], b.shape[0])
        return (
            np.repeat(a, wide, 0) if a.shape[0] == 1 else a,
            np.repeat(b, wide, 0) if b.shape[0] == 1 else b,
        )
    return a.mean(0, keepdims=True), b.mean(0, keepdims=True)


def _closed(mask: NDArray[np.bool_], hole: int) -> NDArray[np.bool_]:
    """The mask without its holes of at most this length."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    closed = mask.copy()
    for end, start in zip(edges[1:-1:2], edges[2::2], strict=True):
        if start - end <= hole:
            closed[end:start] = True
    return closed


def _window_size(both: NDArray[np.bool_], rate_hz: int, window_s: float) -> int:
    usable = _longest_run(both) - 2 * round(SETTLE_S * rate_hz)
    return min(round(window_s * rate_hz), max(usable, 0))


def _window_starts(
    both: NDArray[np.bool_], source: TimeLine, rate_hz: int, window_s: float
) -> NDArray[np.int64]:
    """Where a window lies wholly in both, settled and audible."""
    size = _window_size(both, rate_hz, window_s)
    settle = round(SETTLE_S * rate_hz)
    if size < rate_hz * 0.02:
        return np.empty(0, np.int64)
    total = np.concatenate(([0], np.cumsum(both)))
    whole = size + 2 * settle
    starts = np.arange(0, both.size - whole + 1, max(round(rate_hz * 0.01), 1))
    starts = starts[total[starts + whole] - total[starts] == whole] + settle
    energy = np.concatenate(([0.0], np.cumsum((source.samples.astype(float) ** 2).mean(0))))
    half = size // 2
    limit = half * SILENCE_RMS**2
    first = energy[starts + half] - energy[starts] > limit
    second = energy[starts + size] - energy[starts + half] > limit
    return np.asarray(starts[first & second], np.int64)


def _point(source: TimeLine, output: TimeLine, start: int, size: int) -> Point:
    reach = round(SEARCH_S * source.rate_hz)
    heard = output.window(start, size)
    around = source.window(start - reach, size + 2 * reach)
    sharp = _correlation(np.diff(around), np.diff(heard))
    lag = _nearest_peak(sharp, reach)
    loudest = max(_rms(row[None, lag : lag + size]) for row in around)
    judged = [
        c
        for c in range(heard.shape[0])
        if _rms(around[c : c + 1, lag : lag + size]) > max(SILENCE_RMS, loudest * FAINT)
    ]
    per_channel = [float(_correlation(around[c : c + 1], heard[c : c + 1])[lag]) for c in judged]
    levels = [_level_db(around[c, lag : lag + size], heard[c]) for c in judged]
    return Point(
        at_s=start / source.rate_hz,
        offset_ms=(reach - lag) * 1000 / source.rate_hz,
        correlation=float(_correlation(around, heard)[lag]),
        worst_channel=min(per_channel, default=0.0),
        level_db=max(levels, key=abs, default=float("inf")),
    )


def _level_db(source: Samples, heard: Samples) -> float:
    return float(20 * np.log10(max(_rms(heard), 1e-9) / max(_rms(source), 1e-9)))


def _correlation(around: Samples, heard: Samples) -> NDArray[np.float64]:
    """Normalised cross-correlation at each lag, all channels together."""
    size = heard.shape[1]
    total = 1 << (around.shape[1] + size - 1).bit_length()
    spectrum = np.fft.rfft(around, total) * np.conj(np.fft.rfft(heard, total))
    lags = around.shape[1] - size + 1
    product = np.fft.irfft(spectrum, total)[:, :lags].sum(0)
    energy = np.concatenate(([0.0], np.cumsum((around.astype(float) ** 2).sum(0))))
    moving = np.maximum(energy[size:] - energy[:-size], 1e-12)
    own = max(float((heard.astype(float) ** 2).sum()), 1e-12)
    return np.asarray(product / np.sqrt(moving * own), np.float64)


def _nearest_peak(values: NDArray[np.float64], centre: int) -> int:
    """The peak; of equal ones, as a steady tone has them, the one next to the centre."""
    inner = values[1:-1]
    peaks = np.flatnonzero((inner >= values[:-2]) & (inner >= values[2:])) + 1
    if not peaks.size:
        return int(np.argmax(values))
    best = values[peaks].max()
    tied = peaks[values[peaks] >= best - _TIE]
    return int(tied[np.argmin(abs(tied - centre))])


def _longest_run(mask: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0


def _rms(samples: Samples) -> float:
    return float(np.sqrt((samples.astype(float) ** 2).mean())) if samples.size else 0.0

"""Decode a stream as a player does, and find the sound that is missing.

FFmpeg's own demultiplexer, parser and decoder read the stream; each decoded frame lies on the time
line where its PTS puts it.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
BLOCK = RATE_HZ // 200
"""Sound is judged in blocks of 5 ms."""
AUDIBLE_RMS = 10 ** (-60 / 20)
SAME_SOUND = 0.7
"""Correlation from which a block holds the sound that belongs there."""
JUMP_90K = 5 * 90_000
"""Frames whose PTS is further from the one before begin another time base."""
PYAV_OPTIONS: dict[str, Any] = {"metadata_errors": "replace"} if av.__version__ < "19" else {}
"""PyAV 19, which Python 3.12 and newer get, replaces letters that it cannot read by itself."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """The sound of one PID, two channels at `RATE_HZ`, from `origin_90k` on."""

    origin_90k: int
    samples: Samples = field(repr=False)
    covered: NDArray[np.bool_] = field(repr=False)
    errors: int
    """Packets that the decoder refused, and frames that it marked as faulty."""

    @property
    def holes_ms(self) -> float:
        """Time between the first and the last sample that no frame covers."""
        return float((~self.covered).sum() * 1000 / RATE_HZ)


def hear(stream: bytes, pid: int) -> Heard | None:
    """Decode the PID; None when ffmpeg finds no sound on it."""
    frames: list[tuple[int, Samples]] = []
    errors = 0
    mixers: dict[tuple[str, str, int], av.AudioResampler] = {}
    with av.open(io.BytesIO(stream), "r", format="mpegts", **PYAV_OPTIONS) as container:
        track = next((s for s in container.streams.audio if s.id == pid), None)
        if track is None:
            return None
        demuxed = container.demux(track)
        while True:
            try:
                packet = next(demuxed)
                decoded = packet.decode()
            except StopIteration:
                break
            except av.FFmpegError:
                errors += 1
                continue
            for frame in decoded:
                errors += bool(frame.is_corrupt)
                if frame.pts is None or frame.time_base is None:
                    continue
                pts_90k = round(frame.pts * frame.time_base * 90_000)
                frame.pts = None
                source = (frame.format.name, frame.layout.name, frame.sample_rate)
                mixer = mixers.setdefault(source, av.AudioResampler("fltp", "stereo", RATE_HZ))
                with suppress(av.FFmpegError):
                    parts = [part.to_ndarray() for part in mixer.resample(frame)]
                    if parts:
                        frames.append((pts_90k, np.concatenate(parts, axis=1)))
    return _laid_out(frames, errors) if frames else None


def _laid_out(frames: list[tuple[int, Samples]], errors: int) -> Heard:
    origin_90k = frames[0][0]
    placed: list[tuple[int, Samples]] = []
    last_90k, end = origin_90k, 0
    for pts_90k, block in frames:
        if abs(pts_90k - last_90k) > JUMP_90K:
            break
        start = round((pts_90k - origin_90k) * RATE_HZ / 90_000)
        # Rounding of 90 kHz: frames that follow each other do so to the sample.
        start = end if abs(start - end) <= 2 else start
        if start >= 0:
            placed.append((start, block))
        last_90k, end = pts_90k, start + block.shape[1]
    length = max(start + block.shape[1] for start, block in placed)
    samples = np.zeros((2, length), np.float32)
    covered = np.zeros(length, bool)
    for start, block in placed:
        samples[:, start : start + block.shape[1]] = block
        covered[start : start + block.shape[1]] = True
    return Heard(origin_90k, samples, covered, errors)


def missing_ms(reference: Heard, heard: Heard | None) -> float:
    """How much of the reference's audible sound is not heard at its time."""
    if heard is None:
        return float(reference.samples.shape[1]) * 1000 / RATE_HZ
    theirs = reference.samples
    shift = round((heard.origin_90k - reference.origin_90k) * RATE_HZ / 90_000)
    ours = np.zeros_like(theirs)
    start, end = max(shift, 0), min(shift + heard.samples.shape[1], ours.shape[1])
    if end > start:
        ours[:, start:end] = heard.samples[:, start - shift : end - shift]
    blocks = theirs.shape[1] // BLOCK
    theirs, ours = (x[:, : blocks * BLOCK].reshape(2, blocks, BLOCK) for x in (theirs, ours))
    energy = (theirs.astype(float) ** 2).sum((0, 2))
    own = (ours.astype(float) ** 2).sum((0, 2))
    product = (theirs.astype(float) * ours).sum((0, 2))
    audible = energy > 2 * BLOCK * AUDIBLE_RMS**2
    same = product >= SAME_SOUND * np.sqrt(np.maximum(energy * own, 1e-20))
    return float(np.count_nonzero(audible & ~same)) * 1000 * BLOCK / RATE_HZ

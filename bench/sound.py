"""Checks that the measured output sounds as the source: a fast conversion to noise is no result."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.clips import AUDIO_PID, VIDEO_PID
from tests.oracle.audio_sync import Track, compare, decode_track
from tests.oracle.transport import PACKET_BYTES, Packets

OFFSET_LIMIT_MS: Final = 1.0
_EDGE_S: Final = 0.2
_PLACES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)

Rows = NDArray[np.uint8]


class WrongOutputError(Exception):
    """The output is not what it has to be: there is nothing to report."""


def check_sound(
    source: Path, output: Path, least_correlation: float, audio_pid: int = AUDIO_PID
) -> None:
    """Decode both and compare. Raises `WrongOutputError` when the output's track is not AAC, when
    sound is missing, when it is another sound, or when it is not heard at its time."""
    before, after = _track(source, audio_pid), _track(output, audio_pid)
    if after.codec != "aac":
        raise WrongOutputError(f"the sound left as {after.codec}")
    if after.refused:
        raise WrongOutputError(f"{after.refused} frames of the output do not decode")
    found = compare(before.decoded, after.decoded, _PLACES)
    if found.missing_s or abs(found.output_s - found.source_s) > _EDGE_S:
        raise WrongOutputError(
            f"of {found.source_s:.1f} s of sound {found.output_s:.1f} s are left"
        )
    if found.correlation < least_correlation:
        raise WrongOutputError(f"the sound is another: it correlates at {found.correlation:.3f}")
    if found.offset_ms > OFFSET_LIMIT_MS:
        raise WrongOutputError(f"the sound is {found.offset_ms:.1f} ms off its time")


def check_unchanged(source: Path, output: Path) -> None:
    """Raises `WrongOutputError` unless each packet of picture and sound left as it came, in order.
    Those with a PCR are left out: the clock is moved back for every stream."""
    before, after = _clockless(_rows(source)), _clockless(_rows(output))
    if not np.array_equal(before, after):
        raise WrongOutputError("packets that nothing was to be done to have changed")


def _clockless(rows: Rows) -> Rows:
    has_pcr = (rows[:, 3] & 0x20 != 0) & (rows[:, 4] > 0) & (rows[:, 5] & 0x10 != 0)
    pid = _pid(rows)
    chosen: Rows = rows[((pid == VIDEO_PID) | (pid == AUDIO_PID)) & ~has_pcr]
    return chosen


def _track(path: Path, audio_pid: int) -> Track:
    """The sound alone: with its pictures a minute would take a gigabyte to read."""
    rows = _rows(path)
    track = decode_track(Packets(rows[_pid(rows) != VIDEO_PID].tobytes()), audio_pid)
    if track is None:
        raise WrongOutputError("there is no sound")
    return track


def _rows(path: Path) -> Rows:
    stream = np.fromfile(path, np.uint8)
    return stream[: stream.size // PACKET_BYTES * PACKET_BYTES].reshape(-1, PACKET_BYTES)


def _pid(rows: Rows) -> NDArray[np.int64]:
    wide = rows[:, 1:3].astype(np.int64)
    return (wide[:, 0] & 0x1F) << 8 | wide[:, 1]

"""What ffmpeg makes of a stream that somebody joined: the first picture, and every complaint."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.oracle.transport import PACKET_BYTES, PTS_MODULUS, Packets, pes_packets, pmts, signed

if TYPE_CHECKING:
    from pathlib import Path

PICTURES: Final = 50
SOUND_UNITS: Final = 47
"""A second of either."""
VIDEO_TYPES: Final = frozenset({0x02, 0x1B, 0x24})
PROBE: Final = ("-probesize", "1000000", "-analyzeduration", "500000")


@dataclass(frozen=True)
class Picture:
    """The first that decodes."""

    pts_90k: int
    end: int
    """So many bytes of the stream had to be there for a decoder to know that it is whole: it ends
    where the next begins."""
    sound_after_s: float
    """First PTS of the sound, counted from the picture's."""


def decoded(stream: Path) -> tuple[int | None, list[str]]:
    """Decode the first second of picture and sound; return the first picture's PTS, None without
    any, and what ffmpeg logs as errors."""
    command = (
        *("ffmpeg", "-v", "error", "-nostdin", "-copyts", *PROBE, "-i", str(stream)),
        *("-map", "0:v:0", "-map", "0:a:0", "-frames:v", str(PICTURES)),
        *("-frames:a", str(SOUND_UNITS), "-fps_mode", "passthrough"),
        *("-enc_time_base:v", "1:90000", "-c:v", "rawvideo", "-f", "framecrc", "-"),
    )
    found = subprocess.run(command, capture_output=True, check=False)
    complaints = found.stderr.decode(errors="replace").splitlines()
    pictures = (line.split(b",") for line in found.stdout.splitlines() if line[:2] == b"0,")
    return next((int(fields[2]) for fields in pictures), None), complaints


def first_picture(stream: bytes, pts_90k: int) -> Picture | None:
    """Find the picture with this PTS; None when the stream ends before the next."""
    packets = Packets(stream)
    streams = [entry for pmt in pmts(packets)[:1] for entry in pmt.streams]
    video = next((it.pid for it in streams if it.stream_type in VIDEO_TYPES), None)
    sound = next((it.pid for it in streams if it.stream_type not in VIDEO_TYPES), None)
    if video is None or sound is None:
        return None
    units = pes_packets(packets, video)
    heard = next((it.pts_90k for it in pes_packets(packets, sound) if it.pts_90k is not None), None)
    if heard is None:
        return None
    for unit, following in zip(units, units[1:], strict=False):
        if unit.pts_90k == pts_90k % PTS_MODULUS:
            return Picture(
                pts_90k=unit.pts_90k,
                end=(following.packet + 1) * PACKET_BYTES,
                sound_after_s=signed(heard - unit.pts_90k, PTS_MODULUS) / 90_000,
            )
    return None

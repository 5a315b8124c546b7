"""The channels that are watched: 10 Mbit/s of an HD service with one MP2 track, in a loop without
a seam, as those of the simulated receiver's cards are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.clips import SERVICE_ID, kept
from tools.make_clips import sound as signals
from tools.make_clips.coding import ffmpeg, mp2, sound, video_units
from tools.make_clips.descriptors import component, language
from tools.make_clips.multiplex import ElementaryStream, Program, multiplex

if TYPE_CHECKING:
    from pathlib import Path

LOOP_S: Final = 24.0
"""A whole number of pictures (20 ms), of MP2 frames (24 ms) and of seconds between key frames."""
PICTURES_PER_S: Final = 50
VIDEO_KBPS: Final = 9_500
"""With sound, tables and headers 10 Mbit/s: receivers leave out what fills a multiplex up."""
SOUND_KBPS: Final = 256
VIDEO_PID: Final = 0x100
AUDIO_PID: Final = 0x101
_PMT_PID: Final = 0x1000


@dataclass(frozen=True)
class Clip:
    """A kind of channel."""

    name: str
    key_frame_every_s: int

    def path(self) -> Path:
        """Return its file, which is made first where it is missing."""
        recipe = f"{self} {LOOP_S} {PICTURES_PER_S} {VIDEO_KBPS} {SOUND_KBPS}"
        return kept(self.name, recipe, lambda target: _keep(self._made(), target))

    @property
    def bits_per_s(self) -> float:
        """Of what the receiver sends of it."""
        return self.path().stat().st_size * 8 / LOOP_S

    def _made(self) -> bytes:
        group = self.key_frame_every_s * PICTURES_PER_S
        rate = (f"vbv-maxrate={VIDEO_KBPS}", f"vbv-bufsize={VIDEO_KBPS // 2}", "nal-hrd=cbr")
        groups = (f"keyint={group}", f"min-keyint={group}", "scenecut=0", "open-gop=0", "aud=1")
        pictures = (
            *("-f", "lavfi", "-i", f"testsrc2=s=1280x720:r={PICTURES_PER_S}:d={LOOP_S}"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
            *("-b:v", f"{VIDEO_KBPS}k", "-x264-params", ":".join((*rate, *groups))),
            *("-f", "mpegts", "pipe:1"),
        )
        tracks = [signals.track(LOOP_S, 880, seed) for seed in (1, 2)]
        video = ElementaryStream(
            VIDEO_PID, 0x1B, component(1), 0xE0, video_units(ffmpeg([*pictures]))
        )
        audio = ElementaryStream(
            *(AUDIO_PID, 0x03, language("deu") + component(2), 0xC0),
            sound(mp2(SOUND_KBPS), tracks),
        )
        program = Program(SERVICE_ID, _PMT_PID, VIDEO_PID, b"", [video, audio])
        return multiplex([program], 1, {SERVICE_ID: _PMT_PID}, LOOP_S)


def _keep(data: bytes, target: Path) -> None:
    target.write_bytes(data)


USUAL: Final = Clip("each-second", 1)
SELDOM: Final = Clip("each-8-seconds", 8)
"""As on channels where viewers have been seen to fail."""
CLIPS: Final = (USUAL, SELDOM)

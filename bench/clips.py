"""The streams that are measured: a minute of an HD service with one audio track, for each codec.

ffmpeg makes them once and they are kept in `${XDG_CACHE_HOME:-~/.cache}/xg2g/bench`.
"""

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DURATION_S: Final = 60
MULTIPLEX_BPS: Final = 10_000_000
SERVICE_ID: Final = 0x283D
VIDEO_PID: Final = 0x100
AUDIO_PID: Final = 0x101
"""The PIDs that ffmpeg's multiplexer gives."""

_PICTURE: Final = (
    *("-f", "lavfi", "-i", f"testsrc2=s=1280x720:r=50:d={DURATION_S}"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"),
    *("-b:v", "8M", "-minrate", "8M", "-maxrate", "8M", "-bufsize", "4M"),
    *("-x264-params", "nal-hrd=cbr", "-f", "mpegts"),
)
_MULTIPLEX: Final = (
    *("-c:v", "copy", "-t", str(DURATION_S), "-muxrate", str(MULTIPLEX_BPS)),
    *("-mpegts_service_id", str(SERVICE_ID), "-mpegts_flags", "system_b"),
    *("-metadata:s:a:0", "language=deu", "-f", "mpegts"),
)


def _channel(number: int) -> str:
    """Noise under a rising tone: two recordings of it fit together in one place only."""
    tone = f"0.1*sin(2*PI*t*({200 + 90 * number}+{12 + number}*t))"
    noise = f"anoisesrc=color=brown:amplitude=0.25:seed={number + 1}:r=48000:d={DURATION_S}"
    return (
        f"aevalsrc='{tone}':s=48000:d={DURATION_S}[tone{number}];{noise}[noise{number}];"
        f"[tone{number}][noise{number}]amix=inputs=2:normalize=0[channel{number}]"
    )


def _sound(channels: int, layout: str) -> tuple[str, ...]:
    parts = ";".join(_channel(number) for number in range(channels))
    inputs = "".join(f"[channel{number}]" for number in range(channels))
    graph = f"{parts};{inputs}join=inputs={channels}:channel_layout={layout}[sound]"
    return ("-filter_complex", graph, "-map", "0:v", "-map", "[sound]")


@dataclass(frozen=True)
class Codec:
    """A codec of broadcast sound, and how ffmpeg makes a track of it."""

    name: str
    track: tuple[str, ...]
    least_correlation: float
    """Between the source's sound, mixed down to stereo, and the output's."""
    budget: float
    """CPU of a stream, as a part of ffmpeg's."""

    @property
    def slug(self) -> str:
        return "".join(filter(str.isalnum, self.name.lower()))


CODECS: Final = (
    Codec("MP2", (*_sound(2, "stereo"), "-c:a", "mp2", "-b:a", "256k"), 0.95, 0.20),
    Codec("AC-3 5.1", (*_sound(6, "5.1(side)"), "-c:a", "ac3", "-b:a", "448k"), 0.9, 0.22),
    Codec("E-AC-3 5.1", (*_sound(6, "5.1(side)"), "-c:a", "eac3", "-b:a", "384k"), 0.9, 0.22),
)


def clips() -> Iterator[tuple[Codec, Path]]:
    """Give each codec with its clip, which is made first where it is missing."""
    for codec in CODECS:
        picture = made("picture", _PICTURE)
        recipe = ("-i", str(picture), *codec.track, *_MULTIPLEX)
        yield codec, made(codec.slug, recipe)


def are_cached() -> bool:
    """Return whether clips were made before."""
    return _directory().is_dir()


def _directory() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "xg2g" / "bench"


def made(name: str, recipe: tuple[str, ...]) -> Path:
    """The file that ffmpeg makes by this recipe."""

    def make(target: Path) -> None:
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *recipe, target], check=True)

    return kept(name, " ".join(recipe), make)


def kept(name: str, recipe: str, make: Callable[[Path], None]) -> Path:
    """Return the file of this recipe, and make it first if it is missing."""
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    path = _directory() / f"{name}-{digest}.ts"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        try:
            make(unfinished)
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path

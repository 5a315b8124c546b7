"""Viewers come at random moments to a channel that runs, and what each got is decoded."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.fanout.captured import Captured
from bench.fanout.clips import VIDEO_PID
from bench.fanout.picture import Picture, decoded, first_picture
from tests.oracle.audio_sync import Decoded, compare, decode_track
from tests.oracle.transport import PACKET_BYTES, PTS_MODULUS, Packets, signed

if TYPE_CHECKING:
    from rich.console import Console

    from bench.fanout.clips import Clip
    from bench.fanout.stack import FanoutStack

SETTLE_S: Final = 3.0
"""For the channel to run."""
BETWEEN_S: Final = 0.8
"""On average, from one viewer to the next."""
TAKEN_S: Final = 2.5
"""Of each stream."""
SYNC_MS: Final = 1.0
CORRELATION: Final = 0.9
SOUND_BEGINS_S: Final = (-1.1, 1.0)
"""When the sound may begin, counted from the first picture: sound stands up to a second before the
picture of its time."""
SAME_BYTES: Final = 200 * PACKET_BYTES
"""Bytes at a viewer's end that are searched for in another viewer's stream."""


@dataclass(frozen=True)
class Joined:
    """One viewer."""

    status: str
    picture_s: float = float("inf")
    """From the request until the first picture that decodes was there whole."""
    first_byte_s: float = float("inf")
    complaints: tuple[str, ...] = ()
    sound_after_s: float = float("nan")
    sync_ms: float = float("inf")
    correlation: float = 0.0
    same_from: int | None = None
    """From this byte on the stream is, to the byte, that of the viewer who was there before; None
    when it never is."""


@dataclass
class Joins:
    """All of them."""

    clip: Clip
    joined: list[Joined] = field(default_factory=list)

    @property
    def failed(self) -> list[Joined]:
        """Return the viewers that saw no picture."""
        return [it for it in self.joined if it.picture_s == float("inf")]

    @property
    def pictures_s(self) -> list[float]:
        """Return the time to the first picture of the others, shortest first."""
        return sorted(it.picture_s for it in self.joined if it.picture_s < float("inf"))

    @property
    def complaints(self) -> int:
        """Return the number of lines that ffmpeg logged as errors."""
        return sum(len(it.complaints) for it in self.joined)

    def wrong(self) -> list[str]:
        """Return a line for each kind of failure."""
        saw = [it for it in self.joined if it not in self.failed]
        complaints = [line for it in self.joined for line in it.complaints]
        off = [it for it in saw if it.sync_ms > SYNC_MS or it.correlation < CORRELATION]
        other = [it for it in saw if it.same_from is None]
        apart = [it for it in saw if not SOUND_BEGINS_S[0] <= it.sound_after_s <= SOUND_BEGINS_S[1]]
        found = []
        if self.failed:
            found.append(f"{len(self.failed)} failed: {sorted({it.status for it in self.failed})}")
        if complaints:
            found.append(f"ffmpeg logged {len(complaints)} errors, the first: {complaints[0]}")
        if off:
            found.append(f"{len(off)} heard the sound more than {SYNC_MS:g} ms off, or another")
        if apart:
            found.append(f"the sound of {len(apart)} begins too far from the picture")
        if other:
            found.append(f"{len(other)} never had the bytes of the viewer who was there before")
        return found

    def report(self, console: Console) -> None:
        """Print it."""

        def line(name: str, text: object) -> None:
            console.print(f"  {name:<22} {text}", markup=False)

        console.print(
            f"{len(self.joined)} joins of a channel that runs, with a key frame each "
            f"{self.clip.key_frame_every_s} s"
        )
        line("failed", len(self.failed))
        line("errors of ffmpeg", self.complaints)
        saw = [it for it in self.joined if it not in self.failed]
        if saw:
            line("first picture after", _spread([it.picture_s * 1000 for it in saw], "ms"))
            line("first byte after", _spread([it.first_byte_s * 1000 for it in saw], "ms"))
            heard = [it.sound_after_s * 1000 for it in saw]
            line("sound begins", f"{min(heard):.0f} to {max(heard):.0f} ms after the picture")
            line("sound off by", f"at most {max(it.sync_ms for it in saw):.3f} ms")
            line("correlation", f"at least {min(it.correlation for it in saw):.3f}")
            same = [it.same_from // PACKET_BYTES for it in saw if it.same_from is not None]
            line("bytes of another viewer", f"{len(same)} of {len(saw)}")
            if same:
                line("", f"from packet {median(same):.0f} on (median), {max(same)} at worst")
        for text in self.wrong():
            line("wrong", text)


async def run(stack: FanoutStack, clip: Clip, joins: int, seed: str) -> Joins:
    """Let one viewer watch, and others join; judge afterwards."""
    (channel,) = await stack.channels(clip)
    await stack.quiet()
    chance = random.Random(seed)
    before, source = Captured(), Captured()
    streams = [
        asyncio.create_task(before.take(stack.port, channel.path)),
        asyncio.create_task(source.take(stack.stream_port, f"/{channel.reference}")),
    ]
    await asyncio.sleep(SETTLE_S + clip.key_frame_every_s)
    moments = sorted(chance.uniform(0, joins * BETWEEN_S) for _ in range(joins))
    viewers = [Captured() for _ in moments]
    patience_s = 2.0 + 2 * clip.key_frame_every_s

    async def join(viewer: Captured, moment_s: float) -> None:
        await asyncio.sleep(moment_s)
        await viewer.take_for(stack.port, channel.path, TAKEN_S, patience_s)

    await asyncio.gather(*map(join, viewers, moments))
    await asyncio.sleep(0.5)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    return await asyncio.to_thread(_judge, clip, viewers, bytes(before.data), bytes(source.data))


def _judge(clip: Clip, viewers: list[Captured], before: bytes, source: bytes) -> Joins:
    heard = _sound(source)
    with TemporaryDirectory(prefix="xg2g-joins-") as folder:
        file = Path(folder) / "joined.ts"
        return Joins(clip, [_judged(viewer, before, heard, file) for viewer in viewers])


def _judged(viewer: Captured, before: bytes, source: list[Decoded], file: Path) -> Joined:
    stream = bytes(viewer.data)
    file.write_bytes(stream)
    pts_90k, complaints = decoded(file) if stream else (None, [])
    picture = first_picture(stream, pts_90k) if pts_90k is not None else None
    if picture is None:
        return Joined(viewer.status or "no answer", complaints=tuple(complaints))
    sync_ms, correlation = _compared(stream, source, picture)
    return Joined(
        status=viewer.status,
        picture_s=viewer.after_s(picture.end),
        first_byte_s=viewer.after_s(1),
        complaints=tuple(complaints),
        sound_after_s=picture.sound_after_s,
        sync_ms=sync_ms,
        correlation=correlation,
        same_from=_same_from(stream, before),
    )


def _compared(stream: bytes, source: list[Decoded], picture: Picture) -> tuple[float, float]:
    ours = _sound(stream)

    def is_near(unit: Decoded) -> bool:
        after_s = signed(round(unit.pts_90k) - picture.pts_90k, PTS_MODULUS) / 90_000
        return -1 < after_s < TAKEN_S + 1

    near = [unit for unit in source if is_near(unit)]
    if not ours or not near:
        return float("inf"), 0.0
    found = compare(near, ours, (0, 0.25, 0.5, 0.75, 1))
    return found.offset_ms, found.correlation


def _sound(stream: bytes) -> list[Decoded]:
    """The first track, decoded; without pictures, which would take much memory."""
    rows = np.frombuffer(stream, np.uint8, len(stream) // PACKET_BYTES * PACKET_BYTES)
    rows = rows.reshape(-1, PACKET_BYTES)
    pid = (rows[:, 1].astype(np.int64) & 0x1F) << 8 | rows[:, 2]
    packets = Packets(rows[pid != VIDEO_PID].tobytes())
    for audio_pid in sorted(packets.pids()):
        if (track := decode_track(packets, audio_pid)) and track.decoded:
            return track.decoded
    return []


def _same_from(stream: bytes, other: bytes) -> int | None:
    """Where the part begins that ends both; None when the end of `stream` is not in `other`."""
    end = len(stream) // PACKET_BYTES * PACKET_BYTES
    if end < SAME_BYTES or (at := other.find(stream[end - SAME_BYTES : end])) < 0:
        return None
    # The bytes before the match may be equal as well.
    length = min(at, end - SAME_BYTES)
    ours = np.frombuffer(stream, np.uint8, length, end - SAME_BYTES - length)
    theirs = np.frombuffer(other, np.uint8, length, at - length)
    differing = np.flatnonzero(ours != theirs)
    same = length - (int(differing[-1]) + 1 if differing.size else 0)
    return end - SAME_BYTES - same


def _spread(values: list[float], unit: str) -> str:
    ranked = sorted(values)
    most = ranked[min(round(len(ranked) * 0.95), len(ranked) - 1)]
    return f"median {median(ranked):.0f}, p95 {most:.0f}, worst {ranked[-1]:.0f} {unit}"

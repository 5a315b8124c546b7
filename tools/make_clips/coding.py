"""Coded pictures and sound, as access units of a loop, made by ffmpeg."""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.make_clips import sound as signals
from tools.make_clips.multiplex import AccessUnit
from xg2g.simulator.transport import PACKET_SIZE, payload_start, read_stamp, stamp_offsets


@dataclass(frozen=True)
class Codec:
    """How ffmpeg makes a track, and how long its coded frames are."""

    arguments: list[str]
    samples_per_frame: int
    # Samples by which encoder and decoder together delay the sound; measured.
    delay: int
    split: Callable[[bytes, int], list[bytes]]


def equal_frames(stream: bytes, count: int) -> list[bytes]:
    """Frames of one size, as constant bit rate at 48 kHz gives; `count` is their least number."""
    size = frame_size(stream)
    frames = [stream[i : i + size] for i in range(0, len(stream) - size + 1, size)]
    if len(frames) < count or any(frame[:2] != stream[:2] for frame in frames):
        raise ValueError("not a stream of equal frames")
    return frames


def frame_size(stream: bytes) -> int:
    """Bytes up to the next sync word that repeats the first frame's header."""
    size = stream.index(stream[:2], 2)
    while stream[2 * size : 2 * size + 2] != stream[:2] or stream[3 * size :][:2] != stream[:2]:
        size = stream.index(stream[:2], size + 1)
    return size


def loas_frames(stream: bytes, count: int) -> list[bytes]:
    """AudioSyncStream frames: 0x2B7 and 13 bits of length (ISO/IEC 14496-3, clause 1.7.2)."""
    frames: list[bytes] = []
    while len(frames) < count:
        header = int.from_bytes(stream[:3], "big")
        if header >> 13 != 0x2B7:
            raise ValueError("lost the LOAS sync word")
        size = 3 + (header & 0x1FFF)
        frames.append(stream[:size])
        stream = stream[size:]
    return frames


def mp2(kbps: int) -> Codec:
    return Codec(["-c:a", "mp2", "-b:a", f"{kbps}k", "-f", "mp2"], 1152, 481, equal_frames)


def ac3(kbps: int) -> Codec:
    return Codec(["-c:a", "ac3", "-b:a", f"{kbps}k", "-f", "ac3"], 1536, 256, equal_frames)


def eac3(kbps: int) -> Codec:
    return Codec(["-c:a", "eac3", "-b:a", f"{kbps}k", "-f", "eac3"], 1536, 256, equal_frames)


def latm(kbps: int, frames_per_configuration: int) -> Codec:
    interval = ["-smc-interval", str(frames_per_configuration)]
    arguments = ["-c:a", "aac", "-b:a", f"{kbps}k", "-f", "latm", *interval]
    return Codec(arguments, 1024, 1024, loas_frames)


def sound(codec: Codec, channels: list[signals.Samples]) -> list[AccessUnit]:
    """One loop of coded sound, cut from the middle of three so that it continues with itself."""
    samples = np.stack([np.roll(channel, -codec.delay) for channel in channels])
    pcm = np.tile(samples, 3).T.astype("<f4").tobytes()
    layout = {1: "mono", 2: "stereo", 6: "5.1(side)"}[len(channels)]
    source = ["-f", "f32le", "-ar", "48000", "-ac", str(len(channels)), "-channel_layout", layout]
    stream = ffmpeg([*source, "-i", "pipe:0", *codec.arguments, "pipe:1"], pcm)
    count = samples.shape[1] // codec.samples_per_frame
    frames = codec.split(stream, 2 * count)[count : 2 * count]
    frame_90k = codec.samples_per_frame * 90_000 // signals.SAMPLE_RATE
    return [AccessUnit(f, i * frame_90k, i * frame_90k) for i, f in enumerate(frames)]


def video_units(ts: bytes) -> list[AccessUnit]:
    """The pictures of ffmpeg's only video PID (0x100), stamps counted from the first picture."""
    pictures: list[tuple[list[int], bytearray]] = []
    for at in range(0, len(ts), PACKET_SIZE):
        if int.from_bytes(ts[at + 1 : at + 3], "big") & 0x1FFF != 0x100:
            continue
        payload = payload_start(ts, at)
        if ts[at + 1] & 0x40:
            stamps = [read_stamp(ts, offset) or 0 for offset in stamp_offsets(ts, at)]
            pictures.append((stamps, bytearray()))
            payload += 9 + ts[payload + 8]
        pictures[-1][1].extend(ts[payload : at + PACKET_SIZE])
    first = min(stamps[0] for stamps, _ in pictures)
    return [AccessUnit(bytes(d), s[0] - first, s[-1] - first) for s, d in pictures]


def ffmpeg(arguments: list[str], stdin: bytes = b"") -> bytes:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-bitexact"]
    with tempfile.NamedTemporaryFile() as source:
        source.write(stdin)
        source.flush()
        arguments = [source.name if a == "pipe:0" else a for a in arguments]
        head, output = arguments[:-1], arguments[-1]
        bitexact = ["-fflags", "+bitexact", "-flags", "+bitexact"]
        return subprocess.run(
            [*command, *head, *bitexact, output], check=True, stdout=subprocess.PIPE
        ).stdout

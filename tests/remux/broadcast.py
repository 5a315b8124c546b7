"""A television service for fault tests, and the ways to damage what it sends."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from tests.harness.remuxer import DEFAULTS, Remuxed, remux
from tests.oracle.audio_sync import Comparison, compare, decode_track
from tests.oracle.multiplexer import (
    Coded,
    Entry,
    Multiplexer,
    Program,
    encode,
    language,
    sound,
)
from tests.oracle.transport import Packets, Stream, pmts
from tests.oracle.ts_checker import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.audio_sync import Decoded
    from xg2g_backends.base import RemuxOptions

VIDEO, AUDIO, PMT = 0x101, 0x102, 0x100
STREAM_TYPES = {"mp2": 0x03, "ac3": 0x81, "eac3": 0x87, "aac_latm": 0x11, "aac": 0x0F}


def service(codec: str, version: int = 0) -> Program:
    """One picture and one audio track."""
    audio = Entry(STREAM_TYPES[codec], AUDIO, language("deu"))
    return Program(7, PMT, VIDEO, (Entry(0x1B, VIDEO), audio), version)


@cache
def coded(
    codec: str, seconds: float, channels: int = 2, rate_hz: int = 48_000, seed: int = 1
) -> tuple[Coded, ...]:
    """Encoded test sound."""
    return tuple(encode(codec, sound(seconds, channels, rate_hz, seed), rate_hz))


def multiplexer(codec: str = "mp2", base_27m: int = 27_000_000 * 3600) -> Multiplexer:
    """A multiplexer that knows the service; nothing is scheduled yet."""
    return Multiplexer([service(codec)], rate_bps=2e6, base_27m=base_27m, video_pid=VIDEO)


def clean(
    codec: str = "mp2", seconds: float = 6.0, channels: int = 2, base_27m: int = 27_000_000 * 3600
) -> bytes:
    """An undisturbed stream."""
    mux = multiplexer(codec, base_27m)
    mux.add(AUDIO, list(coded(codec, seconds, channels)))
    mux.run(seconds)
    return mux.output()


def edited(stream: bytes, edit: Callable[[Packets], list[bytes]]) -> bytes:
    """The stream with its packets changed."""
    return b"".join(edit(Packets(stream)))


def rows(packets: Packets) -> list[bytes]:
    return [row.tobytes() for row in packets.rows]


def lossy(stream: bytes, rate: float, seed: int = 1) -> bytes:
    """Every packet may be lost."""
    rng = random.Random(seed)
    return edited(stream, lambda p: [row for row in rows(p) if rng.random() >= rate])


def without(stream: bytes, start: float, end: float) -> bytes:
    """A part of the stream is lost; places count from 0 to 1."""
    count = len(stream) // 188
    low, high = round(count * start) * 188, round(count * end) * 188
    return stream[:low] + stream[high:]


def scrambled(stream: bytes, start: float, end: float, pid: int = AUDIO) -> bytes:
    """A PID's payload is scrambled between two places."""

    def edit(packets: Packets) -> list[bytes]:
        out = packets.rows.copy()
        low, high = round(len(packets) * start), round(len(packets) * end)
        rng = np.random.default_rng(1)
        for index in packets.of(pid):
            if low <= index < high and packets.has_payload[index]:
                at = packets.payload_start[index]
                out[index, 3] |= 0x80
                out[index, at:] = rng.integers(0, 256, 188 - at, np.uint8)
        return [row.tobytes() for row in out]

    return edited(stream, edit)


@dataclass
class Judgement:
    """A faulty stream, what became of it, and how both sound."""

    source: bytes = field(repr=False)
    remuxed: Remuxed
    comparison: Comparison
    decoded: list[Decoded] = field(repr=False)


def new_errors(source: bytes, remuxed: Remuxed) -> dict[str, tuple[int, int]]:
    """Errors by kind of which the output has more than the source: (output, source)."""
    return check(remuxed.live).worse_than(check(source))


def judge(
    source: bytes,
    pid: int = AUDIO,
    options: RemuxOptions = DEFAULTS,
    reference: list[Decoded] | None = None,
    window_s: float = 0.3,
    places: int = 9,
) -> Judgement:
    """Puts a stream through and compares the sound at many places.

    The reference is the source itself, unless its own sound is given.
    """
    remuxed = remux(source, options)
    output = decode_track(Packets(remuxed.output), pid)
    if reference is None:
        track = decode_track(Packets(source), pid)
        assert track is not None
        reference = track.decoded
    assert output is not None, "no audio in the output"
    assert output.codec == "aac"
    assert language_lost(source, remuxed, pid) is None
    points = tuple(np.linspace(0, 1, places).tolist())
    found = compare(reference, output.decoded, points, window_s)
    return Judgement(source, remuxed, found, output.decoded)


def language_lost(source: bytes, remuxed: Remuxed, pid: int) -> str | None:
    """What the last PMT of the output does not say of a track as the last of the source does:
    language, audio_type, stream identifier, supplementary audio."""
    origin = next((t.pid for t in remuxed.stats.tracks if t.output_pid == pid), pid)
    before, after = _last_entry(source, origin), _last_entry(remuxed.output, pid)
    if before is None or after is None:
        return None
    whole = (bytes([tag, len(body)]) + body for tag, body in before.all_descriptors())
    if b"".join(whole) != before.descriptors:
        return None  # The last one is broken off.
    # Of two languages of one track the one that is heard may be left.
    kept = [
        (tag, body)
        for tag, body in before.all_descriptors()
        if (tag, len(body)) in ((0x0A, 4), (0x52, 1)) or tag == 0x7F
    ]
    lost = [entry for entry in kept if entry not in list(after.all_descriptors())]
    return f"PID {pid} lost {lost}" if lost else None


def _last_entry(stream: bytes, pid: int) -> Stream | None:
    found = [s for pmt in pmts(Packets(stream)) for s in pmt.streams if s.pid == pid]
    return found[-1] if found else None


def assert_in_sync(judgement: Judgement, correlation: float = 0.95, gap_s: float = 0.1) -> None:
    """Every window sounds right at the right time, and no sound is missing for long."""
    found = judgement.comparison
    assert len(found.points) >= 5, found
    assert found.offset_ms <= 1.0, found
    assert found.correlation >= correlation, found
    assert found.longest_gap_s <= gap_s, found

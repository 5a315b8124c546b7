"""Each coding by itself, and streams of tools that are no broadcaster's."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.oracle.multiplexer import Coded, Entry, Multiplexer, Program, encode, language, sound
from tests.remux.broadcast import coded
from tests.remux.stand_ins import damage
from tests.remux.stand_ins.elementary import (
    cut_in_mid_frame,
    dts_hd,
    ffmpeg,
    he_aac,
    quad_ac3,
    with_joint_objects,
)
from tests.remux.stand_ins.services import subtitle_unit, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

AC3_NAMED = b"\x05\x04AC-3"
EAC3_NAMED = b"\x05\x04EAC3"
PMT, CLOCK = 0x1000, 300
START_S = 0.2
"""Late enough for the first unit, which may hold what the others need, to be early."""


def alone(
    units: Sequence[Coded],
    stream_type: int,
    descriptors: bytes = b"",
    pid: int = 256,
    stream_id: int = 0xC0,
) -> bytes:
    """Return one track without a picture; the clock has a PID of its own."""
    seconds = units[-1].at_s
    audio_bps = sum(len(unit.data) for unit in units) * 8 / seconds
    program = Program(1, PMT, CLOCK, (Entry(stream_type, pid, descriptors),))
    mux = Multiplexer([program], rate_bps=max(5e5, 4 * audio_bps))
    mux.add(pid, list(units), START_S, stream_id=stream_id)
    mux.run(START_S + seconds)
    return mux.output()


def ac3_40() -> bytes:
    return alone(quad_ac3(3.0), 0x81, AC3_NAMED)


def ac3_51() -> bytes:
    return alone(coded("ac3", 3.0, 6), 0x81, AC3_NAMED)


def ac3_51_seldom_tables() -> bytes:
    """AC-3 at 640 kbit/s; PAT and PMT come each six seconds."""
    units = encode("ac3", sound(8.0, 6), bitrate=640_000)
    stream = alone(units, 0x81, b"\x81\x07\x06\x48\x0f\xff\x0f\x00\x3f", 257)
    return damage.tables_at(stream, {0, PMT}, [0.0, 0.75])


def ac3_changes() -> bytes:
    """AC-3 in 5.1, in stereo, in 5.1 again on one PID, cut in mid-frame at the joints."""
    stereo = encode("ac3", sound(2.0, 2), bitrate=192_000)
    parts = [list(coded("ac3", 2.0, 6)), stereo, list(coded("ac3", 2.0, 6, seed=3))]
    return alone(cut_in_mid_frame(parts), 0x81, AC3_NAMED)


def ac4() -> bytes:
    """Frames that begin with the sync word of AC-4; what follows is noise."""
    noise = random.Random(4)
    units = [Coded(n / 25, b"\xac\x40\x02\x58" + noise.randbytes(600)) for n in range(60)]
    return alone(units, 0x06, AC3_NAMED + b"\x7f\x02\x15\x00", 1900, stream_id=0xBD)


def dts() -> bytes:
    return alone(dts_hd(2.0), 0x82, language("eng"), stream_id=0xBD)


def eac3_short_frames() -> bytes:
    """E-AC-3 in 5.1 whose frames have fewer than six blocks, since more would not fit."""
    units = encode("eac3", sound(1.5, 6), bitrate=1_536_000)
    return alone(units, 0x87, EAC3_NAMED, stream_id=0xBD)


def eac3_objects() -> bytes:
    """E-AC-3 that claims objects."""
    units = with_joint_objects(list(coded("eac3", 2.0, 6)))
    return alone(units, 0x87, EAC3_NAMED, 1900, stream_id=0xBD)


def truehd() -> bytes:
    return ffmpeg(
        *("-f", "lavfi", "-i", "anoisesrc=d=0.5:c=pink:a=0.2:r=48000:seed=1", "-ac", "6"),
        *("-strict", "-2", "-c:a", "truehd", "-f", "mpegts"),
    )


def heaac_51() -> bytes:
    return alone(he_aac("heaac-51.latm", 48_000), 0x11, language("und"))


def heaacv2_adts() -> bytes:
    return alone(he_aac("heaacv2.adts", 32_000), 0x0F, language("und"))


def heaacv2_latm() -> bytes:
    return alone(he_aac("heaacv2.latm", 32_000), 0x11, language("und"))


def latm_changes() -> bytes:
    """AAC in LATM that goes from stereo to 5.1."""
    units = [*coded("aac_latm", 2.0)[:92], *coded("aac_latm", 2.0, 6, seed=3)[:92]]
    units = [Coded(number * 1024 / 48_000, unit.data) for number, unit in enumerate(units)]
    return alone(units, 0x11, language("eng"))


def description() -> bytes:
    """MP2 in mono, with the audio_type of a description (13818-1, table 2-60)."""
    units = encode("mp2", sound(2.0, 1), bitrate=64_000)
    return alone(units, 0x03, language("eng", 3))


def by_ffmpeg(*audio: str) -> bytes:
    """Return a picture and a track as ffmpeg's own muxer writes them."""
    return ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=4"),
        *("-f", "lavfi", "-i", "anoisesrc=d=4:c=pink:a=0.2:r=48000:seed=1", "-ac", "2"),
        *("-c:v", "mpeg2video", "-b:v", "400k", *audio, "-f", "mpegts"),
    )


def ffmpeg_mp2() -> bytes:
    return by_ffmpeg("-c:a", "mp2", "-b:a", "384k")


def ffmpeg_ac3() -> bytes:
    language_of = ("-metadata:s:a:0", "language=deu")
    return by_ffmpeg("-c:a", "ac3", "-b:a", "384k", *language_of, "-mpegts_flags", "system_b")


def subtitles_204() -> bytes:
    """A picture and DVB subtitles in packets of 204 bytes."""
    entries = (Entry(0x02, 256), Entry(0x06, 257, b"\x59\x08und\x10\x00\x01\x00\x01"))
    mux = Multiplexer([Program(1, PMT, 256, entries)], video_pid=256)
    texts(mux, 257, 1.0, subtitle_unit)
    mux.run(1.0)
    return damage.with_reed_solomon(mux.output())


def aac_over_the_wrap() -> bytes:
    """AAC; PCR and PTS pass 2^33 in the middle."""
    base_27m = (2**33 * 300) - 2 * 27_000_000
    program = Program(1, PMT, 258, (Entry(0x1B, 257), Entry(0x0F, 258)))
    mux = Multiplexer([program], rate_bps=1.5e6, base_27m=base_27m, video_pid=257)
    mux.add(258, list(coded("aac", 4.0)))
    mux.run(4.0)
    return mux.output()

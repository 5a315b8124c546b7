"""Elementary streams that the encoders at hand do not write as they are: extensions that decoders
skip, substreams, and what was encoded beforehand."""

from __future__ import annotations

import random
import subprocess
from functools import cache
from pathlib import Path

from tests.oracle.access_unit import split
from tests.oracle.multiplexer import Coded, encode, sound

_FOLDER = Path(__file__).parent
_DTS_SAMPLES = 512


def ffmpeg(*arguments: str) -> bytes:
    """Return what the ffmpeg command writes to its standard output."""
    command = ("ffmpeg", "-nostdin", "-v", "quiet", *arguments, "pipe:1")
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


@cache
def dts(seconds: float = 2.0) -> tuple[Coded, ...]:
    """Return frames of the DTS core."""
    source = f"anoisesrc=d={seconds}:c=pink:a=0.2:r=48000:seed=1"
    data = ffmpeg(
        *("-f", "lavfi", "-i", source, "-ac", "2", "-strict", "-2"),
        *("-c:a", "dca", "-b:a", "768k", "-f", "dts"),
    )
    size = ((data[5] & 3) << 12 | data[6] << 4 | data[7] >> 4) + 1
    return tuple(
        Coded(number * _DTS_SAMPLES / 48_000, data[at : at + size])
        for number, at in enumerate(range(0, len(data) - size + 1, size))
    )


def dts_hd(seconds: float) -> list[Coded]:
    """Return DTS whose frames have an extension substream behind their core (ETSI TS 102 114,
    7.4): its header says no more than its size, what follows is noise."""
    size, header_size = 900, 40
    bits = (header_size - 1) << 16 | (size - 1)
    header = b"\x64\x58\x20\x25\x00" + (bits << 5).to_bytes(4, "big")
    noise = random.Random(1)
    return [
        Coded(unit.at_s, unit.data + header + noise.randbytes(size - len(header)))
        for unit in dts(seconds)
    ]


def with_joint_objects(units: list[Coded]) -> list[Coded]:
    """Return E-AC-3 that claims objects as Atmos does: addbsi with flag_ec3_extension_type_a
    and a complexity index (ETSI TS 103 420, 8.3.1). There are none in it."""
    return [Coded(unit.at_s, _with_addbsi(unit.data, "00000001" + "00010000")) for unit in units]


def _with_addbsi(frame: bytes, addbsi: str) -> bytes:
    """Return an independent frame of E-AC-3 of six blocks, as ffmpeg writes it, with more in its
    header (ETSI TS 102 366, E.1.2.2)."""
    bits = f"{int.from_bytes(frame[2:-2], 'big'):0{8 * (len(frame) - 4)}b}"
    # strmtyp, substreamid, frmsiz, fscod, numblkscod, acmod, lfeon, bsid, dialnorm; then compre,
    # mixmdate, infomdate and addbsie.
    at = 2 + 3 + 11 + 2 + 2 + 3 + 1 + 5 + 5
    if bits[:2] != "00" or bits[18:20] != "11" or bits[at : at + 4] != "0000":
        raise ValueError("a frame with more in its header than ffmpeg writes")
    bits = f"{bits[: at + 3]}1{len(addbsi) // 8 - 1:06b}{addbsi}{bits[at + 4 :]}"
    bits += "0" * (-len(bits) % 16)
    words = len(bits) // 16 + 2
    body = int(f"{bits[:5]}{words - 1:011b}{bits[16:]}", 2).to_bytes(len(bits) // 8, "big")
    return frame[:2] + body + _crc16(body).to_bytes(2, "big")


def _crc16(data: bytes) -> int:
    """crc2: x^16 + x^15 + x^2 + 1 over all but the sync word (ETSI TS 102 366, 6.10.1)."""
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x8005 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def he_aac(name: str, rate_hz: int) -> list[Coded]:
    """Return one of the committed streams, which tools/make_clips/he_aac.c has made."""
    data = (_FOLDER / name).read_bytes()
    codec = "aac" if name.endswith(".adts") else "aac_latm"
    return [
        Coded(number * 2048 / rate_hz, data[start:end])
        for number, (start, end, _) in enumerate(split(codec, data))
    ]


def cut_in_mid_frame(parts: list[list[Coded]]) -> list[Coded]:
    """Return several recordings of a track behind each other, each but the last broken off in
    the middle of its last frame."""
    whole: list[Coded] = []
    at_s = 0.0
    for number, part in enumerate(parts):
        step_s = part[1].at_s - part[0].at_s
        whole += [Coded(at_s + k * step_s, unit.data) for k, unit in enumerate(part)]
        at_s += len(part) * step_s
        if number < len(parts) - 1:
            last = whole.pop()
            whole.append(Coded(last.at_s, last.data[: len(last.data) // 2]))
    return whole


def quad_ac3(seconds: float) -> list[Coded]:
    """Return AC-3 of four channels, one of them behind."""
    return encode("ac3", sound(seconds, 4), layout="4.0")


def astride(units: list[Coded]) -> list[Coded]:
    """Return the same bytes in pieces that begin in mid-unit; each has the time of the first unit
    that begins in it."""
    cut = [
        Coded(after.at_s, before.data[100:] + after.data[:100])
        for before, after in zip(units, units[1:], strict=False)
    ]
    return [Coded(units[0].at_s, units[0].data[:100]), *cut]

"""Audio access units in elementary streams: framing by sync words alone."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tests.oracle.transport import PTS_MODULUS, Packets, Pes, pes_packets, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class AccessUnit:
    """One decodable unit, the packets that hold it, and its PTS."""

    data: bytes
    first_packet: int
    last_packet: int
    pts_90k: float
    """Taken from the PES, or counted on from the unit before."""
    own_pts: bool
    after_loss: bool
    """Bytes of the elementary stream are missing before this unit."""


@dataclass(frozen=True)
class Frame:
    """A frame as its header describes it; `ticks_90k` is 0 where the header is silent."""

    size: int
    ticks_90k: float
    continues: bool = False
    """Belongs to the access unit of the frame before (dependent substream)."""


_MPEG_KBPS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def _mpeg_frame(at: bytes) -> Frame | None:
    """ISO/IEC 11172-3, 2.4.1.3."""
    if len(at) < 4 or at[0] != 0xFF or at[1] & 0xF0 != 0xF0:
        return None
    mpeg = 1 if at[1] & 8 else 2
    layer = 4 - (at[1] >> 1 & 3)
    kbps_index, rate_index = at[2] >> 4, at[2] >> 2 & 3
    if layer == 4 or kbps_index in (0, 15) or rate_index == 3:
        return None
    rate = (44100, 48000, 32000)[rate_index] // mpeg
    samples = 384 if layer == 1 else 1152 if layer == 2 or mpeg == 1 else 576
    slot = 4 if layer == 1 else 1
    kbps = _MPEG_KBPS[mpeg, layer][kbps_index]
    size = (samples // 8 // slot * kbps * 1000 // rate + (at[2] >> 1 & 1)) * slot
    return Frame(size, samples * 90_000 / rate)


_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)


def _ac3_frame(at: bytes) -> Frame | None:
    """ETSI TS 102 366, 4.3 and E.1.2."""
    if len(at) < 6 or at[:2] != b"\x0b\x77":
        return None
    bsid = at[5] >> 3
    if bsid > 16:
        return None
    if bsid > 10:
        size = 2 * ((at[2] & 7) << 8 | at[3]) + 2
        if at[4] >> 6 == 3:
            blocks, rate = 6, (24000, 22050, 16000, 0)[at[4] >> 4 & 3]
        else:
            blocks, rate = (1, 2, 3, 6)[at[4] >> 4 & 3], (48000, 44100, 32000)[at[4] >> 6]
        if rate == 0 or size < 8:
            return None
        continues = at[2] >> 6 == 1 or at[2] >> 3 & 7 != 0
        return Frame(size, blocks * 256 * 90_000 / rate, continues)
    code = at[4] & 0x3F
    if at[4] >> 6 == 3 or code > 37:
        return None
    rate = (48000, 44100, 32000)[at[4] >> 6]
    words = 96_000 * _AC3_KBPS[code // 2] // rate
    if rate == 44100:
        words += code & 1
    return Frame(words * 2, 1536 * 90_000 / rate)


_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


def _adts_frame(at: bytes) -> Frame | None:
    """ISO/IEC 13818-7, 6.2."""
    if len(at) < 7 or at[0] != 0xFF or at[1] & 0xF6 != 0xF0:
        return None
    index = at[2] >> 2 & 15
    size = (at[3] & 3) << 11 | at[4] << 3 | at[5] >> 5
    if index > 11 or size < 8:
        return None
    blocks = (at[6] & 3) + 1
    return Frame(size, blocks * 1024 * 90_000 / _AAC_RATES[index])


def _loas_frame(at: bytes) -> Frame | None:
    """ISO/IEC 14496-3, 1.7.2."""
    if len(at) < 3 or at[0] != 0x56 or at[1] & 0xE0 != 0xE0:
        return None
    return Frame(3 + ((at[1] & 0x1F) << 8 | at[2]), 0)


def _dts_frame(at: bytes) -> Frame | None:
    """ETSI TS 102 114, 5.3, and the extension substream of 7.4."""
    if len(at) < 10:
        return None
    if at[:4] == b"\x64\x58\x20\x25":
        wide = at[5] >> 5 & 1
        bits = int.from_bytes(at[5:10], "big")
        size = (bits >> 40 - 3 - 12 - 20 & 0xFFFFF) if wide else (bits >> 40 - 3 - 8 - 16 & 0xFFFF)
        return Frame(size + 1, 0, continues=True)
    if at[:4] != b"\x7f\xfe\x80\x01":
        return None
    bits = int.from_bytes(at[4:10], "big")
    blocks = (bits >> 48 - 14 & 0x7F) + 1
    size = (bits >> 48 - 28 & 0x3FFF) + 1
    rates = (0, 8000, 16000, 32000, 0, 0, 11025, 22050, 44100, 0, 0, 12000, 24000, 48000, 0, 0)
    rate = rates[bits >> 48 - 38 & 15]
    return Frame(size, blocks * 32 * 90_000 / rate) if rate and size > 95 else None


FRAMERS: dict[str, tuple[bytes, Callable[[bytes], Frame | None]]] = {
    "mp2": (b"\xff", _mpeg_frame),
    "ac3": (b"\x0b\x77", _ac3_frame),
    "aac": (b"\xff", _adts_frame),
    "aac_latm": (b"\x56", _loas_frame),
    "dts": (b"", _dts_frame),
}
"""By codec: the first bytes of a frame, and the reader of its header."""


def split(codec: str, data: bytes) -> list[tuple[int, int, float]]:
    """The access units of a continuous piece: start, end, ticks of 90 kHz.

    A frame counts when another one, or the end of the data, follows it.
    """
    lead, framer = FRAMERS[codec]
    units: list[tuple[int, int, float]] = []
    at = 0
    while at < len(data):
        frame = framer(data[at : at + 16])
        end = at + frame.size if frame else 0
        if frame is None or end > len(data) or not _leads(framer, data, end):
            at = data.find(lead, at + 1) if lead else _dts_sync(data, at + 1)
            if at < 0:
                break
            continue
        if frame.continues:
            if units and units[-1][1] == at:
                units[-1] = (units[-1][0], end, units[-1][2])
        else:
            units.append((at, end, frame.ticks_90k))
        at = end
    return units


def _leads(framer: Callable[[bytes], Frame | None], data: bytes, end: int) -> bool:
    return len(data) - end < 10 or framer(data[end : end + 16]) is not None


def _dts_sync(data: bytes, at: int) -> int:
    found = [p for p in (data.find(b"\x7f\xfe\x80\x01", at), data.find(b"\x64\x58\x20\x25", at))]
    return min((position for position in found if position >= 0), default=-1)


def sniff(data: bytes) -> str | None:
    """The codec whose frames cover most of the data, if they cover half of it."""
    covered = {codec: sum(end - start for start, end, _ in split(codec, data)) for codec in FRAMERS}
    best = max(covered, key=lambda codec: covered[codec])
    return best if covered[best] * 2 > len(data) > 0 else None


@dataclass
class _Piece:
    """A run of PES packets without loss."""

    data: bytes
    starts: list[int]
    packet_of: list[int]
    marks: list[tuple[int, int]]


def _pieces(pes: Iterable[Pes]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for unit in pes:
        if unit.after_loss or not pieces:
            pieces.append(_Piece(b"", [], [], []))
        piece = pieces[-1]
        at = len(piece.data)
        if unit.pts_90k is not None:
            piece.marks.append((at, unit.pts_90k))
        chunks = []
        for packet, chunk in unit.payload:
            piece.starts.append(at)
            piece.packet_of.append(packet)
            chunks.append(chunk)
            at += len(chunk)
        piece.data += b"".join(chunks)
    return pieces


def audio_codec(packets: Packets, pid: int) -> str | None:
    """What a PID's elementary stream holds, whatever a PMT says."""
    return sniff(b"".join(piece.data for piece in _pieces(pes_packets(packets, pid)))[:200_000])


def access_units(packets: Packets, pid: int, codec: str) -> list[AccessUnit]:
    """The access units of a PID with their PTS.

    A PTS belongs to the first unit that begins in its PES packet (2.4.3.7). Units
    before the first PTS are left out.
    """
    units: list[AccessUnit] = []
    for piece in _pieces(pes_packets(packets, pid)):
        units += _timed(piece, codec)
    return units


def _timed(piece: _Piece, codec: str) -> list[AccessUnit]:
    frames = split(codec, piece.data)
    marked: dict[int, int] = {}
    starts = [start for start, _, _ in frames]
    for offset, pts in piece.marks:
        first = bisect_right(starts, offset - 1)
        if first < len(frames):
            marked[first] = pts
    ticks = _typical_ticks(marked)
    units: list[AccessUnit] = []
    pts_90k = -1.0
    previous_end = 0
    for number, (start, end, own_ticks) in enumerate(frames):
        if number in marked:
            pts_90k = float(marked[number])
        if pts_90k >= 0:
            first = piece.packet_of[bisect_right(piece.starts, start) - 1]
            last = piece.packet_of[bisect_right(piece.starts, end - 1) - 1]
            after_loss = not units or start != previous_end
            data = piece.data[start:end]
            units.append(AccessUnit(data, first, last, pts_90k, number in marked, after_loss))
            pts_90k = (pts_90k + (own_ticks or ticks)) % PTS_MODULUS
        previous_end = end
    return units


def _typical_ticks(marked: dict[int, int]) -> float:
    pairs = list(marked.items())
    steps = [
        signed(b - a, PTS_MODULUS) / (j - i)
        for (i, a), (j, b) in zip(pairs, pairs[1:], strict=False)
    ]
    return median(steps) if steps else 1920.0

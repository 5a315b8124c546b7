"""DVB subtitles: bitmaps in display sets (ETSI EN 300 743)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from tools.make_clips.coding import ffmpeg
from tools.make_clips.descriptors import component
from tools.make_clips.multiplex import AccessUnit, ElementaryStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bitmap = NDArray[np.uint8]

_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
_LEAD_S = 0.5
_TIME_OUT_S = 5
# Pixel codes: 0 is transparent, 1 the box, LETTER the letters, between them their edges.
_BOX, _LETTER = 1, 8
_BOX_TRANSPARENCY = 0x60

_PAGE, _REGION, _CLUT, _OBJECT, _DISPLAY, _END = 0x10, 0x11, 0x12, 0x13, 0x14, 0x80
_NORMAL_CASE, _MODE_CHANGE = 0, 2

WHITE, YELLOW = (235, 128, 128), (210, 146, 16)
"""Y, Cr, Cb."""
SD = (720, 576)
"""The display that needs no definition."""


@dataclass(frozen=True)
class Page:
    """Subtitles of one language. `display` is what places refer to, in pixels."""

    page_id: int
    language: str
    subtitling_type: int
    """component_type for stream_content 3 (EN 300 468, table 26): 0x10 and 0x14 are normal ones
    for SD and HD, 0x20 and 0x24 those for the hearing impaired."""
    display: tuple[int, int]
    colour: tuple[int, int, int] = WHITE


@dataclass(frozen=True)
class Shown:
    """The line that a page shows from a time on; none removes what it showed."""

    at_90k: int
    page: Page
    line: str


def descriptor(pages: Sequence[Page]) -> bytes:
    """subtitling_descriptor (EN 300 468, clause 6.2.41); nothing is on an ancillary page."""
    body = b"".join(
        page.language.encode()
        + bytes((page.subtitling_type,))
        + page.page_id.to_bytes(2, "big") * 2
        for page in pages
    )
    return bytes((0x59, len(body))) + body


def stream(tag: int, pages: Sequence[Page], shown: Sequence[Shown]) -> ElementaryStream:
    """The subtitles of `pages`, each change a display set in a PES packet of its own."""
    versions = dict.fromkeys((page.page_id for page in pages), -1)
    units = []
    for event in sorted(shown, key=lambda event: event.at_90k):
        number = event.page.page_id
        versions[number] = (versions[number] + 1) % 16
        data = b"\x20\x00" + _display_set(event, versions[number]) + b"\xff"
        units.append(AccessUnit(data, event.at_90k, event.at_90k))
    descriptors = descriptor(pages) + component(tag)
    return ElementaryStream(0, 0x06, descriptors, units=units, lead_s=_LEAD_S)


def _display_set(event: Shown, version: int) -> bytes:
    page = event.page

    def segment(kind: int, data: bytes) -> bytes:
        head = bytes((0x0F, kind)) + page.page_id.to_bytes(2, "big")
        return head + len(data).to_bytes(2, "big") + data

    out = b""
    width, height = page.display
    if page.display != SD:
        size = (width - 1).to_bytes(2, "big") + (height - 1).to_bytes(2, "big")
        out += segment(_DISPLAY, bytes((version << 4 | 7,)) + size)
    if not event.line:
        out += segment(_PAGE, bytes((_TIME_OUT_S, version << 4 | _NORMAL_CASE << 2 | 3)))
        return out + segment(_END, b"")
    bitmap = _drawn(event.line, height)
    rows, columns = bitmap.shape
    left, top = (width - columns) // 2, round(height * 0.9) - rows
    place = b"\x00\xff" + left.to_bytes(2, "big") + top.to_bytes(2, "big")
    out += segment(_PAGE, bytes((_TIME_OUT_S, version << 4 | _MODE_CHANGE << 2 | 3)) + place)
    # 4 bits a pixel; the region is filled with code 0 first, and holds object 0 at its corner.
    out += segment(
        _REGION,
        bytes((0, version << 4 | 0xF))
        + columns.to_bytes(2, "big")
        + rows.to_bytes(2, "big")
        + bytes((2 << 5 | 2 << 2 | 3, 0, 0, 0x03))
        + bytes((0, 0, 0, 0, 0xF0, 0)),
    )
    out += segment(_CLUT, bytes((0, version << 4 | 0xF)) + _colours(page.colour))
    top_field, bottom_field = _coded(bitmap[0::2]), _coded(bitmap[1::2])
    data = bytes((0, 0, version << 4 | 1))
    data += len(top_field).to_bytes(2, "big") + len(bottom_field).to_bytes(2, "big")
    data += top_field + bottom_field
    out += segment(_OBJECT, data + b"\0" * (len(data) % 2))
    return out + segment(_END, b"")


def _colours(letter: tuple[int, int, int]) -> bytes:
    """Entries of the 4-bit CLUT in full range; Y of 0 would mean transparent."""
    out = bytearray((0, 0x5F, 0, 0x80, 0x80, 0xFF))
    box = (16, 128, 128)
    for code in range(_BOX, _LETTER + 1):
        part = (code - _BOX) / (_LETTER - _BOX)
        mixed = [round(a + part * (b - a)) for a, b in zip(box, letter, strict=True)]
        out += bytes((code, 0x5F, *mixed, round(_BOX_TRANSPARENCY * (1 - part))))
    return bytes(out)


def _drawn(line: str, height: int) -> Bitmap:
    """The line in its box, as pixel codes, for a display of this height."""
    size = height // 15
    columns, rows = round(size * (1.2 + 0.62 * len(line))) // 2 * 2, size * 8 // 5 // 2 * 2
    text = line.replace(":", "\\:").replace("%", "\\%")
    drawtext = f"drawtext=fontfile={_FONT}:fontsize={size}:fontcolor=white"
    drawtext += f":x=(w-tw)/2:y=(h-ascent)/2:text='{text}'"
    source = f"color=black:s={columns}x{rows},format=gray,{drawtext}"
    raw = ["-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]
    grey = np.frombuffer(ffmpeg(["-f", "lavfi", "-i", source, *raw]), np.uint8)
    # Black and white are 16 and 235.
    part = np.clip((grey.reshape(rows, columns).astype(float) - 16) / 219, 0, 1)
    return np.round(_BOX + part * (_LETTER - _BOX)).astype(np.uint8)


def _coded(rows: Bitmap) -> bytes:
    """The pixel data sub-block of one field (clause 7.2.5.1)."""
    return b"".join(b"\x11" + _coded_line(row.tolist()) + b"\xf0" for row in rows)


def _coded_line(pixels: Sequence[int]) -> bytes:
    """A 4-bit/pixel code string (clause 7.2.5.2.2), without codes for runs of transparency."""
    bits = ""
    for code, run in groupby(pixels):
        left = len(list(run))
        while left:
            if left >= 25:
                count = min(left, 280)
                bits += f"000011 11 {count - 25:08b} {code:04b}"
            elif left >= 9:
                count = left
                bits += f"000011 10 {count - 9:04b} {code:04b}"
            elif left >= 4:
                count = min(left, 7)
                bits += f"000010 {count - 4:02b} {code:04b}"
            elif code:
                count = 1
                bits += f"{code:04b}"
            else:
                raise ValueError("transparent pixels are not coded one by one")
            left -= count
    bits = bits.replace(" ", "") + "00000000"
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))

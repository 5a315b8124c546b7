"""Teletext with subtitles: pages (ETSI EN 300 706) in PES packets (EN 300 472).

Each 40 ms there is one PES packet. A subtitle is whole in the packet whose PTS is its time, and so
is what removes it: decoders show a page when the next page's header comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.make_clips.descriptors import component
from tools.make_clips.multiplex import AccessUnit, ElementaryStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# PES_header_data_length is 0x24: a PTS, and this.
_HEADER_STUFFING = 31
_LEAD_S = 0.1
_INTERVAL_90K = 3_600
_NON_SUBTITLE, _SUBTITLE, _STUFFING = 0x02, 0x03, 0xFF

_PARITY = tuple(byte | (0x00 if byte.bit_count() % 2 else 0x80) for byte in range(128))
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

# National option sub-sets of the G0 set (EN 300 706, table 36): what stands instead of ASCII.
_ENGLISH = str.maketrans("£←½→↑#—¼‖¾÷", "#[\\]^_`{|}~")
_GERMAN = str.maketrans("§ÄÖÜ°äöüß", "@[\\]`{|}~")
_SETS = {"eng": (0b000, _ENGLISH), "deu": (0b001, _GERMAN)}

WHITE, YELLOW = 0x07, 0x03
_DOUBLE_HEIGHT, _START_BOX, _END_BOX = 0x0D, 0x0B, 0x0A


@dataclass(frozen=True)
class Page:
    """A page of subtitles. `number` is as viewers type it, such as 0x888."""

    number: int
    language: str
    teletext_type: int
    """2 for subtitles, 5 for subtitles for the hearing impaired (EN 300 468, table 100)."""
    colour: int = WHITE


@dataclass(frozen=True)
class Shown:
    """The lines that a page shows from a time on; none removes what it showed."""

    at_90k: int
    page: Page
    lines: tuple[str, ...]


INDEX = Page(0x100, "deu", 1)
_INDEX_LINES = (
    "",
    "Test card teletext",
    "",
    "Untertitel .......... 888",
    "fuer Gehoerlose ..... 889",
)


def descriptor(pages: Sequence[Page]) -> bytes:
    """teletext_descriptor (EN 300 468, clause 6.2.43)."""
    body = b"".join(
        page.language.encode()
        + bytes((page.teletext_type << 3 | page.number >> 8 & 7, page.number & 0xFF))
        for page in pages
    )
    return bytes((0x56, len(body))) + body


def stream(
    tag: int, pages: Sequence[Page], shown: Sequence[Shown], loop_s: float
) -> ElementaryStream:
    """The teletext of a loop: subtitles as `shown`, and page 100 once a second."""
    units = []
    for at_90k in range(0, round(loop_s * 90_000), _INTERVAL_90K):
        events = [event for event in shown if at_90k <= event.at_90k < at_90k + _INTERVAL_90K]
        rows = [packet for event in events for packet in _subtitle(event)]
        numbers = [event.page.number for event in events]
        if at_90k % 90_000 == 10 * _INTERVAL_90K:
            rows += _index_page()
            numbers.append(INDEX.number)
        for magazine in dict.fromkeys(number >> 8 for number in numbers):
            rows.append((_NON_SUBTITLE, _time_filling_header(magazine)))
        units.append(AccessUnit(_pes_data(rows), at_90k, at_90k))
    descriptors = descriptor([INDEX, *pages]) + component(tag)
    return ElementaryStream(
        0, 0x06, descriptors, units=units, lead_s=_LEAD_S, header_stuffing=_HEADER_STUFFING
    )


def _subtitle(event: Shown) -> Iterator[tuple[int, bytes]]:
    """The packets of a subtitle page: header, and a row of double height for each line."""
    page = event.page
    national, translation = _SETS[page.language]
    yield _SUBTITLE, _header(page.number, 0, national, True, "")
    for i, line in enumerate(event.lines):
        text = line.translate(translation)
        left = (40 - len(text) - 6) // 2
        codes = bytes((_DOUBLE_HEIGHT, page.colour, _START_BOX, _START_BOX))
        row = b" " * left + codes + text.encode("ascii") + bytes((_END_BOX, _END_BOX))
        if len(row) > 40:
            raise ValueError(f"too long for a teletext row: {line}")
        yield _SUBTITLE, _row(page.number >> 8, 22 - 2 * (len(event.lines) - 1 - i), row)


def _index_page() -> Iterator[tuple[int, bytes]]:
    national, _ = _SETS["deu"]
    yield _NON_SUBTITLE, _header(INDEX.number, 0, national, False, "100  XG2G TEXT")
    for i, line in enumerate(_INDEX_LINES):
        yield _NON_SUBTITLE, _row(1, 1 + i, line.encode("ascii"))


def _time_filling_header(magazine: int) -> bytes:
    """A header of no page, which ends the magazine's page before it (clause 7.2.1)."""
    return _header(magazine << 8 | 0xFF, 0x3F7F, 0, False, "")


def _header(number: int, subcode: int, national: int, is_subtitle: bool, text: str) -> bytes:
    """Packet 0 (clause 9.3.1). Subtitles erase the page, and are transmitted serially."""
    nibbles = [
        number & 0xF,
        number >> 4 & 0xF,
        subcode & 0xF,
        # C4: erase page.
        subcode >> 4 & 7 | (8 if is_subtitle else 0),
        subcode >> 8 & 0xF,
        # C6: subtitle.
        subcode >> 12 & 3 | (8 if is_subtitle else 0),
        # C7: suppress header, C8: update indicator.
        3 if is_subtitle else 0,
        # C11: magazine serial; C12 to C14: national option, C12 being its most significant bit.
        1 | (national >> 2 & 1) << 1 | (national >> 1 & 1) << 2 | (national & 1) << 3,
    ]
    return (
        _address(number >> 8, 0)
        + bytes(_hamming_8_4(nibble) for nibble in nibbles)
        + _odd_parity(text.encode("ascii").ljust(32))
    )


def _row(magazine: int, row: int, text: bytes) -> bytes:
    return _address(magazine, row) + _odd_parity(text.ljust(40))


def _address(magazine: int, row: int) -> bytes:
    address = magazine & 7 | row << 3
    return bytes((_hamming_8_4(address & 0xF), _hamming_8_4(address >> 4)))


def _odd_parity(text: bytes) -> bytes:
    return bytes(_PARITY[code] for code in text)


def _hamming_8_4(nibble: int) -> int:
    """Data bits at 1, 3, 5 and 7, protection bits between them (clause 8.2)."""
    d1, d2, d3, d4 = (nibble >> i & 1 for i in range(4))
    p1, p2, p3 = 1 ^ d1 ^ d3 ^ d4, 1 ^ d1 ^ d2 ^ d4, 1 ^ d1 ^ d2 ^ d3
    p4 = 1 ^ p1 ^ d1 ^ p2 ^ d2 ^ p3 ^ d3 ^ d4
    return p1 | d1 << 1 | p2 << 2 | d2 << 3 | p3 << 4 | d3 << 5 | p4 << 6 | d4 << 7


def _pes_data(rows: Sequence[tuple[int, bytes]]) -> bytes:
    """The data field with as much stuffing as fills whole transport packets (EN 300 472, 4.3)."""
    data = bytearray(b"\x10")
    for i, (kind, packet) in enumerate(rows):
        # First field, from line 7 on; framing code; the bits in order of transmission.
        data += bytes((kind, 0x2C, 0xE0 | 7 + i, 0xE4)) + packet.translate(_REVERSED)
    count = len(rows)
    while count < 3 or (count - 3) % 4:
        data += bytes((_STUFFING, 0x2C)) + b"\xff" * 44
        count += 1
    return bytes(data)

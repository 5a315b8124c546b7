"""Picons of the simulated receiver: PNG pictures of 220 x 132, as picon sets have them."""

import hashlib
import struct
import zlib
from functools import lru_cache

_WIDTH, _HEIGHT = 220, 132
_CELLS = 6
_CELL = 20


@lru_cache(maxsize=64)
def picon(name: str) -> bytes:
    """Return a picture for a name: a symmetrical pattern in one colour, different for each name."""
    digest = hashlib.sha256(name.encode()).digest()
    palette = bytes((24, 24, 32)) + bytes(96 + byte % 160 for byte in digest[:3])
    bits = int.from_bytes(digest[3:9], "big")
    left, top = (_WIDTH - _CELLS * _CELL) // 2, (_HEIGHT - _CELLS * _CELL) // 2
    rows = [bytes(_WIDTH)] * _HEIGHT
    for row in range(_CELLS):
        half = [bits >> (row * 3 + column) & 1 for column in range(_CELLS // 2)]
        line = bytearray(_WIDTH)
        for column, lit in enumerate(half + half[::-1]):
            at = left + column * _CELL
            line[at : at + _CELL] = bytes((lit,)) * _CELL
        for y in range(top + row * _CELL, top + (row + 1) * _CELL):
            rows[y] = bytes(line)
    pixels = b"".join(b"\0" + row for row in rows)
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", palette)
        + _chunk(b"IDAT", zlib.compress(pixels))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

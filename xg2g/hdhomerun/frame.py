"""Frames of SiliconDust's discovery protocol (libhdhomerun, hdhomerun_pkt.h).

0      2        4            4+n      8+n
| type | length | tags ...   | CRC-32 |      big-endian, but for the CRC
                 each: tag, length (1 byte to 127, else 2), value
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

FRAME_BYTES = 3074
"""Longest frame: a payload of 3066 bytes, and 8 around it."""

_HEADER = struct.Struct(">HH")
_CRC = struct.Struct("<I")
_ONE_BYTE_LENGTH = 0x7F


class FrameType(IntEnum):
    """Type of a frame."""

    DISCOVER_REQUEST = 2
    DISCOVER_REPLY = 3


class Tag(IntEnum):
    """Tag of a value."""

    DEVICE_TYPE = 0x01
    DEVICE_ID = 0x02
    TUNER_COUNT = 0x10
    LINEUP_URL = 0x27
    BASE_URL = 0x2A
    DEVICE_AUTH = 0x2B
    DEVICE_TYPES = 0x2D
    """Several device types, each of 32 bits."""


class FrameError(Exception):
    """These bytes are not a frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame: its type and its values, each tag once."""

    type: int
    values: Mapping[int, bytes]

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Parse a whole datagram. Raises `FrameError`."""
        if not _HEADER.size + _CRC.size <= len(datagram) <= FRAME_BYTES:
            raise FrameError("its size is wrong")
        content, crc = datagram[: -_CRC.size], datagram[-_CRC.size :]
        kind, length = _HEADER.unpack_from(content)
        if length != len(content) - _HEADER.size:
            raise FrameError("its length is not that of its payload")
        if _CRC.unpack(crc) != (zlib.crc32(content),):
            raise FrameError("its CRC is wrong")
        return cls(kind, dict(_values(content[_HEADER.size :])))

    def __bytes__(self) -> bytes:
        payload = b"".join(
            bytes((tag,)) + _written_length(len(value)) + value
            for tag, value in self.values.items()
        )
        content = _HEADER.pack(self.type, len(payload)) + payload
        return content + _CRC.pack(zlib.crc32(content))


def _values(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(payload):
        tag = payload[at]
        length, at = _read_length(payload, at + 1)
        if at + length > len(payload):
            raise FrameError("a value runs past its end")
        yield tag, payload[at : at + length]
        at += length


def _read_length(payload: bytes, at: int) -> tuple[int, int]:
    """Return the length that begins at `at`, and the offset of its value."""
    try:
        length = payload[at]
        if length <= _ONE_BYTE_LENGTH:
            return length, at + 1
        return (length & _ONE_BYTE_LENGTH) | payload[at + 1] << 7, at + 2
    except IndexError:
        raise FrameError("a length runs past its end") from None


def _written_length(length: int) -> bytes:
    if length <= _ONE_BYTE_LENGTH:
        return bytes((length,))
    return bytes((length & _ONE_BYTE_LENGTH | 0x80, length >> 7))

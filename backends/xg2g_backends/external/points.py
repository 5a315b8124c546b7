"""The response header that carries the points of a call (docs/reference/transcoder-http.md)."""

import json
from base64 import b64decode
from typing import Any, Final

from ..base import Point, PointKind

HEADER: Final = "xg2g-points"
"""Name of the header, in lower case as h11 returns it."""

PACKET_BYTES: Final = 188
KINDS: Final = {kind.value: kind for kind in PointKind}
CODECS: Final = ("mpeg2", "h264", "hevc")
LARGEST_PTS_90K: Final = 2**33 - 1


def read_points(header: str, output_bytes: int) -> tuple[Point, ...]:
    """Parse the header of a response. `output_bytes`: the remuxer's output so far, this response
    included.

    Unknown kinds are skipped. Raises `ValueError` for an invalid header. The HTTP client limits the
    header's length.
    """
    try:
        found = json.loads(header)
    except RecursionError as error:
        raise ValueError("JSON is nested too deeply") from error
    if not isinstance(found, list):
        raise ValueError("not a JSON array")
    return tuple(_point(fields, output_bytes) for fields in found if _is_known(fields))


def _is_known(fields: Any) -> bool:
    if not isinstance(fields, dict):
        raise ValueError("a point is not an object")
    kind = fields.get("kind")
    if not isinstance(kind, str):
        raise ValueError("a point has no kind")
    return kind in KINDS


def _point(fields: dict[str, Any], output_bytes: int) -> Point:
    offset = _number(fields, "offset", output_bytes - PACKET_BYTES)
    if offset % PACKET_BYTES:
        raise ValueError(f"no packet begins at {offset}")
    codec, is_open, tables = fields.get("codec"), fields.get("is_open", False), fields.get("tables")
    if codec is not None and codec not in CODECS:
        raise ValueError("unknown codec")
    if not isinstance(is_open, bool):
        raise ValueError("is_open is not a boolean")
    return Point(
        offset=offset,
        kind=KINDS[fields["kind"]],
        program=_number(fields, "program", 0xFFFF),
        pts_90k=_number(fields, "pts_90k", LARGEST_PTS_90K) if "pts_90k" in fields else None,
        codec=codec,
        is_open=is_open,
        tables=_tables([] if tables is None else tables),
    )


def _number(fields: dict[str, Any], name: str, largest: int) -> int:
    value = fields.get(name)
    # bool is a subclass of int.
    if type(value) is not int or not 0 <= value <= largest:
        raise ValueError(f"{name} is not an integer from 0 to {largest}")
    return value


def _tables(packets: Any) -> bytes:
    """Decode and join the packets. The stuffing at the end of each (0xFF) is not transmitted."""
    if not isinstance(packets, list):
        raise ValueError("tables is not an array")
    joined = bytearray()
    for text in packets:
        if not isinstance(text, str):
            raise ValueError("a packet of tables is not a string")
        packet = b64decode(text, validate=True)
        if not 0 < len(packet) <= PACKET_BYTES:
            raise ValueError(f"a packet of tables has {len(packet)} bytes")
        joined += packet.ljust(PACKET_BYTES, b"\xff")
    return bytes(joined)

"""The XMLTV document of some channels, made piece by piece while somebody takes it."""

import sqlite3
import zlib
from collections.abc import AsyncGenerator, Callable, Sequence

from ..lineup import Channel
from ..store import programmes
from ..store.database import Snapshot
from . import xmltv

PIECE_BYTES = 128 * 1024
"""About the guide of one channel for a week."""
_GZIP_LEVEL = 6
_GZIP_WINDOW_BITS = zlib.MAX_WBITS | 16


async def document(
    snapshot: Snapshot,
    channels: Sequence[Channel],
    *,
    logo_url: Callable[[Channel], str | None],
    compressed: bool = False,
) -> AsyncGenerator[bytes, None]:
    """The document in pieces of `PIECE_BYTES` or somewhat more; `compressed` as a gzip file.

    The same state of the store gives the same bytes. Making a piece takes the time of a thread
    and none of the event loop.
    """
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW_BITS) if compressed else None
    unlisted, left = list(reversed(channels)), list(reversed(channels))

    def head(_: sqlite3.Connection) -> bytes:
        made = b""
        while unlisted and len(made) < PIECE_BYTES:
            channel = unlisted.pop()
            made += _packed(packer, xmltv.channel(channel, logo_url=logo_url(channel)))
        return made

    def piece(connection: sqlite3.Connection) -> bytes:
        made = b""
        while left and len(made) < PIECE_BYTES:
            channel_id = left.pop().id
            text = xmltv.programmes(channel_id, programmes.of_channel(connection, channel_id))
            made += _packed(packer, text)
        if not left:
            made += _packed(packer, xmltv.END) + (packer.flush() if packer else b"")
        return made

    if first := _packed(packer, xmltv.begin()):
        yield first
    while unlisted:
        if made := await snapshot.read(head):
            yield made
    while made := await snapshot.read(piece):
        yield made
        if not left:
            return


def _packed(packer: "zlib._Compress | None", text: str) -> bytes:
    return packer.compress(text.encode()) if packer else text.encode()

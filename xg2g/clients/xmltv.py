"""The guide as XMLTV (https://github.com/XMLTV/xmltv, xmltv.dtd).

It contains only elements that Jellyfin, Kodi and Plex read alike, in the order of the DTD, with
times in UTC. One is not in the DTD: `live`, which Schedules Direct's grabbers write and which Plex
and Emby read. No element depends on the time or on other programmes, so that an unchanged programme
gives the same bytes.
"""

import sqlite3
import time
import zlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from importlib.metadata import version
from xml.sax.saxutils import escape, quoteattr

from ..guide import programme_table
from ..guide.categories import categories
from ..guide.episodes import find_episode
from ..guide.programme import Programme, split_texts
from ..guide.showing import NOTHING_KNOWN, Showing, find_showing
from ..lineup import Channel
from ..store.database import Snapshot

MEDIA_TYPE = "application/xml"
PIECE_BYTES = 128 * 1024
"""Size of a piece of the document: about the guide of one channel for a week."""

_GZIP_LEVEL = 6
_GZIP_WINDOW_BITS = zlib.MAX_WBITS | 16

_END = "</tv>\n"


async def document(
    snapshot: Snapshot,
    channels: Sequence[Channel],
    *,
    logo_url: Callable[[Channel], str | None],
    compressed: bool = False,
) -> AsyncGenerator[bytes, None]:
    """Yield the document of some channels in pieces of `PIECE_BYTES` or somewhat more;
    `compressed` as a gzip file.

    The same state of the store gives the same bytes. A thread makes the pieces, so that the event
    loop stays free. Raises `StoreError`.
    """
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW_BITS) if compressed else None
    unlisted, left = list(reversed(channels)), list(reversed(channels))

    def channel_piece(_: sqlite3.Connection) -> bytes:
        piece = b""
        while unlisted and len(piece) < PIECE_BYTES:
            channel = unlisted.pop()
            piece += _packed(packer, _channel(channel, logo_url=logo_url(channel)))
        return piece

    def programme_piece(connection: sqlite3.Connection) -> bytes:
        piece = b""
        while left and len(piece) < PIECE_BYTES:
            channel_id = left.pop().id
            attribute = quoteattr(channel_id)
            programmes = programme_table.of_channel(connection, channel_id)
            text = "".join(_programme(attribute, programme) for programme in programmes)
            piece += _packed(packer, text)
        if not left:
            piece += _packed(packer, _END) + (packer.flush() if packer else b"")
        return piece

    if first := _packed(packer, _begin()):
        yield first
    while unlisted:
        if piece := await snapshot.read(channel_piece):
            yield piece
    while piece := await snapshot.read(programme_piece):
        yield piece
        if not left:
            return


def _packed(packer: "zlib._Compress | None", text: str) -> bytes:
    return packer.compress(text.encode()) if packer else text.encode()


def _begin() -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<tv generator-info-name="xg2g {version("xg2g")}">\n'
    )


def _channel(channel: Channel, *, logo_url: str | None) -> str:
    # Clients match channels by id, by name or by number.
    icon = f"<icon src={quoteattr(logo_url)}/>" if logo_url else ""
    return (
        f"<channel id={quoteattr(channel.id)}>"
        f"<display-name>{escape(channel.name)}</display-name>"
        f"<display-name>{channel.number}</display-name>{icon}</channel>\n"
    )


def _programme(channel_attribute: str, programme: Programme) -> str:
    title, short, long = programme.title, programme.short, programme.long
    episode = find_episode(title, short, long)
    subtitle, description = split_texts(title, short, long)
    parts = [
        f'<programme start="{_time(programme.begin_s)}" stop="{_time(programme.end_s)}"'
        f" channel={channel_attribute}><title>{escape(title)}</title>"
    ]
    if subtitle:
        parts.append(f"<sub-title>{escape(subtitle)}</sub-title>")
    if description:
        parts.append(f"<desc>{escape(description)}</desc>")
    words = categories(
        programme.genre,
        duration_s=programme.end_s - programme.begin_s,
        is_episode=episode is not None,
    )
    parts += [f'<category lang="en">{escape(word)}</category>' for word in words]
    if episode:
        parts.append(f'<episode-num system="xmltv_ns">{episode.xmltv_ns}</episode-num>')
        parts.append(f'<episode-num system="onscreen">{episode.onscreen}</episode-num>')
    showing = find_showing(title, short, long, programme.genre)
    if showing is not NOTHING_KNOWN:
        parts += _showing(showing)
    parts.append("</programme>\n")
    return "".join(parts)


def _showing(showing: Showing) -> Iterator[str]:
    if showing.repeat:
        yield "<previously-shown/>"
    if showing.premiere:
        # Not <premiere/>: the DTD requires content, even if it is empty.
        yield "<premiere></premiere>"
    if showing.new:
        yield "<new/>"
    if showing.live:
        yield "<live/>"


def _time(seconds: int) -> str:
    return time.strftime("%Y%m%d%H%M%S +0000", time.gmtime(seconds))

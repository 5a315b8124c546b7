"""The guide as XMLTV (https://github.com/XMLTV/xmltv, xmltv.dtd).

Only elements that Jellyfin, Kodi and Plex read the same way, in the order of the DTD, times in UTC.
One is not in the DTD: `live`, as Schedules Direct's grabbers write it and Plex and Emby read it.
Nothing here depends on the time or on other programmes: what did not change is the same bytes.
"""

import re
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from xml.sax.saxutils import escape, quoteattr

from ..lineup import Channel
from .categories import categories
from .episodes import find_episode
from .programme import Programme
from .showing import NOTHING_KNOWN, Showing, find_showing

MEDIA_TYPE = "application/xml"
SUBTITLE_LENGTH = 100
"""A longer short text is a summary, no title."""

END = "</tv>\n"


def begin() -> str:
    """The document's beginning."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<tv generator-info-name="xg2g {version("xg2g")}">\n'
    )


def channel(channel: Channel, *, logo_url: str | None) -> str:
    """A channel: found by its id, its name or its number, whichever a client looks for."""
    icon = f"<icon src={quoteattr(logo_url)}/>" if logo_url else ""
    return (
        f"<channel id={quoteattr(channel.id)}>"
        f"<display-name>{escape(channel.name)}</display-name>"
        f"<display-name>{channel.number}</display-name>{icon}</channel>\n"
    )


def programmes(channel_id: str, programmes: Iterable[Programme]) -> str:
    """Programmes of a channel."""
    attribute = quoteattr(channel_id)
    return "".join(_programme(attribute, programme) for programme in programmes)


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
        # Not <premiere/>: the DTD wants content here, be it empty.
        yield "<premiere></premiere>"
    if showing.new:
        yield "<new/>"
    if showing.live:
        yield "<live/>"


def split_texts(title: str, short: str, long: str) -> tuple[str, str]:
    """Sub-title and description. Broadcasters put either into the short text."""
    short, long = short.strip(), long.strip()
    if short == title:
        short = ""
    if not long:
        is_sentence = len(short) > SUBTITLE_LENGTH or "\n" in short or short.endswith((".", "!"))
        return ("", short) if is_sentence else (short, "")
    if long.startswith(short):
        # The long text goes on where the short one was cut off.
        is_own_line = re.match(r"\s*\n", long[len(short) :])
        return (short, long[len(short) :].strip()) if short and is_own_line else ("", long)
    if len(short) <= SUBTITLE_LENGTH and "\n" not in short:
        return short, long
    return "", f"{short}\n{long}"


def _time(seconds: int) -> str:
    return time.strftime("%Y%m%d%H%M%S +0000", time.gmtime(seconds))

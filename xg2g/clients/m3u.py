"""The M3U playlist for players and media servers."""

import re
from collections.abc import Iterable, Iterator

from ..lineup import Channel, Lineup
from ..lineup.picons import may_have_logo
from ..lineup.sources import AUDIO_CODEC, segmented_ending, video_codec

MEDIA_TYPE = "audio/x-mpegurl"
TRANSPORT_STREAM = ".ts"
_MIME_TYPES = {TRANSPORT_STREAM: "video/mp2t"}


def render(
    lineup: Lineup,
    channels: Iterable[Channel],
    base_url: str,
    *,
    guide_query: str = "",
    only_aac: bool = True,
    hls: bool = False,
) -> Iterator[str]:
    """Yield the playlist of some channels of the lineup, in pieces.

    `base_url` is xg2g's URL as the reader of the playlist sees it, without a final slash.
    `guide_query` selects the same channels in the guide. Without `only_aac`, streams have the
    broadcaster's sound as well. With `hls`, channels play by HTTP Live Streaming; those that have
    no such form are left out.

    Clients keep a channel's history under its URL, so a URL contains nothing but the channel.
    """
    guide = _unquoted(f"{base_url}/xmltv.xml{guide_query}")
    yield f'#EXTM3U url-tvg="{guide}" x-tvg-url="{guide}"\n'
    for channel in channels:
        path = hls_path(channel) if hls else stream_path(channel)
        if path is not None:
            yield _entry(lineup, channel, base_url, path, only_aac)


def stream_path(channel: Channel) -> str:
    """Return the path of the channel's stream. Jellyfin shares one stream among viewers only if it
    ends in `.ts`, and other endings tell players to fetch segments themselves."""
    return f"/stream/{channel.id}{segmented_ending(channel) or TRANSPORT_STREAM}"


def hls_path(channel: Channel) -> str | None:
    """Return the path of the channel's multivariant playlist; None for a source in DASH."""
    return None if segmented_ending(channel) == ".mpd" else f"/hls/{channel.id}/index.m3u8"


def logo_path(channel: Channel) -> str:
    """Return the path of the channel's picon."""
    return f"/logos/{channel.id}.png"


def _entry(lineup: Lineup, channel: Channel, base_url: str, path: str, only_aac: bool) -> str:
    groups = lineup.group_names(channel)
    attributes = {
        "tvg-id": channel.id,
        "channel-id": channel.id,
        "tvg-chno": str(channel.number),
        "channel-number": str(channel.number),
        "tvg-name": channel.name,
        "tvg-logo": f"{base_url}{logo_path(channel)}" if may_have_logo(channel) else "",
        "group-title": ";".join(group.replace(";", ",") for group in groups),
    }
    if channel.radio:
        attributes["radio"] = "true"
    attributes |= _codecs(channel, only_aac)
    written = " ".join(f'{key}="{_unquoted(value)}"' for key, value in attributes.items() if value)
    # Without the type Kodi opens the stream to find it out, which takes a tuner.
    mime_type = _MIME_TYPES.get(path[path.rfind(".") :])
    known_type = f"#KODIPROP:mimetype={mime_type}\n" if mime_type else ""
    title = _title(channel.name) or str(channel.number)
    return f"#EXTINF:-1 {written},{title}\n{known_type}{base_url}{path}\n"


def _codecs(channel: Channel, only_aac: bool) -> dict[str, str]:
    """Return the codecs that Channels reads, as far as they are known before a stream is opened.

    Channels uses `channel-id` as the guide's id. A `tvc-guide-stationid` would be a number of
    Gracenote's guide, which a receiver does not know."""
    if segmented_ending(channel):
        return {}
    codecs = {}
    if video := video_codec(channel):
        codecs["tvc-stream-vcodec"] = video.lower()
    if only_aac:
        codecs["tvc-stream-acodec"] = AUDIO_CODEC.lower()
    return codecs


def _unquoted(value: str) -> str:
    """Replace double quotes, which end an attribute and for which clients know no escape."""
    return value.replace('"', "'")


def _title(name: str) -> str:
    """Return the name in a form that Jellyfin reads correctly: it takes the text after the last
    comma, and drops a number before the first space ("24 Horas")."""
    title = " ".join(_unquoted(name).replace(",", " ").split())
    return re.sub(r"^([\d.]+) ", "\\1\N{NO-BREAK SPACE}", title)

"""Channels that their source sends as segments under a playlist: HLS and DASH.

There is no transport stream to convert, and every player fetches segments itself. So these play at
their source, under a URL of xg2g's that leads there: an IPTV URL holds its owner's account, which
must stand in no playlist. Which channel is one shows in its URL, as players see it.
"""

from urllib.parse import urldefrag, urlsplit

from .arrangement import is_receivers_own, web_address
from .lineup import Channel

ENDINGS = (".m3u8", ".mpd")
"""Of HLS and of DASH."""


def ending(channel: Channel) -> str | None:
    """Which of `ENDINGS` the channel's source has; None for what xg2g plays."""
    url = segmented_url(channel)
    return next((each for each in ENDINGS if url and _path(url).endswith(each)), None)


def segmented_url(channel: Channel) -> str | None:
    """Where players fetch the channel; None for one that xg2g plays, if only by an alternative."""
    if not channel.reference.path:
        return None
    urls = [web_address(source) for source in channel.sources]
    if not all(url and _path(url).endswith(ENDINGS) and not is_receivers_own(url) for url in urls):
        return None
    # Behind `#` bouquet editors put headers for Enigma2's own player.
    return urldefrag(urls[0] or "").url


def _path(url: str) -> str:
    return urlsplit(url).path.lower()

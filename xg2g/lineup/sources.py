"""What the sources of a channel tell before one of them is opened.

A source is a service reference: a service that the receiver tunes to, or an IPTV entry with a URL
in it. Web sources come as a transport stream, or as segments under a playlist (HLS, DASH). There is
no stream to convert in segments, and every player fetches them itself. So these channels play at
their source, through a URL of xg2g that redirects there: an IPTV URL holds its owner's account and
must stand in no playlist. The ending of the channel's URL tells players which kind it is.
"""

from dataclasses import replace
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from socket import inet_aton
from typing import Final
from urllib.parse import urldefrag, urlsplit

from ..receiver.service_reference import DVB, ServiceReference
from .lineup import Channel

SEGMENTED_ENDINGS: Final = (".m3u8", ".mpd")
"""Endings of the URLs of HLS and of DASH."""

AUDIO_CODEC: Final = "AAC"
"""Audio codec of every stream, whatever is broadcast."""

_VIDEO_CODECS: Final = {0x11: "MPEG2", 0x16: "H264", 0x19: "H264", 0x1F: "HEVC"}
"""Codec by service type (EN 300 468, table 87). Type 0x01 stands for MPEG-2 in that table, but
everything else is broadcast under it as well, so it tells nothing; nor do other types."""

_HIGH_DEFINITION: Final = frozenset({0x11, 0x19, 0x1F})


def identity(reference: ServiceReference) -> str:
    """Return the id of a channel: the first ten fields of its reference, joined with `_`, and a
    hash of the URL for IPTV.

    Bouquet editors give many IPTV entries the same ten fields, most often zeros. A service that
    is entered with the URL of the receiver's own relay keeps the id of the service.
    """
    if not reference.path or (reference.type == DVB and is_receivers_own(reference.path)):
        return reference.channel_id
    return f"{reference.channel_id}_{sha256(reference.path.encode()).hexdigest()[:12]}"


def nameless(reference: ServiceReference) -> ServiceReference:
    """Return the reference without its name: equal for two entries of one service."""
    return replace(reference, name="")


def is_playable(reference: ServiceReference) -> bool:
    """Return whether the receiver or the web can play it: recordings and other protocols cannot."""
    return reference.is_dvb_service or web_address(reference) is not None


def web_address(reference: ServiceReference) -> str | None:
    """Return the URL of an IPTV entry, or None if it cannot be opened.

    Only HTTP: the receiver's lists must not make xg2g open files or other protocols.
    """
    path = reference.path
    try:
        parts = urlsplit(path)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    plain = path.isprintable() and " " not in path and reference.flags == 0
    return path if usable and plain else None


def is_receivers_own(url: str) -> bool:
    """Return whether a URL in the receiver's lists leads to the receiver itself: its softcam relay.

    Numbers are read as the C library reads them (inet_aton): 127.1, 2130706433 and 0x7f000001 are
    127.0.0.1, and 0.0.0.0 is the same machine as well.
    """
    host = urlsplit(url).hostname or ""
    if host.removesuffix(".") == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address: IPv4Address | IPv6Address = IPv4Address(inet_aton(host))
    except OSError:
        try:
            address = IPv6Address(host)
        except ValueError:
            return False
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_unspecified


def segmented_url(channel: Channel) -> str | None:
    """Return the URL from which players fetch the channel's segments; None for a channel that xg2g
    plays, from at least one of its sources."""
    if not channel.reference.path:
        return None
    urls = [web_address(source) for source in channel.sources]
    if not all(
        url and _path(url).endswith(SEGMENTED_ENDINGS) and not is_receivers_own(url) for url in urls
    ):
        return None
    # After `#` bouquet editors put headers for Enigma2's own player.
    return urldefrag(urls[0] or "").url


def segmented_ending(channel: Channel) -> str | None:
    """Return the one of `SEGMENTED_ENDINGS` that the channel's source has; None for a channel that
    xg2g plays."""
    url = segmented_url(channel)
    return next((each for each in SEGMENTED_ENDINGS if url and _path(url).endswith(each)), None)


def video_codec(channel: Channel) -> str | None:
    """Return MPEG2, H264 or HEVC; None for radio, and when the service type does not tell."""
    return None if channel.radio else _VIDEO_CODECS.get(channel.reference.service_type)


def is_high_definition(channel: Channel) -> bool:
    """Return whether the service type tells that the channel is in high definition."""
    return not channel.radio and channel.reference.service_type in _HIGH_DEFINITION


def _path(url: str) -> str:
    return urlsplit(url).path.lower()

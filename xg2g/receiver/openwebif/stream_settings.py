"""What the receiver's settings, lists and playlists say about its streams."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..service_reference import ServiceReference

WHITELIST = "/etc/enigma2/whitelist_streamrelay"
"""Services for the softcam's stream relay, a reference a line."""

_ZAPSTREAM = "config.OpenWebif.webcache.zapstream"
_AUTHENTICATION = "config.streaming.authentication"


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Of the receiver's settings, which hold passwords too, no more than these."""

    playlists_zap: bool
    """Whoever fetches a service's playlist zaps the television to it."""
    wants_credentials: bool
    """The stream server asks for user and password."""


def read_settings(pairs: Iterable[object]) -> StreamSettings:
    """`/api/settings`: pairs of name and text, of what differs from its default."""
    changed: dict[str, object] = {}
    for pair in pairs:
        match pair:
            case [str(name), value]:
                changed[name] = value
    return StreamSettings(
        playlists_zap=str(changed.get(_ZAPSTREAM)).lower() == "true",
        wants_credentials=str(changed.get(_AUTHENTICATION)).lower() == "true",
    )


def read_whitelist(content: str) -> frozenset[str]:
    """Channel ids of the services on the list; lines that are no reference count for nothing,
    such as the one with which old web interfaces say that there is no file."""
    listed = set()
    for line in content.splitlines():
        try:
            listed.add(ServiceReference.parse(line).channel_id)
        except ValueError:
            continue
    return frozenset(listed)


def read_port(playlist: str) -> int | None:
    """The port that a service's playlist names for its stream, if it names one.

    The rest of the address is what we know, or less: some name no service, some the receiver's
    own loopback address, some put a session into it.
    """
    addresses = [line.strip() for line in playlist.splitlines() if line.startswith("http://")]
    try:
        return urlsplit(addresses[-1]).port if addresses else None
    except ValueError:
        return None

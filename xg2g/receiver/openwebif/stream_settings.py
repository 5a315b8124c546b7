"""The receiver's settings, lists and playlists that concern its streams."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..service_reference import ServiceReference

WHITELIST = "/etc/enigma2/whitelist_streamrelay"
"""Path of the list of services for the softcam's stream relay, one reference a line."""

_ZAPSTREAM = "config.OpenWebif.webcache.zapstream"
_AUTHENTICATION = "config.streaming.authentication"


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """The receiver's settings for streams; the others are not kept, since they hold passwords."""

    playlists_zap: bool
    """A request for a service's playlist zaps the television to this service."""
    wants_credentials: bool
    """The stream server requires user and password."""


def read_settings(pairs: Iterable[object]) -> StreamSettings:
    """Parse `/api/settings`: pairs of name and text, of settings that are not at their default."""
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
    """Return the channel ids of the services on the list. Lines without a reference are skipped:
    old web interfaces answer with a sentence if there is no file."""
    listed = set()
    for line in content.splitlines():
        try:
            listed.add(ServiceReference.parse(line).channel_id)
        except ValueError:
            continue
    return frozenset(listed)


def read_port(playlist: str) -> int | None:
    """Return the port in a service's playlist, or None.

    The rest of the address is known, or useless: some interfaces write no service, some the
    receiver's own loopback address, some add a session.
    """
    addresses = [line.strip() for line in playlist.splitlines() if line.startswith("http://")]
    try:
        return urlsplit(addresses[-1]).port if addresses else None
    except ValueError:
        return None

"""Which web pages may read what players use, and which the API too.

A browser shows a page the answers of another server only where that server names the page's origin
(CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). The pages of strangers that somebody in
the household visits are not named, as in `xg2g.web.hosts`.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from .hosts import ANY, Hosts, host_of

CAST_RECEIVER: Final = "https://www.gstatic.com"
"""Origin of Google's default media receiver, which runs on the television."""


def origin_of(text: str) -> str | None:
    """Return an origin as browsers write it (RFC 6454, 6.2), in lower case; None for anything else,
    `null` included."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or host_of(parts.netloc) is None:
        return None
    plain = f"{parts.scheme}://{parts.netloc}".lower()
    return plain if plain == text.lower() else None


class Origins:
    """The origins that are let in."""

    def __init__(self, hosts: Hosts, named: Iterable[str] = ()) -> None:
        """`named` are those of the settings; `ANY` among them stands for every origin."""
        self._hosts = hosts
        self._named = frozenset(name.lower() for name in named)

    def may_play(self, text: str) -> bool:
        """Tell whether a page of this origin may read playlists, guide, logos and streams: one of
        the household, the Cast receiver, and those that may read the API."""
        origin = origin_of(text)
        if origin is None:
            return False
        if origin == CAST_RECEIVER or self.may_read(text):
            return True
        host = host_of(urlsplit(origin).netloc) or ""
        try:
            # An address can be a stranger's, other than in `Host`.
            address = ip_address(host)
        except ValueError:
            return self._hosts.is_own(host)
        return address.is_private and not address.is_unspecified

    def may_read(self, text: str) -> bool:
        """Tell whether a page of this origin may read the API: those that the settings name."""
        origin = origin_of(text)
        return origin is not None and (ANY in self._named or origin in self._named)

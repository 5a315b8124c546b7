"""Origins of web pages that may read streams and playlists, and of those that may read the API.

A browser shows a page the answers of another server only if that server allows the page's origin
(CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). Strangers' pages that somebody in the
household visits are not allowed; `xg2g.network.hosts` says why.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from .hosts import ANY, AllowedHosts, host_of

CAST_RECEIVER: Final = "https://www.gstatic.com"
"""Origin of Google's default media receiver, the page that a Cast device plays with."""


def origin_of(text: str) -> str | None:
    """Return an origin in the form that browsers write (RFC 6454, 6.2), in lower case; None for
    any other text, `null` included."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or host_of(parts.netloc) is None:
        return None
    plain = f"{parts.scheme}://{parts.netloc}".lower()
    return plain if plain == text.lower() else None


class AllowedOrigins:
    """The origins whose pages may read answers of xg2g."""

    def __init__(self, hosts: AllowedHosts, named: Iterable[str] = ()) -> None:
        """Allow the origins `named` in the settings to read the API; `ANY` allows every origin."""
        self._hosts = hosts
        self._named = frozenset(name.lower() for name in named)

    def may_play(self, text: str) -> bool:
        """Return whether a page of this origin may read playlists, guide, logos and streams.

        Pages of the household, the Cast receiver and pages that may read the API can."""
        origin = origin_of(text)
        if origin is None:
            return False
        if origin == CAST_RECEIVER or self.may_read(text):
            return True
        host = host_of(urlsplit(origin).netloc) or ""
        try:
            # Unlike an address in `Host`, one in an origin can belong to a stranger.
            address = ip_address(host)
        except ValueError:
            return self._hosts.is_own(host)
        return address.is_private and not address.is_unspecified

    def may_read(self, text: str) -> bool:
        """Return whether the settings allow a page of this origin to read the API."""
        origin = origin_of(text)
        return origin is not None and (ANY in self._named or origin in self._named)

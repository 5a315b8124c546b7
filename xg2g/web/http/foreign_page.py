"""Whether a page of another site has a browser ask: it would take a tuner with an image.

Browsers say what they want a stream for, and for whose page (Fetch Metadata, W3C), to addresses
that they trust: HTTPS, and this computer's own. To others they still say what an element accepts,
and mostly whose page it is in. Players say nothing of all this.
"""

from urllib.parse import urlsplit

import structlog
from starlette.requests import Request

from ...network.hosts import host_of
from ...network.log_limit import LogLimit
from ...network.origins import origin_of
from ..gateway import gateway_of

log = structlog.get_logger()

_PLAYED_AS = frozenset(("", "audio", "video", "empty", "document"))
"""Destinations of a request that can play a stream: elements, scripts, and a person."""
_NEVER_PLAYED = ("image/", "text/css")
"""How `Accept` begins for elements that never do."""
_told = LogLimit(60.0)


def is_from_foreign_page(request: Request) -> bool:
    """Whether a page of another site embeds what is asked for, or fetches it though it may not read
    the answer (CORS): the browser would keep the stream from the page, and the tuner is taken."""
    headers = request.headers
    if origin := origin_of(headers.get("origin", "")):
        own = host_of(urlsplit(origin).netloc) == _own_host(request)
        return not (own or gateway_of(request).origins.may_play(origin)) and _tell(origin)
    if headers.get("sec-fetch-dest", "") not in _PLAYED_AS:
        return _tell(headers.get("sec-fetch-site", ""))
    if headers.get("accept", "").lstrip().lower().startswith(_NEVER_PLAYED):
        return _tell(headers.get("referer", ""))
    mode = headers.get("sec-fetch-mode", "")
    if site := headers.get("sec-fetch-site"):
        # A person who follows a link is no page that embeds.
        followed = mode == "navigate" and headers.get("sec-fetch-user") == "?1"
        foreign = site == "cross-site" and mode != "cors" and not followed
        return foreign and _tell(site)
    if "origin" in headers or headers.get("accept", "").startswith("text/html"):
        return False
    referer = headers.get("referer")
    if not referer or _page_host(referer) == _own_host(request):
        return False
    return _tell(referer)


def _tell(page: str) -> bool:
    if _told.allows(""):
        log.warning("stream refused: a web page of another site embeds it", page=page[:200])
    return True


def _own_host(request: Request) -> str | None:
    return host_of(request.headers.get("host", ""))


def _page_host(referer: str) -> str | None:
    try:
        return host_of(urlsplit(referer).netloc.rpartition("@")[2])
    except ValueError:
        return ""

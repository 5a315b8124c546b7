"""Detects requests that a browser sends for a page of another site.

Such a page could take a tuner by embedding a stream as an image. To addresses that they trust
(HTTPS, and this computer's own), browsers tell what an element wants and which page it is in (Fetch
Metadata, W3C). To other addresses they still tell which types it accepts, and usually the page.
Players send none of these headers.
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
"""Values of `Sec-Fetch-Dest` that can play a stream: elements, scripts, and a person's visit."""
_NEVER_PLAYED = ("image/", "text/css")
"""How `Accept` begins for elements that never play a stream."""
_log_limit = LogLimit(60.0)


def is_from_foreign_page(request: Request) -> bool:
    """Tell whether a page of another site embeds the requested stream, or fetches it though it may
    not read it (CORS): the browser would withhold the stream, but the tuner would be taken."""
    headers = request.headers
    if origin := origin_of(headers.get("origin", "")):
        own = host_of(urlsplit(origin).netloc) == _own_host(request)
        return not (own or gateway_of(request).origins.may_play(origin)) and _refuse(origin)
    if headers.get("sec-fetch-dest", "") not in _PLAYED_AS:
        return _refuse(headers.get("sec-fetch-site", ""))
    if headers.get("accept", "").lstrip().lower().startswith(_NEVER_PLAYED):
        return _refuse(headers.get("referer", ""))
    mode = headers.get("sec-fetch-mode", "")
    if site := headers.get("sec-fetch-site"):
        # A person who follows a link is not a page that embeds the stream.
        followed = mode == "navigate" and headers.get("sec-fetch-user") == "?1"
        foreign = site == "cross-site" and mode != "cors" and not followed
        return foreign and _refuse(site)
    if "origin" in headers or headers.get("accept", "").startswith("text/html"):
        return False
    referer = headers.get("referer")
    if not referer or _page_host(referer) == _own_host(request):
        return False
    return _refuse(referer)


def _refuse(page: str) -> bool:
    if _log_limit.allows(""):
        log.warning("stream refused: a web page of another site embeds it", page=page[:200])
    return True


def _own_host(request: Request) -> str | None:
    return host_of(request.headers.get("host", ""))


def _page_host(referer: str) -> str | None:
    try:
        return host_of(urlsplit(referer).netloc.rpartition("@")[2])
    except ValueError:
        return ""

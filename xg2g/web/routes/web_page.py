"""The web page and its files: /, /assets/..., /manifest.webmanifest, /licenses.txt, /favicon.ico.

If the page was not built, `/` shows the page of `/addresses`.
"""

from importlib.resources import files
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ...network.log_limit import LogLimit
from .. import pages
from ..gateway import gateway_of
from ..http.conditional import accepts_gzip, entity_tag, has_current
from ..pages.built_page import INDEX, BuiltPage
from . import addresses as addresses

log = structlog.get_logger()

_log_limit = LogLimit(24 * 3600)
_HEADERS: Final = {
    # Everything that the page loads comes from xg2g. So a name from a receiver that were taken for
    # HTML could neither run nor send anything.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
_YEAR_S: Final = 365 * 24 * 3600
_IMMUTABLE: Final = f"public, max-age={_YEAR_S}, immutable"
_DAY_S: Final = 24 * 3600


async def _index(request: Request) -> Response:
    page = gateway_of(request).page
    if page is not None:
        return _file(request, page, INDEX)
    if _log_limit.allows(""):
        log.info("the web page was not built because Node was missing; / shows /addresses instead")
    return await addresses.addresses_page(request)


async def _part(request: Request) -> Response:
    page, path = gateway_of(request).page, request.url.path.removeprefix("/")
    if page is None or path not in page.files:
        return PlainTextResponse("no such file\n", status_code=404)
    return _file(request, page, path)


def _file(request: Request, page: BuiltPage, path: str) -> Response:
    file = page.files[path]
    is_coded = file.gzipped is not None and accepts_gzip(request)
    body = file.gzipped if file.gzipped is not None and is_coded else file.body
    headers = {
        **_HEADERS,
        "Cache-Control": _IMMUTABLE if path.startswith("assets/") else "no-cache",
        # Each coding has its own tag (RFC 9110, 8.8.3.3).
        "ETag": entity_tag(body),
    }
    if has_current(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Type": file.media_type}
    if is_coded:
        headers |= {"Content-Encoding": "gzip"}
    return Response(body, headers=headers)


async def _icon(request: Request) -> Response:
    """Return the icon that browsers request for every page."""
    icon = files(pages.__name__).joinpath("favicon.ico").read_bytes()
    headers = {"Cache-Control": f"max-age={_DAY_S}"}
    return Response(icon, media_type="image/vnd.microsoft.icon", headers=headers)


ROUTES: list[BaseRoute] = [
    Route("/", _index),
    Route("/assets/{name}", _part),
    Route("/manifest.webmanifest", _part),
    Route("/licenses.txt", _part),
    Route("/favicon.ico", _icon),
]

"""The web page at `/`, its files, and the icon. Without a built page, `/` shows that of
`/addresses`."""

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

_told = LogLimit(24 * 3600)
_HEADERS: Final = {
    # Scripts, styles and everything that they ask for come from here. Names that a receiver made
    # up stay text, and if one did not, it could neither run nor tell anybody.
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
    if _told.allows(""):
        log.info("the web page was not built, since Node was missing; / shows that of /addresses")
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
        # Each representation has its own (RFC 9110, 8.8.3.3).
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

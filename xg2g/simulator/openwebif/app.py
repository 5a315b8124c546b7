"""The web interface's ASGI application."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from xg2g.simulator.box import Box
from xg2g.simulator.openwebif import bouquets, files, guide, playback, status, timers
from xg2g.simulator.openwebif.gate import Gate
from xg2g.simulator.openwebif.responses import no_such_resource, processing_failed


def create_app(box: Box, gate: Gate) -> Starlette:
    """Return the application for the receiver's state; every request but IPTV passes `gate`."""
    parts = (status, bouquets, guide, playback, files, timers)
    routes = [
        # Twisted ignores the method: POST is answered like GET.
        Route(path, gate.guarded(handler))
        for part in parts
        for path, handler in part.handlers(box).items()
    ]
    return Starlette(
        routes=[*routes, playback.internet(box)],
        middleware=[Middleware(_GZip)],
        exception_handlers={404: _no_such_resource, 500: _processing_failed},
    )


class _GZip:
    """Compression of the API, when a client requests it."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._packing = GZipMiddleware(app, compresslevel=1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        packs = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (self._packing if packs else self._plain)(scope, receive, send)


def _no_such_resource(request: Request, exc: Exception) -> Response:
    return no_such_resource()


def _processing_failed(request: Request, exc: Exception) -> Response:
    return processing_failed()

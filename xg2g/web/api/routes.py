"""Routes of the API: all operations under /api/v1, and their document /openapi.json."""

import asyncio
import json
from collections.abc import Sequence
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from . import channels, guide, service, streams
from .openapi import document

OPERATIONS = (
    *service.OPERATIONS,
    *channels.OPERATIONS,
    *guide.OPERATIONS,
    *streams.OPERATIONS,
)


def openapi() -> dict[str, object]:
    """Return the OpenAPI document of the API."""
    return document(OPERATIONS)


@cache
def _openapi_json() -> bytes:
    return json.dumps(openapi(), ensure_ascii=False, separators=(",", ":")).encode()


async def _document(request: Request) -> Response:
    # In a thread: the first call takes 50 ms.
    body = await asyncio.to_thread(_openapi_json)
    return Response(body, media_type="application/json")


def _route(path: str) -> Route:
    return next(each for each in OPERATIONS if each.path == path).route()


def _mounted(path: str, routes: Sequence[Route]) -> Mount:
    """Mount routes without redirects for a final slash: a redirect leads to whatever host the
    request names."""
    return Mount(path, app=Router(routes, redirect_slashes=False))


ROUTES: list[BaseRoute] = [
    Route("/openapi.json", _document),
    _mounted("/api/v1", [each.route() for each in OPERATIONS]),
    # Paths of the predecessor.
    _mounted("/api", [_route("/status"), _route("/refresh")]),
]

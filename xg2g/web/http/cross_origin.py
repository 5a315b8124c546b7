"""Headers that let pages of other servers read an answer (CORS)."""

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...network.origins import AllowedOrigins

_METHODS: Final = "GET, HEAD, OPTIONS"
_REQUEST_HEADERS: Final = "Authorization, Cache-Control, If-None-Match, Range"
_ANSWER_HEADERS: Final = "Content-Length, ETag, Retry-After, X-HDHomeRun-Error"
_PREFLIGHT_S: Final = 600


class CrossOrigin:
    """Middleware that names a request's origin in the answer, if that origin may read it.

    Pages of other servers can never change anything: preflights allow only methods that read.
    """

    def __init__(
        self,
        app: ASGIApp,
        origins: AllowedOrigins,
        *,
        played: Iterable[BaseRoute],
        api: Iterable[BaseRoute],
    ) -> None:
        """`played` are the routes for players, `api` those for origins in the settings only."""
        self._app = app
        self._origins = origins
        self._played = tuple(played)
        self._api = tuple(api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (route := _first(self._played, scope)) is not None:
            may_read = self._origins.may_play
        elif (route := _first(self._api, scope)) is not None:
            may_read = self._origins.may_read
        else:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = may_read(origin)
        if allowed and _is_preflight(scope, headers):
            # The metrics count answers by route.
            scope["route"] = route
            await _preflight(headers, origin)(scope, receive, send)
            return

        async def with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                # Always: a cache must not give a page the answer for another page.
                answer.add_vary_header("Origin")
                if allowed:
                    answer["Access-Control-Allow-Origin"] = origin
                    answer["Access-Control-Expose-Headers"] = _ANSWER_HEADERS
            await send(message)

        await self._app(scope, receive, with_origin)


def _first(routes: Iterable[BaseRoute], scope: Scope) -> BaseRoute | None:
    matching = (route for route in routes if route.matches(scope)[0] is not Match.NONE)
    return next(matching, None)


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in headers


def _preflight(headers: Headers, origin: str) -> Response:
    answer = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _REQUEST_HEADERS,
        "Access-Control-Max-Age": str(_PREFLIGHT_S),
        "Vary": "Origin",
    }
    if headers.get("access-control-request-private-network") == "true":
        # Lets a public page request from a server in a home network (Private Network Access).
        answer["Access-Control-Allow-Private-Network"] = "true"
    return Response(status_code=204, headers=answer)

"""Methods of a path: OPTIONS, and `Allow`."""

from collections.abc import Iterable, Mapping

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

_SERVER = "*"
"""Target of an OPTIONS request about the server itself (RFC 9112, 3.2.4)."""
_METHODS = ("GET", "HEAD", "POST", "DELETE")
"""All methods of the daemon, in the order of `Allow`."""


class Options:
    """Middleware that answers OPTIONS for existing paths (RFC 9110, 9.3.7)."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._routes = tuple(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._app
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            methods = _METHODS if scope["path"] == _SERVER else _methods_of(self._routes, scope)
            if methods:
                # Without Access-Control-Allow-...: that is for `cross_origin` to decide.
                app = Response(status_code=204, headers={"Allow": allow(methods)})
        await app(scope, receive, send)


def allow(methods: Iterable[str]) -> str:
    """Return the value of an `Allow` header: these methods, and OPTIONS."""
    given = set(methods)
    return ", ".join([*(method for method in _METHODS if method in given), "OPTIONS"])


def with_options(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return the headers of a refusal, with OPTIONS added to `Allow`."""
    added = dict(headers or {})
    if "Allow" in added:
        added["Allow"] = allow(method.strip() for method in added["Allow"].split(","))
    return added


def _methods_of(routes: Iterable[BaseRoute], scope: Scope) -> Iterable[str]:
    """Return the methods of the first route that matches the path; nothing if no route does."""
    for route in routes:
        match, inner = route.matches(scope)
        if match is Match.NONE:
            continue
        if isinstance(route, Mount):
            return _methods_of(route.routes, {**scope, **inner})
        # The metrics count answers by route.
        scope["route"] = route
        return (isinstance(route, Route) and route.methods) or ()
    return ()

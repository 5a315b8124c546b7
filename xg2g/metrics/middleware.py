"""Middleware that counts HTTP responses."""

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics


class MetricsMiddleware:
    """Counts each response when it begins, by the path template of its route.

    Paths come from outside and their number is unlimited; templates are constants. Requests without
    a route share one label.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        def count(status: int) -> None:
            nonlocal started
            started = True
            self._metrics.requests.labels(_template(scope), status).inc()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            # An outer middleware responds with 500.
            if not started:
                count(500)
            raise


def _template(scope: Scope) -> str:
    """Return `/stream/{channel_id}.ts`; for a mounted route, prefixed with the mount point, which
    has no parameters."""
    route, mounted_at = scope.get("route"), scope.get("root_path", "")
    if isinstance(route, Route):
        return f"{mounted_at}{route.path}"
    return mounted_at or "none"

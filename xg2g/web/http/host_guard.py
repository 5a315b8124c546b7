"""Refuses requests for other hosts than xg2g; `xg2g.network.hosts` gives the reason."""

import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ...network.hosts import AllowedHosts, host_of

log = structlog.get_logger()

_LOG_INTERVAL_S = 60.0


class HostGuard:
    """Middleware that refuses requests whose Host is invalid (400) or is not xg2g's (421)."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: AllowedHosts,
        *,
        is_stream: Callable[[str], bool],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_stream` tells the paths whose refusals are empty: clients store any body as video."""
        self._app = app
        self._hosts = hosts
        self._is_stream = is_stream
        self._clock_s = clock_s
        self._logged_at_s: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._app
        if scope["type"] == "http" and (refusal := self._refusal(scope)):
            app = refusal
        await app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        # HTTP/1.0 has no Host, and in HTTP/1.1 it may be empty (RFC 9112, 3.2).
        if not (authority := Headers(scope=scope).get("host", "")):
            return None
        host = host_of(authority)
        if host is None:
            return self._answer(scope, 400, "invalid Host header; use a host name or an address")
        if self._hosts.has(host) or _needs_access(scope):
            return None
        self._log(host)
        return self._answer(
            scope,
            421,
            f"xg2g does not answer to the name {host}; add it to server.host_names, or set "
            "server.public_url",
        )

    def _answer(self, scope: Scope, status: int, text: str) -> Response:
        if self._is_stream(scope["path"]):
            return Response(status_code=status)
        return PlainTextResponse(f"{text}\n", status_code=status)

    def _log(self, host: str) -> None:
        now_s = self._clock_s()
        if self._logged_at_s is None or now_s - self._logged_at_s >= _LOG_INTERVAL_S:
            self._logged_at_s = now_s
            log.warning(
                "request refused: unknown host name; add it to server.host_names if it is xg2g's",
                host=host,
            )


def _needs_access(scope: Scope) -> bool:
    """Tell whether `http.access` decides about the request: it refuses a change without the token,
    unless it comes from this computer by one of its own addresses."""
    changes = scope["method"] not in ("GET", "HEAD")
    return changes and scope["path"].startswith("/api/")

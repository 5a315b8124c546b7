"""Request targets in one form."""

import re
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_ABSOLUTE = re.compile(rb"https?://([^/]*)(.*)", re.IGNORECASE | re.DOTALL)
_SLASHES = re.compile(rb"/{2,}")


class RequestTarget:
    """Middleware that normalises request targets.

    A target in absolute form, as clients of a proxy send it, becomes its path, and its authority
    replaces `Host` (RFC 9112, 3.2.2). Doubled slashes become one, and a final slash is removed:
    clients join addresses and paths in both ways. Encoded slashes stay.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._app
        if scope["type"] == "http" and not _normalise(scope):
            app = Response(status_code=400)
        await app(scope, receive, send)


def _normalise(scope: Scope) -> bool:
    """Normalise the target in the scope. Return False if it names no host."""
    raw: bytes = scope["raw_path"]
    if match := _ABSOLUTE.fullmatch(raw):
        authority, raw = match[1].rpartition(b"@")[2], match[2] or b"/"
        if not authority:
            return False
        MutableHeaders(scope=scope)["host"] = authority.decode("latin-1")
    if raw.startswith(b"/"):
        raw = _SLASHES.sub(b"/", raw).rstrip(b"/") or b"/"
    scope["raw_path"] = raw
    scope["path"] = unquote(raw.decode("ascii"))
    return True

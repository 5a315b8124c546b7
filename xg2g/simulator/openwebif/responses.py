"""The forms of OpenWebif's responses."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

Json = dict[str, Any]
Handler = Callable[[Request], Response | Awaitable[Response]]

_JSON = "application/json; charset=utf-8"


def json_answer(content: Json) -> Response:
    """Return JSON as OpenWebif prints it: ASCII, indented by one."""
    return Response(json.dumps(content, indent=1), media_type=_JSON)


def long_json_answer(pieces: Iterable[str]) -> Response:
    """Return the same in pieces of ASCII, complete before the first one is sent."""
    encoded = [piece.encode("ascii") for piece in pieces]

    async def body() -> AsyncIterator[bytes]:
        for piece in encoded:
            yield piece

    length = {"Content-Length": str(sum(map(len, encoded)))}
    return StreamingResponse(body(), media_type=_JSON, headers=length)


async def whole(response: Response) -> bytes:
    """Return the body of a response that was not sent."""
    if isinstance(response, StreamingResponse):
        pieces = [piece async for piece in response.body_iterator]
        return b"".join(p.encode() if isinstance(p, str) else bytes(p) for p in pieces)
    return bytes(response.body)


def failure(message: str) -> Response:
    """Return the answer to a failed command: status 200."""
    return json_answer({"result": False, "message": message})


def no_such_resource() -> Response:
    """Return Twisted's answer to an unknown path."""
    return HTMLResponse("<html><body><h1>404 - No Such Resource</h1></body></html>", 404)


def processing_failed() -> Response:
    """Return Twisted's answer to any exception of a handler."""
    page = "<html><head><title>Processing Failed</title></head><body></body></html>"
    return HTMLResponse(page, 500)

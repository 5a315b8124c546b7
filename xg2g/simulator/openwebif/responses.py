"""The forms that OpenWebif's answers have."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

Json = dict[str, Any]
Handler = Callable[[Request], Response | Awaitable[Response]]

_JSON = "application/json; charset=utf-8"


def json_answer(content: Json) -> Response:
    """As OpenWebif prints it: ASCII, indented by one."""
    return Response(json.dumps(content, indent=1), media_type=_JSON)


def long_json_answer(pieces: Iterable[str]) -> Response:
    """The same in pieces, complete before the first is sent; they have to be ASCII."""
    encoded = [piece.encode("ascii") for piece in pieces]

    async def body() -> AsyncIterator[bytes]:
        for piece in encoded:
            yield piece

    length = {"Content-Length": str(sum(map(len, encoded)))}
    return StreamingResponse(body(), media_type=_JSON, headers=length)


async def whole(response: Response) -> bytes:
    """The body of an answer that was not sent."""
    if isinstance(response, StreamingResponse):
        pieces = [piece async for piece in response.body_iterator]
        return b"".join(p.encode() if isinstance(p, str) else bytes(p) for p in pieces)
    return bytes(response.body)


def failure(message: str) -> Response:
    """A command that failed: still 200."""
    return json_answer({"result": False, "message": message})


def no_such_resource() -> Response:
    """What Twisted says to an unknown path."""
    return HTMLResponse("<html><body><h1>404 - No Such Resource</h1></body></html>", 404)


def processing_failed() -> Response:
    """What Twisted says whatever a handler raises."""
    page = "<html><head><title>Processing Failed</title></head><body></body></html>"
    return HTMLResponse(page, 500)

"""How answers of HTTP Live Streaming wait, and how they are counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...outputs.hls.output import HlsOutput
from ..gateway import gateway_of


class WaitingResponse:
    """Response that may have to wait. The client counts as a player until it is sent."""

    def __init__(
        self,
        output: HlsOutput,
        request: Request,
        answer: Callable[[], Awaitable[Response]],
        *,
        is_there: bool,
        is_low_latency: bool = False,
    ) -> None:
        """`is_there`: no wait is needed. `is_low_latency`: only low-latency players send this."""
        self._output = output
        self._is_there = is_there
        self._is_low_latency = is_low_latency
        self._client = client_key(request)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._output.clients.asking(self._client, waits=self._is_low_latency):
            answer = self._answer()
            response = await (answer if self._is_there else _unless_disconnected(answer, receive))
            if response is None:
                self._output.clients.break_off(self._client)
                return
            await response(scope, receive, send)
            if scope["method"] != "HEAD":
                self._output.sent(len(response.body))


class CountedRoute:
    """Route handler whose answers are counted by kind and status."""

    def __init__(self, handler: Callable[[Request], Awaitable[ASGIApp]]) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        requests = gateway_of(request).metrics.hls.requests

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                requests.labels(_kind(request.path_params), message["status"]).inc()
            await send(message)

        await (await self._handler(request))(scope, receive, counted)


def client_key(request: Request) -> str:
    """Return a key that distinguishes players: address and user agent."""
    host = request.client.host if request.client else ""
    return f"{host} {request.headers.get('user-agent', '')[:200]}"


async def _unless_disconnected(answer: Awaitable[Response], receive: Receive) -> Response | None:
    """Return the answer; None if the client disconnects first."""
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else None
    finally:
        for each in (answering, leaving):
            each.cancel()
        await asyncio.wait({answering, leaving})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _kind(params: Mapping[str, str]) -> str:
    """Return the kind of resource as a label for the metrics."""
    if "rendition" not in params:
        return "index"
    name = params.get("name")
    if name is None:
        return "playlist"
    if name.startswith("header-"):
        return "header"
    return "part" if name.count(".") > 1 else "segment"

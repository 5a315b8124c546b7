"""Live streams, by channel and by service reference."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ..gateway import gateway_of
from ..live_response import LIVE_HEADERS, UNKNOWN_CHANNEL, LiveResponse, refusal_for
from ..receiver.errors import ReceiverError
from ..receiver.service_reference import ServiceReference


async def _stream(request: Request) -> ASGIApp:
    keeper = gateway_of(request).lineup_keeper
    if keeper.lineup is None:
        if not isinstance(keeper.trouble, ReceiverError):
            return _refused(503, "803 System Busy")
        refusal = refusal_for(keeper.trouble)
        return _refused(refusal.status, refusal.hdhomerun_error)
    channel = keeper.lineup.find(request.path_params["channel_id"])
    if channel is None:
        return _refused(*UNKNOWN_CHANNEL)
    return _live(request, channel.id, channel.sources, listed=True)


async def _service_reference(request: Request) -> ASGIApp:
    try:
        reference = ServiceReference.parse(request.path_params["reference"])
    except ValueError:
        return PlainTextResponse("Not Found\n", status_code=404)
    # Only services: a path would be a file of the receiver or a URL for it to fetch.
    if not reference.is_dvb_service:
        return _refused(*UNKNOWN_CHANNEL)
    lineup = gateway_of(request).lineup_keeper.lineup
    listed = lineup is not None and lineup.find(reference.channel_id) is not None
    return _live(request, reference.channel_id, [reference], listed=listed)


def _live(
    request: Request, channel_id: str, sources: Sequence[ServiceReference], *, listed: bool
) -> ASGIApp:
    gateway = gateway_of(request)
    if request.method == "HEAD":
        return _head()
    return LiveResponse(
        channel_id,
        lambda: gateway.streams.open_first(sources),
        stopping=gateway.stopping,
        send_timeout_s=gateway.send_timeout_s,
        metrics=gateway.metrics,
        unknown_when_refused=not listed,
    )


def _head() -> Response:
    """What clients ask first: the type. No tuner is touched for it."""
    response = Response()
    response.raw_headers = list(LIVE_HEADERS)
    return response


def _refused(status: int, hdhomerun_error: str) -> Response:
    return Response(status_code=status, headers={"X-HDHomeRun-Error": hdhomerun_error})


ROUTES: list[BaseRoute] = [
    Route("/stream/{channel_id}.ts", _stream),
]

ANY_PATH: list[BaseRoute] = [
    # http://receiver:8001/1:0:19:... with xg2g's address in place of the receiver's. It takes
    # every path, so it has to be the last route.
    Route("/{reference:path}", _service_reference),
]

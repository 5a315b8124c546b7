"""The tuner's documents, and its stream URLs by number."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ..gateway import gateway_of
from ..hdhomerun import documents
from ..streaming.response import UNKNOWN_CHANNEL
from .address import base_url
from .live import live, refused, refused_while_unread
from .selection import lineup_of

_UNKNOWN_PROFILE = (404, "802 Unknown Transcode Profile")
_LONGEST_S = 7 * 24 * 3600


async def _discover(request: Request) -> Response:
    return JSONResponse(documents.discover(gateway_of(request).device, base_url(request)))


async def _lineup(request: Request) -> Response:
    return JSONResponse(documents.lineup(lineup_of(request).channels, base_url(request)))


async def _lineup_xml(request: Request) -> Response:
    body = documents.lineup_xml(lineup_of(request).channels, base_url(request))
    return Response(body, media_type="application/xml")


async def _lineup_m3u(request: Request) -> Response:
    body = documents.lineup_m3u(lineup_of(request).channels, base_url(request))
    return PlainTextResponse(body, media_type="audio/x-mpegurl")


async def _lineup_status(request: Request) -> Response:
    return JSONResponse(documents.LINEUP_STATUS)


async def _lineup_post(request: Request) -> Response:
    """A scan, which Plex insists on: 405 here once made it say "device not found"."""
    return Response()


async def _status(request: Request) -> Response:
    gateway = gateway_of(request)
    return JSONResponse(documents.status(gateway.device.tuners, gateway.on_air()))


async def _device(request: Request) -> Response:
    body = documents.description(gateway_of(request).device, base_url(request))
    return Response(body, media_type="application/xml")


async def _stream(request: Request) -> ASGIApp:
    """`/auto/v101`, `/tuner0/v101`: any tuner, since the receiver chooses among its own."""
    if request.query_params.get("transcode", "none") != "none":
        return refused(*_UNKNOWN_PROFILE)
    duration_s = _duration_s(request.query_params.get("duration"))
    if duration_s == 0:
        return PlainTextResponse("duration is a number of seconds\n", status_code=400)
    lineup = gateway_of(request).lineup_keeper.lineup
    if lineup is None:
        return refused_while_unread(request)
    channel = lineup.by_number(request.path_params["number"])
    if channel is None:
        return refused(*UNKNOWN_CHANNEL)
    return live(request, channel.id, channel.sources, listed=True, duration_s=duration_s)


def _duration_s(given: str | None) -> int | None:
    """How long the stream may last; None for ever, 0 for what is no duration."""
    if not given:
        return None
    return min(int(given), _LONGEST_S) if given.isdecimal() and len(given) < 10 else 0


ROUTES: list[BaseRoute] = [
    Route("/discover.json", _discover),
    # Plex and some others ask with POST.
    Route("/lineup.json", _lineup, methods=["GET", "POST"]),
    Route("/lineup.xml", _lineup_xml),
    Route("/lineup.m3u", _lineup_m3u),
    Route("/lineup_status.json", _lineup_status),
    Route("/lineup.post", _lineup_post, methods=["GET", "POST"]),
    Route("/status.json", _status),
    Route("/device.xml", _device),
    Route("/auto/v{number:int}", _stream),
    Route("/tuner{tuner:int}/v{number:int}", _stream),
]

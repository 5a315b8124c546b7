"""The daemon's HTTP routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import playlist
from .lineup_reader import LineupKeeper
from .live_response import LIVE_HEADERS, UNKNOWN_CHANNEL, LiveResponse, refusal_for
from .metrics import Metrics
from .receiver.service_reference import ServiceReference
from .streaming import LiveStreams


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What the routes stand on."""

    lineup_keeper: LineupKeeper
    streams: LiveStreams
    metrics: Metrics
    send_timeout_s: float
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to end every live stream."""


def create_app(gateway: Gateway) -> Starlette:
    """Make the ASGI application."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        loading = asyncio.create_task(gateway.lineup_keeper.load_in_the_end())
        yield
        loading.cancel()
        await asyncio.wait({loading})

    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/playlist.m3u", _playlist),
            # Where the predecessor had it.
            Route("/files/playlist.m3u", _playlist),
            Route("/stream/{channel_id}.ts", _stream),
            Route("/healthz", _health),
            Route("/metrics", _metrics),
            # http://receiver:8001/1:0:19:... with xg2g's address in place of the receiver's.
            Route("/{reference:path}", _service_reference),
        ],
    )
    app.state.gateway = gateway
    return app


async def _playlist(request: Request) -> Response:
    gateway = _gateway(request)
    lineup = gateway.lineup_keeper.lineup
    if lineup is None:
        trouble = gateway.lineup_keeper.trouble
        text = f"{trouble}\n" if trouble else "the lineup is being read; try again in a moment\n"
        return PlainTextResponse(text, status_code=503, headers={"Retry-After": "5"})
    base_url = str(request.base_url).rstrip("/")
    return Response(
        playlist.render(lineup.channels, base_url),
        media_type=f"{playlist.MEDIA_TYPE}; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


async def _stream(request: Request) -> ASGIApp:
    gateway = _gateway(request)
    keeper = gateway.lineup_keeper
    if keeper.lineup is None:
        if keeper.trouble is None:
            return _refused(503, "803 System Busy")
        refusal = refusal_for(keeper.trouble)
        return _refused(refusal.status, refusal.hdhomerun_error)
    channel = keeper.lineup.find(request.path_params["channel_id"])
    if channel is None:
        return _refused(*UNKNOWN_CHANNEL)
    return _live(request, channel.reference, listed=True)


async def _service_reference(request: Request) -> ASGIApp:
    try:
        reference = ServiceReference.parse(request.path_params["reference"])
    except ValueError:
        return PlainTextResponse("Not Found\n", status_code=404)
    # Only services: a path would be a file of the receiver or a URL for it to fetch.
    if not reference.is_dvb_service:
        return _refused(*UNKNOWN_CHANNEL)
    lineup = _gateway(request).lineup_keeper.lineup
    listed = lineup is not None and lineup.find(reference.channel_id) is not None
    return _live(request, reference, listed=listed)


def _live(request: Request, service: ServiceReference, *, listed: bool) -> ASGIApp:
    gateway = _gateway(request)
    if request.method == "HEAD":
        return _head()
    return LiveResponse(
        service.channel_id,
        lambda: gateway.streams.open(service),
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


async def _health(request: Request) -> Response:
    """200 while the process serves, whatever the receiver does: a restart would not mend that."""
    gateway = _gateway(request)
    lineup, trouble = gateway.lineup_keeper.lineup, gateway.lineup_keeper.trouble
    return JSONResponse(
        {
            "status": "ok",
            "version": version("xg2g"),
            "channels": len(lineup.channels) if lineup else 0,
            "receiver": str(trouble) if trouble else "ok" if lineup else "not asked yet",
        }
    )


async def _metrics(request: Request) -> Response:
    gateway = _gateway(request)
    lineup = gateway.lineup_keeper.lineup
    gateway.metrics.channels.set(len(lineup.channels) if lineup else 0)
    return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway

"""What whoever runs the daemon looks at."""

import asyncio
from contextlib import suppress
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..api.access import access_of
from ..gateway import gateway_of
from ..lineup.keeper import LineupKeeper
from ..store import programmes
from ..store.database import StoreError

_BACKEND_WITHIN_S = 2


async def _health(request: Request) -> Response:
    """200 while the process serves, whatever the receiver does: a restart would not mend that."""
    keeper = gateway_of(request).lineup_keeper
    return JSONResponse(
        {
            "status": "ok",
            "version": version("xg2g"),
            "channels": len(keeper.lineup.channels) if keeper.lineup else 0,
            "receiver": receiver_state(keeper),
        }
    )


async def _ready(request: Request) -> Response:
    """200 once there is a lineup to play from, be it a stored one."""
    unready = gateway_of(request).unready()
    if unready is None:
        return JSONResponse({"status": "ready"})
    body = {"status": "not ready", "reason": unready}
    return JSONResponse(body, status_code=503, headers={"Retry-After": "5"})


def receiver_state(keeper: LineupKeeper) -> str:
    """`ok`, or one line about what is wrong."""
    has_answered = keeper.read_at_s is not None
    return str(keeper.trouble) if keeper.trouble else "ok" if has_answered else "not asked yet"


async def _metrics(request: Request) -> Response:
    if refusal := access_of(request).refusal(request, changes=False):
        return refusal
    gateway = gateway_of(request)
    # Without the store the last number stays; nobody looks at metrics for that alone.
    with suppress(StoreError):
        gateway.metrics.programmes.set(await gateway.database.read(programmes.count))
    # As with transcoder services that do not answer in time.
    with suppress(TimeoutError):
        async with asyncio.timeout(_BACKEND_WITHIN_S):
            health = await gateway.streams.backend.check()
            gateway.metrics.remuxers.set(health.open_remuxers)
    return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)


ROUTES: list[BaseRoute] = [
    Route("/healthz", _health),
    Route("/readyz", _ready),
    Route("/metrics", _metrics),
]

"""Monitoring: /healthz, /readyz, /metrics."""

import asyncio
from contextlib import suppress
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ...guide import programme_table
from ...store.database import StoreError
from ..gateway import gateway_of
from ..http.access import access_of
from ..service_status import receiver_state, service_status

_BACKEND_WITHIN_S = 2
"""Time for probes and for the backend's counters in /metrics."""
_HEALTH_PROBES_S = 0.5
"""Time for probes in /healthz, which must answer fast: its clients restart a silent process."""
_READY_PROBES_S = 8.0
"""Time for probes in /readyz."""


async def _health(request: Request) -> Response:
    """Return 200 while the process serves, whatever the receiver does: no restart would fix it."""
    gateway = gateway_of(request)
    await gateway.readiness.examine(within_s=_HEALTH_PROBES_S)
    found, lineup = service_status(gateway), gateway.lineup_keeper.lineup
    return JSONResponse(
        {
            "status": found.state.value,
            "reasons": found.reasons,
            "version": version("xg2g"),
            "channels": len(lineup.channels) if lineup else 0,
            "receiver": receiver_state(gateway),
        }
    )


async def _ready(request: Request) -> Response:
    """Return 200 if a new viewer would be served."""
    gateway = gateway_of(request)
    await gateway.readiness.examine(within_s=_READY_PROBES_S)
    found = service_status(gateway)
    body = {"status": found.state.value, "reasons": found.reasons}
    if found.is_ready:
        return JSONResponse(body)
    body["reason"] = found.reasons[0]
    return JSONResponse(body, status_code=503, headers={"Retry-After": "5"})


async def _metrics(request: Request) -> Response:
    if refusal := access_of(request).refusal(request, changes=False):
        return refusal
    gateway = gateway_of(request)
    # Without the database, the last number stays.
    with suppress(StoreError):
        gateway.metrics.programmes.set(await gateway.database.read(programme_table.count))
    await gateway.readiness.examine(within_s=_BACKEND_WITHIN_S)
    # The same if transcoder services do not answer in time.
    with suppress(TimeoutError):
        async with asyncio.timeout(_BACKEND_WITHIN_S):
            health = await gateway.hub.backend.check()
            gateway.metrics.remuxers.set(health.open_remuxers)
    return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)


ROUTES: list[BaseRoute] = [
    Route("/healthz", _health),
    Route("/readyz", _ready),
    Route("/metrics", _metrics),
]

"""xg2g itself: /status, /access, /refresh."""

import math
from dataclasses import asdict
from importlib.metadata import version

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ...guide import programme_table
from ..gateway import gateway_of
from ..http.access import access_of
from ..http.refusals import Refused
from ..service_status import receiver_state, service_status
from . import models, queries
from .operation import Operation

_PROBES_WITHIN_S = 2
"""How long probes may take; a later result is part of the next answer."""


async def _status(request: Request, _: queries.NoQuery) -> BaseModel:
    gateway = gateway_of(request)
    await gateway.readiness.examine(within_s=_PROBES_WITHIN_S)
    keeper, found = gateway.lineup_keeper, service_status(gateway)
    return models.Status(
        version=version("xg2g"),
        ready=found.is_ready,
        state=found.state,
        reasons=list(found.reasons),
        receiver=receiver_state(gateway),
        channels=len(keeper.lineup.channels) if keeper.lineup else 0,
        programmes=await gateway.database.read(programme_table.count),
        streams=len(gateway.viewers),
        upstreams=len(gateway.hub.upstreams),
        tuners=models.TunerState(
            in_use=gateway.hub.in_use,
            limit=gateway.hub.limit,
            lingering=gateway.hub.lingering,
        ),
        refreshes=[models.RefreshState(**asdict(each)) for each in gateway.refresher.progress()],
    )


async def _access(request: Request, _: queries.NoQuery) -> BaseModel | Response:
    access = access_of(request)
    # A wrong token is counted as a guess, here as on every path.
    if access.shows_token(request) and (refusal := access.refusal(request, changes=True)):
        return refusal
    why = access.why_not(request, changes=True)
    return models.Access(may_change=why is None, has_token=access.has_token, detail=why)


async def _refresh(request: Request, _: queries.NoQuery) -> BaseModel:
    wait_s = gateway_of(request).refresher.ask()
    if wait_s is not None:
        raise Refused(
            409,
            "a refresh is running or has just ended; try again later",
            {"Retry-After": str(math.ceil(wait_s))},
        )
    return models.Accepted(detail="refresh started: lineup, then guide; see /api/v1/status")


OPERATIONS = (
    Operation(
        path="/status", handler=_status, summary="Get the service status", answer=models.Status
    ),
    Operation(
        path="/access",
        handler=_access,
        summary="Tell whether this client may end streams and start a refresh",
        answer=models.Access,
    ),
    Operation(
        method="POST",
        path="/refresh",
        handler=_refresh,
        summary="Start reading lineup and guide from the receiver",
        answer=models.Accepted,
        status=202,
        refusals={409: "A refresh is running, or has just ended"},
    ),
)

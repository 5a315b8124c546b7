"""Viewers, the upstreams they watch, and failures: /streams, /streams/{id}, /failures."""

import asyncio
from dataclasses import asdict

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from xg2g_backends.errors import BackendError

from ...lineup import Lineup
from ...outputs.viewers import SharedStream, Viewer, shared_streams
from ...streaming.tuner_ledger import transponder
from ...streaming.upstream import State, Upstream
from ..gateway import gateway_of
from ..http.refusals import Refused
from . import models, queries
from .operation import Operation

_STATS_WITHIN_S = 2
"""How long a transcoder may take to tell its counters; after that, they are left out."""


async def _streams(request: Request, _: queries.NoQuery) -> BaseModel:
    gateway = gateway_of(request)
    lineup = gateway.lineup_keeper.lineup or Lineup()
    upstreams = gateway.hub.upstreams
    answers = await asyncio.gather(*(_remuxing_model(each) for each in upstreams))
    remuxers = dict(zip(upstreams, answers, strict=True))
    # Read again after the wait, so that viewers and upstreams are those of the same moment.
    shared = shared_streams(gateway.hub.upstreams, gateway.viewers)
    return models.Streams(
        streams=[_stream_model(lineup, viewer) for viewer in gateway.viewers],
        upstreams=[_upstream_model(lineup, each, remuxers.get(each.upstream)) for each in shared],
    )


async def _failures(request: Request, _: queries.NoQuery) -> BaseModel:
    return models.Failures(
        failures=[
            models.Failure(
                at=each.at,
                channel=each.channel_id,
                channel_name=each.channel_name,
                viewer=each.viewer,
                status=each.status,
                outcome=each.outcome,
                reason=each.reason,
                times=each.times,
            )
            for each in gateway_of(request).failures
        ]
    )


async def _end_stream(request: Request, _: queries.NoQuery) -> Response:
    viewer = gateway_of(request).viewers.find(request.path_params["stream_id"])
    if viewer is None:
        raise Refused(404, "no such stream; it may have ended already")
    viewer.terminated.set()
    return Response(status_code=204)


def _stream_model(lineup: Lineup, viewer: Viewer) -> models.Stream:
    channel, stream = lineup.find(viewer.channel_id), viewer.stream
    return models.Stream(
        id=viewer.id,
        channel=viewer.channel_id,
        channel_name=channel.name if channel else None,
        address=viewer.address,
        format=viewer.format,
        players=viewer.count(),
        since=viewer.since,
        bytes_out=viewer.bytes_out,
        upstream=stream.upstream.id if stream else None,
        behind_s=round(stream.lag_s, 3) if stream else None,
        skips=stream.skips if stream else 0,
        skipped_bytes=stream.skipped_bytes if stream else 0,
    )


def _upstream_model(
    lineup: Lineup, shared: SharedStream, remuxer: models.Remuxing | None
) -> models.Upstream:
    upstream = shared.upstream
    channel_id = shared.channel_id(lineup)
    channel, needed = lineup.find(channel_id), transponder(upstream.service)
    return models.Upstream(
        id=upstream.id,
        channel=channel_id,
        channel_name=channel.name if channel else None,
        state=upstream.state.value,
        since=upstream.since,
        viewers=upstream.viewers,
        transponder=":".join(f"{part:X}" for part in needed) if needed else None,
        ring_bytes=upstream.ring.kept_bytes,
        ring_s=round(upstream.ring.kept_s, 3),
        freezes=upstream.freezes,
        reconnections=upstream.reconnections,
        remuxer=remuxer,
    )


async def _remuxing_model(upstream: Upstream) -> models.Remuxing | None:
    if upstream.state is State.OPENING:
        return None
    try:
        async with asyncio.timeout(_STATS_WITHIN_S):
            stats = await upstream.stats()
    except (BackendError, TimeoutError):
        # The upstream, or its transcoder, has just ended.
        return None
    return models.Remuxing.model_validate(asdict(stats))


OPERATIONS = (
    Operation(
        path="/streams",
        handler=_streams,
        summary="List viewers, and the upstreams they watch",
        answer=models.Streams,
    ),
    Operation(
        method="DELETE",
        path="/streams/{stream_id}",
        handler=_end_stream,
        summary="End the stream of one viewer; other viewers of the channel go on",
        answer=None,
        status=204,
        refusals={404: "No such stream"},
    ),
    Operation(
        path="/failures",
        handler=_failures,
        summary="List the latest streams that failed",
        answer=models.Failures,
    ),
)

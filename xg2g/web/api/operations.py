"""The API under /api/v1."""

import asyncio
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib.metadata import version

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from xg2g_backends.errors import BackendError

from ...clients.m3u import hls_path, logo_path, stream_path
from ...guide import programme_table
from ...guide.categories import categories
from ...guide.episodes import find_episode
from ...guide.programme import Programme, split_texts
from ...lineup import Channel, Lineup
from ...lineup.picons import may_have_logo
from ...outputs.viewers import SharedStream, Viewer, shared_streams
from ...streaming.ledger import transponder
from ...streaming.upstream import State, Upstream
from ..gateway import gateway_of
from ..http.access import access_of
from ..routes.address import base_url
from ..routes.turns import mapped
from ..selection import Refused, Selection, lineup_of
from ..service_status import receiver_state, service_status
from . import models
from .openapi import document
from .operation import Operation

_WINDOW = timedelta(hours=4)
_LONGEST = timedelta(days=31)
_NEXT_WITHIN_S = 24 * 3600
_STATS_WITHIN_S = 2
"""A transcoder that takes longer is left out of the answer."""
_PROBES_WITHIN_S = 2
"""What takes longer to find out stands in a later answer."""


async def _status(request: Request, _: models.NoQuery) -> BaseModel:
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


async def _channels(request: Request, query: models.ChannelsQuery) -> BaseModel:
    lineup = lineup_of(request)
    page, following = _part(lineup, query)
    return models.Channels(
        channels=await mapped(partial(_channel, request, lineup), page), next=following
    )


async def _now(request: Request, query: models.ChannelsQuery) -> BaseModel:
    page, following = _part(lineup_of(request), query)
    now_s = int(datetime.now(UTC).timestamp())
    coming = await gateway_of(request).database.read(
        partial(programme_table.now_and_next, now_s=now_s, within_s=_NEXT_WITHIN_S)
    )
    return models.Now(
        channels=await mapped(lambda it: _shown(it.id, coming.get(it.id, ()), now_s), page),
        next=following,
    )


def _part(lineup: Lineup, query: models.ChannelsQuery) -> tuple[Sequence[Channel], str | None]:
    """The channels that are asked for, and what to give as `after` for more."""
    chosen = Selection(query.bouquet, query.radio).channels(lineup)
    if query.after is not None:
        ids = [each.id for each in chosen]
        if query.after not in ids:
            raise _nowhere()
        chosen = chosen[ids.index(query.after) + 1 :]
    page = chosen[: query.limit]
    return page, page[-1].id if len(page) < len(chosen) else None


def _shown(channel_id: str, coming: Sequence[Programme], now_s: int) -> models.Shown:
    """`coming`: what runs now, if anything does, and what begins next."""
    current = next((each for each in coming if each.begin_s <= now_s), None)
    later = next((each for each in coming if each.begin_s > now_s), None)
    return models.Shown(
        channel=channel_id,
        now=_slot(current) if current else None,
        next=_slot(later) if later else None,
    )


def _slot(programme: Programme) -> models.Slot:
    subtitle, _ = split_texts(programme.title, programme.short, programme.long)
    return models.Slot(
        begin=datetime.fromtimestamp(programme.begin_s, UTC),
        end=datetime.fromtimestamp(programme.end_s, UTC),
        title=programme.title,
        subtitle=subtitle,
    )


async def _channel_now(request: Request, _: models.NoQuery) -> BaseModel:
    lineup = lineup_of(request)
    channel = _found(lineup, request.path_params["channel_id"])
    now_s = int(datetime.now(UTC).timestamp())
    coming = await gateway_of(request).database.read(
        partial(
            programme_table.between,
            channel_id=channel.id,
            begin_s=now_s,
            end_s=now_s + _NEXT_WITHIN_S,
        )
    )
    current = next((each for each in coming if each.begin_s <= now_s), None)
    later = next((each for each in coming if each.begin_s > now_s), None)
    return models.ChannelNow(
        **_channel(request, lineup, channel).model_dump(),
        now=_programme(channel.id, current) if current else None,
        next=_programme(channel.id, later) if later else None,
    )


async def _guide(request: Request, query: models.GuideQuery) -> BaseModel:
    lineup = lineup_of(request)
    begin_s = (query.begin or datetime.now(UTC)).timestamp()
    end_s = query.end.timestamp() if query.end else begin_s + _WINDOW.total_seconds()
    if not begin_s < end_s <= begin_s + _LONGEST.total_seconds():
        raise Refused(
            400, f"to: it has to be after from, and {_LONGEST.days} days after it at most"
        )
    found = await gateway_of(request).database.read(
        partial(
            programme_table.listed_between,
            # Whole seconds, so that what ends just then is over.
            begin_s=math.floor(begin_s),
            end_s=math.ceil(end_s),
            limit=query.limit + 1,
            after=_place(query.after),
            channel_ids=_chosen(lineup, query),
            words=query.search.split() if query.search else (),
        )
    )
    page = found[: query.limit]
    return models.Guide(
        programmes=await mapped(lambda each: _programme(*each, brief=query.brief), page),
        next=_written(*page[-1]) if len(page) < len(found) else None,
    )


def _chosen(lineup: Lineup, query: models.GuideQuery) -> list[str] | None:
    """The ids of the channels that are asked for; None for all. Raises `Refused`."""
    ids = [] if query.channel is None else [query.channel]
    if query.channels is not None:
        ids += [each for each in query.channels.split(",") if each]
    elif query.channel is None:
        return None
    if len(ids) > models.MAX_IDS:
        raise Refused(400, f"channels: {models.MAX_IDS} at most")
    return [_found(lineup, each).id for each in dict.fromkeys(ids)]


def _nowhere() -> Refused:
    return Refused(400, "after: it has to be what an answer gave as next")


def _place(after: str | None) -> programme_table.Place | None:
    """Where the guide goes on. Raises `Refused`."""
    if after is None:
        return None
    match = re.fullmatch(r"(-?[0-9]{1,12})_(.+)", after)
    if match is None:
        raise _nowhere()
    return int(match[1]), match[2]


def _written(channel_id: str, programme: Programme) -> str:
    """The place of a programme, as `_place` reads it."""
    return f"{programme.begin_s}_{channel_id}"


async def _access(request: Request, _: models.NoQuery) -> BaseModel | Response:
    access = access_of(request)
    # A wrong token is a guess, here as anywhere.
    if access.shows_token(request) and (refusal := access.refusal(request, changes=True)):
        return refusal
    why = access.why_not(request, changes=True)
    return models.Access(may_change=why is None, has_token=access.has_token, detail=why)


async def _streams(request: Request, _: models.NoQuery) -> BaseModel:
    gateway = gateway_of(request)
    lineup = gateway.lineup_keeper.lineup or Lineup()
    asked = gateway.hub.upstreams
    answers = await asyncio.gather(*(_remuxing(each) for each in asked))
    remuxers = dict(zip(asked, answers, strict=True))
    # Viewers and upstreams are those of one moment.
    shared = shared_streams(gateway.hub.upstreams, gateway.viewers)
    return models.Streams(
        streams=[_stream(lineup, viewer) for viewer in gateway.viewers],
        upstreams=[_upstream(lineup, each, remuxers.get(each.upstream)) for each in shared],
    )


async def _failures(request: Request, _: models.NoQuery) -> BaseModel:
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


async def _end_stream(request: Request, _: models.NoQuery) -> Response:
    viewer = gateway_of(request).viewers.find(request.path_params["stream_id"])
    if viewer is None:
        raise Refused(404, "there is no such stream; it may have ended already")
    viewer.terminated.set()
    return Response(status_code=204)


async def _refresh(request: Request, _: models.NoQuery) -> BaseModel:
    wait_s = gateway_of(request).refresher.ask()
    if wait_s is not None:
        raise Refused(
            409,
            "a refresh is under way, or was just now; the receiver is spared until it is over",
            {"Retry-After": str(math.ceil(wait_s))},
        )
    return models.Accepted(detail="the lineup is being read, then the guide; /api/v1/status tells")


def _found(lineup: Lineup, channel_id: str) -> Channel:
    channel = lineup.find(channel_id)
    if channel is None:
        raise Refused(404, "no such channel; /api/v1/channels lists them")
    return channel


def _channel(request: Request, lineup: Lineup, channel: Channel) -> models.Channel:
    base, reference, path = base_url(request), channel.reference, hls_path(channel)
    hls = gateway_of(request).hls
    return models.Channel(
        id=channel.id,
        number=channel.number,
        name=channel.name,
        radio=channel.radio,
        bouquets=list(lineup.group_names(channel)),
        # The path of an IPTV entry may hold somebody's password.
        service=reference.stream_path if reference.is_dvb_service else None,
        stream_url=f"{base}{stream_path(channel)}",
        hls_url=f"{base}{path}" if path and hls is not None else None,
        hls_refusal=None if hls is None else hls.not_offered(channel.id),
        logo_url=f"{base}{logo_path(channel)}" if may_have_logo(channel) else None,
    )


def _programme(channel_id: str, programme: Programme, *, brief: bool = False) -> models.Programme:
    title, short, long = programme.title, programme.short, programme.long
    subtitle, description = split_texts(title, short, long)
    episode = find_episode(title, short, long)
    words = categories(
        programme.genre,
        duration_s=programme.end_s - programme.begin_s,
        is_episode=episode is not None,
    )
    return models.Programme(
        channel=channel_id,
        begin=datetime.fromtimestamp(programme.begin_s, UTC),
        end=datetime.fromtimestamp(programme.end_s, UTC),
        title=title,
        subtitle=subtitle,
        description="" if brief else description,
        categories=[] if brief else list(words),
        episode=episode.onscreen if episode else None,
    )


def _stream(lineup: Lineup, viewer: Viewer) -> models.Stream:
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


def _upstream(
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


async def _remuxing(upstream: Upstream) -> models.Remuxing | None:
    if upstream.state is State.OPENING:
        return None
    try:
        async with asyncio.timeout(_STATS_WITHIN_S):
            stats = await upstream.stats()
    except (BackendError, TimeoutError):
        # It has just ended, or its transcoder has.
        return None
    return models.Remuxing.model_validate(asdict(stats))


OPERATIONS = (
    Operation(path="/status", handler=_status, summary="Service status", answer=models.Status),
    Operation(
        path="/channels",
        handler=_channels,
        summary="The channels of the lineup",
        query=models.ChannelsQuery,
        answer=models.Channels,
        refusals={404: "There is no such bouquet"},
        is_kept=True,
    ),
    Operation(
        path="/now",
        handler=_now,
        summary="What channels show now, and what comes next",
        query=models.ChannelsQuery,
        answer=models.Now,
        refusals={404: "There is no such bouquet"},
        is_kept=True,
    ),
    Operation(
        path="/channels/{channel_id}",
        handler=_channel_now,
        summary="A channel, what it shows, and what comes next",
        answer=models.ChannelNow,
        refusals={404: "There is no such channel"},
    ),
    Operation(
        path="/guide",
        handler=_guide,
        summary="Programmes of one channel or of all",
        query=models.GuideQuery,
        answer=models.Guide,
        refusals={404: "There is no such channel"},
        is_kept=True,
    ),
    Operation(
        path="/access",
        handler=_access,
        summary="Whether this client may end streams and start a refresh",
        answer=models.Access,
    ),
    Operation(
        path="/streams",
        handler=_streams,
        summary="Who watches what, and who shares it",
        answer=models.Streams,
    ),
    Operation(
        path="/failures",
        handler=_failures,
        summary="Streams that did not open, or broke, and why",
        answer=models.Failures,
    ),
    Operation(
        method="DELETE",
        path="/streams/{stream_id}",
        handler=_end_stream,
        summary="End the stream of one viewer; others of the channel go on",
        answer=None,
        status=204,
        refusals={404: "There is no such stream"},
    ),
    Operation(
        method="POST",
        path="/refresh",
        handler=_refresh,
        summary="Read lineup and guide from the receiver, beginning now",
        answer=models.Accepted,
        status=202,
        refusals={409: "A refresh is under way, or was just now"},
    ),
)


def openapi() -> dict[str, object]:
    """The document of the API."""
    return document(OPERATIONS)


@cache
def _openapi_json() -> bytes:
    return json.dumps(openapi(), ensure_ascii=False, separators=(",", ":")).encode()


async def _document(request: Request) -> Response:
    # The first time takes a twentieth of a second.
    body = await asyncio.to_thread(_openapi_json)
    return Response(body, media_type="application/json")


def _route(path: str) -> Route:
    return next(each for each in OPERATIONS if each.path == path).route()


def _below(path: str, routes: Sequence[Route]) -> Mount:
    """Without redirects for a slash too many, which lead to whatever host the request names."""
    return Mount(path, app=Router(routes, redirect_slashes=False))


ROUTES: list[BaseRoute] = [
    Route("/openapi.json", _document),
    _below("/api/v1", [each.route() for each in OPERATIONS]),
    # Where the predecessor had them.
    _below("/api", [_route("/status"), _route("/refresh")]),
]

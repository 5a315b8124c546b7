"""Channels of the lineup, and what they show: /channels, /channels/{id}, /now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from pydantic import BaseModel
from starlette.requests import Request

from ...clients.m3u import hls_path, logo_path, stream_path
from ...guide import programme_table
from ...guide.programme import Programme, split_texts
from ...lineup import Channel, Lineup
from ...lineup.picons import may_have_logo
from ..gateway import base_url, gateway_of
from ..http.incremental import in_steps
from ..selection import Selection, find_channel, lineup_of
from . import models, queries
from .guide import programme_model
from .operation import Operation

_NEXT_WITHIN_S = 24 * 3600
"""How far ahead the next programme may begin."""


async def _channels(request: Request, query: queries.ChannelsQuery) -> BaseModel:
    lineup = lineup_of(request)
    page, cursor = _page(lineup, query)
    return models.Channels(
        channels=await in_steps(partial(_channel_model, request, lineup), page), next=cursor
    )


async def _now(request: Request, query: queries.ChannelsQuery) -> BaseModel:
    page, cursor = _page(lineup_of(request), query)
    now_s = int(datetime.now(UTC).timestamp())
    coming = await gateway_of(request).database.read(
        partial(programme_table.now_and_next, now_s=now_s, within_s=_NEXT_WITHIN_S)
    )

    def shown(channel: Channel) -> models.Shown:
        current, following = _now_and_next(coming.get(channel.id, ()), now_s)
        return models.Shown(
            channel=channel.id,
            now=_slot(current) if current else None,
            next=_slot(following) if following else None,
        )

    return models.Now(channels=await in_steps(shown, page), next=cursor)


async def _channel_now(request: Request, _: queries.NoQuery) -> BaseModel:
    lineup = lineup_of(request)
    channel = find_channel(lineup, request.path_params["channel_id"])
    now_s = int(datetime.now(UTC).timestamp())
    coming = await gateway_of(request).database.read(
        partial(
            programme_table.between,
            channel_id=channel.id,
            begin_s=now_s,
            end_s=now_s + _NEXT_WITHIN_S,
        )
    )
    current, following = _now_and_next(coming, now_s)
    return models.ChannelNow(
        **_channel_model(request, lineup, channel).model_dump(),
        now=programme_model(channel.id, current) if current else None,
        next=programme_model(channel.id, following) if following else None,
    )


def _page(lineup: Lineup, query: queries.ChannelsQuery) -> tuple[Sequence[Channel], str | None]:
    """Return the requested channels, and the cursor for the rest. Raises `Refused`."""
    chosen = Selection(query.bouquet, query.radio).channels(lineup)
    if query.after is not None:
        ids = [each.id for each in chosen]
        if query.after not in ids:
            raise queries.invalid_cursor()
        chosen = chosen[ids.index(query.after) + 1 :]
    page = chosen[: query.limit]
    return page, page[-1].id if len(page) < len(chosen) else None


def _now_and_next(
    coming: Sequence[Programme], now_s: int
) -> tuple[Programme | None, Programme | None]:
    """Return the programme that runs now and the one that begins next, of a channel's programmes in
    order."""
    current = next((each for each in coming if each.begin_s <= now_s), None)
    following = next((each for each in coming if each.begin_s > now_s), None)
    return current, following


def _slot(programme: Programme) -> models.Slot:
    subtitle, _ = split_texts(programme.title, programme.short, programme.long)
    return models.Slot(
        begin=datetime.fromtimestamp(programme.begin_s, UTC),
        end=datetime.fromtimestamp(programme.end_s, UTC),
        title=programme.title,
        subtitle=subtitle,
    )


def _channel_model(request: Request, lineup: Lineup, channel: Channel) -> models.Channel:
    base, reference, path = base_url(request), channel.reference, hls_path(channel)
    hls = gateway_of(request).hls
    return models.Channel(
        id=channel.id,
        number=channel.number,
        name=channel.name,
        radio=channel.radio,
        bouquets=list(lineup.group_names(channel)),
        # The path of an IPTV entry may hold a password.
        service=reference.stream_path if reference.is_dvb_service else None,
        stream_url=f"{base}{stream_path(channel)}",
        hls_url=f"{base}{path}" if path and hls is not None else None,
        hls_refusal=None if hls is None else hls.not_offered(channel.id),
        logo_url=f"{base}{logo_path(channel)}" if may_have_logo(channel) else None,
    )


OPERATIONS = (
    Operation(
        path="/channels",
        handler=_channels,
        summary="List channels",
        query=queries.ChannelsQuery,
        answer=models.Channels,
        refusals={404: "No such bouquet"},
        is_cacheable=True,
    ),
    Operation(
        path="/now",
        handler=_now,
        summary="List the current and next programme of each channel",
        query=queries.ChannelsQuery,
        answer=models.Now,
        refusals={404: "No such bouquet"},
        is_cacheable=True,
    ),
    Operation(
        path="/channels/{channel_id}",
        handler=_channel_now,
        summary="Get a channel with its current and next programme",
        answer=models.ChannelNow,
        refusals={404: "No such channel"},
    ),
)

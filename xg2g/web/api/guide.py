"""Programmes of the guide: /guide."""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import BaseModel
from starlette.requests import Request

from ...guide import programme_table
from ...guide.categories import categories
from ...guide.episodes import find_episode
from ...guide.programme import Programme, split_texts
from ...lineup import Lineup
from ..gateway import gateway_of
from ..http.incremental import in_steps
from ..http.refusals import Refused
from ..selection import find_channel, lineup_of
from . import models, queries
from .operation import Operation

_DEFAULT_PERIOD = timedelta(hours=4)
_LONGEST_PERIOD = timedelta(days=31)


async def _guide(request: Request, query: queries.GuideQuery) -> BaseModel:
    lineup = lineup_of(request)
    begin_s = (query.begin or datetime.now(UTC)).timestamp()
    end_s = query.end.timestamp() if query.end else begin_s + _DEFAULT_PERIOD.total_seconds()
    if not begin_s < end_s <= begin_s + _LONGEST_PERIOD.total_seconds():
        raise Refused(
            400, f"to: invalid time; use one after from, by at most {_LONGEST_PERIOD.days} days"
        )
    found = await gateway_of(request).database.read(
        partial(
            programme_table.search,
            # Whole seconds, so that a programme that ends at this moment is over.
            begin_s=math.floor(begin_s),
            end_s=math.ceil(end_s),
            limit=query.limit + 1,
            after=_client_network(query.after),
            channel_ids=_channel_ids(lineup, query),
            words=query.search.split() if query.search else (),
        )
    )
    page = found[: query.limit]
    return models.Guide(
        programmes=await in_steps(lambda each: programme_model(*each, brief=query.brief), page),
        next=_cursor_of(*page[-1]) if len(page) < len(found) else None,
    )


def _channel_ids(lineup: Lineup, query: queries.GuideQuery) -> list[str] | None:
    """Return the ids of the requested channels; None for all. Raises `Refused`."""
    ids = [] if query.channel is None else [query.channel]
    if query.channels is not None:
        ids += [each for each in query.channels.split(",") if each]
    elif query.channel is None:
        return None
    if len(ids) > queries.MAX_IDS:
        raise Refused(400, f"channels: too many ids; use at most {queries.MAX_IDS}")
    return [find_channel(lineup, each).id for each in dict.fromkeys(ids)]


def _client_network(cursor: str | None) -> programme_table.Place | None:
    """Return the place in the guide that a cursor stands for. Raises `Refused`."""
    if cursor is None:
        return None
    match = re.fullmatch(r"(-?[0-9]{1,12})_(.+)", cursor)
    if match is None:
        raise queries.invalid_cursor()
    return int(match[1]), match[2]


def _cursor_of(channel_id: str, programme: Programme) -> str:
    """Return the cursor of a programme, as `_place_of` reads it."""
    return f"{programme.begin_s}_{channel_id}"


def programme_model(
    channel_id: str, programme: Programme, *, brief: bool = False
) -> models.Programme:
    """Return the API's model of a programme; `brief` without description and categories."""
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


OPERATIONS = (
    Operation(
        path="/guide",
        handler=_guide,
        summary="List programmes",
        query=queries.GuideQuery,
        answer=models.Guide,
        refusals={404: "No such channel"},
        is_cacheable=True,
    ),
)

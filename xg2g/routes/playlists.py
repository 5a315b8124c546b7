"""The playlist, whole and by bouquet."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .. import playlist
from .address import base_url
from .conditional import entity_tag, has_current
from .selection import Selection, lineup_of


async def _playlist(request: Request) -> Response:
    selection = Selection.of(request)
    lineup = lineup_of(request)
    channels = selection.channels(lineup)
    text = playlist.render(lineup, channels, base_url(request), guide_query=selection.query)
    tag = entity_tag(text)
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(text, media_type=f"{playlist.MEDIA_TYPE}; charset=utf-8", headers=headers)


ROUTES: list[BaseRoute] = [
    Route("/playlist.m3u", _playlist),
    # Where the predecessor had it.
    Route("/files/playlist.m3u", _playlist),
    Route("/bouquets/{bouquet:path}.m3u", _playlist),
]

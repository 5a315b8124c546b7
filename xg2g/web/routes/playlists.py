"""Playlists: /playlist.m3u, /bouquets/{bouquet}.m3u."""

from functools import partial

from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ...clients import m3u as playlist
from ..gateway import base_url, gateway_of
from ..http.incremental import DocumentResponse
from ..http.refusals import Refused
from ..selection import Selection, lineup_of


async def _playlist(request: Request) -> ASGIApp:
    selection = Selection.of(request)
    lineup = lineup_of(request)
    channels = selection.channels(lineup)
    wanted = request.query_params.get("format", "ts").lower()
    if wanted not in ("ts", "hls"):
        raise Refused(400, "invalid format; use ts, or hls for HTTP Live Streaming")
    if wanted == "hls" and gateway_of(request).hls is None:
        raise Refused(404, "HTTP Live Streaming is switched off; set hls.enabled")
    texts = partial(
        playlist.render,
        lineup,
        channels,
        base_url(request),
        guide_query=selection.query,
        only_aac=not gateway_of(request).hub.options.keep_original,
        hls=wanted == "hls",
    )
    return DocumentResponse(request, texts, media_type=f"{playlist.MEDIA_TYPE}; charset=utf-8")


ROUTES: list[BaseRoute] = [
    Route("/playlist.m3u", _playlist),
    # Path of the predecessor.
    Route("/files/playlist.m3u", _playlist),
    Route("/bouquets/{bouquet:path}.m3u", _playlist),
]

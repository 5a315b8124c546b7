"""The network tuner (HDHomeRun): /discover.json, /lineup.*, /device.xml, /auto/v{number}, ..."""

import re
from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ...hdhomerun import documents
from ...lineup import Channel, Lineup
from ...metrics import Outcome
from ...outputs.refusals import Refusal
from ..channel_failure import refused, refused_without_lineup, unknown
from ..gateway import base_url, gateway_of
from ..http.access import access_of
from ..http.incremental import DocumentResponse
from ..selection import lineup_of
from .live import live

_UNKNOWN_PROFILE = Refusal(404, "802 Unknown Transcode Profile", Outcome.UNKNOWN_SERVICE)
_TUNER_IN_USE = Refusal(503, "804 Tuner In Use", Outcome.NO_TUNER)
_NUMBER = re.compile(r"v([0-9]{1,9})")
_SECONDS = re.compile(r"[0-9]{1,9}")
_TUNER = re.compile(r"[0-9]{1,3}")
_LONGEST_DURATION_S = 7 * 24 * 3600


async def _discover(request: Request) -> Response:
    return JSONResponse(documents.discover(gateway_of(request).device, base_url(request)))


async def _lineup(request: Request) -> ASGIApp:
    texts = partial(documents.lineup, _channels(request), base_url(request))
    return DocumentResponse(request, texts, media_type="application/json")


async def _lineup_xml(request: Request) -> ASGIApp:
    texts = partial(documents.lineup_xml, _channels(request), base_url(request))
    return DocumentResponse(request, texts, media_type="application/xml")


async def _lineup_m3u(request: Request) -> ASGIApp:
    texts = partial(documents.lineup_m3u, _channels(request), base_url(request))
    return DocumentResponse(request, texts, media_type="audio/x-mpegurl; charset=utf-8")


def _channels(request: Request) -> Sequence[Channel]:
    return gateway_of(request).tuner_channels(lineup_of(request))


async def _lineup_status(request: Request) -> Response:
    return JSONResponse(documents.LINEUP_STATUS)


async def _lineup_post(request: Request) -> Response:
    """Accept a channel scan. Plex insists on it: with 405 it says "device not found"."""
    return Response()


async def _status(request: Request) -> Response:
    """Return who uses which tuner, to clients that may read it."""
    if refusal := access_of(request).refusal(request, changes=False):
        return refusal
    gateway = gateway_of(request)
    find = (gateway.lineup_keeper.lineup or Lineup()).find
    in_use = {
        number: documents.Use(find(viewer.channel_id), viewer.address)
        for number, viewer in gateway.viewers.by_tuner().items()
    }
    return JSONResponse(documents.status(gateway.device.tuners, in_use))


async def _device(request: Request) -> Response:
    body = documents.description(gateway_of(request).device, base_url(request))
    return Response(body, media_type="application/xml")


async def _on_any_tuner(request: Request) -> ASGIApp:
    """Answer `/auto/v101`."""
    return _stream(request)


async def _on_one_tuner(request: Request) -> ASGIApp:
    """Answer `/tuner0/v101`. The receiver chooses its tuner itself. Here, the number only keeps a
    second client from watching another channel under the same number."""
    given, there_are = request.path_params["tuner"], gateway_of(request).hub.limit
    tuner = int(given) if _TUNER.fullmatch(given) else None
    if tuner is None or (there_are is not None and tuner >= there_are):
        return unknown(request, _requested(request))
    return _stream(request, tuner)


def _stream(request: Request, tuner: int | None = None) -> ASGIApp:
    if request.query_params.get("transcode", "none") != "none":
        reason = "xg2g has no transcode profiles; leave out transcode="
        return refused(request, _UNKNOWN_PROFILE, _requested(request), reason)
    duration_s = _duration_s(request.query_params.get("duration"))
    if duration_s == 0:
        # Empty body: clients store any body of a stream URL as video.
        return Response(status_code=400)
    lineup = gateway_of(request).lineup_keeper.lineup
    if lineup is None:
        return refused_without_lineup(request, _requested(request))
    # Not supported: frequencies (ch546000000), and numbers with a dot as in North America.
    number = _NUMBER.fullmatch(request.path_params.get("wanted", ""))
    channel = lineup.by_number(int(number[1])) if number else None
    if channel is None:
        return unknown(request, _requested(request))
    if tuner is not None and _is_held(request, tuner, channel):
        reason = f"another client is watching another channel on tuner {tuner}; use /auto/ instead"
        return refused(request, _TUNER_IN_USE, channel.id, reason)
    return live(
        request, channel.id, channel.sources, name=channel.name, duration_s=duration_s, tuner=tuner
    )


def _requested(request: Request) -> str:
    return str(request.path_params.get("wanted", ""))


def _is_held(request: Request, tuner: int, channel: Channel) -> bool:
    """Tell whether another client watches another channel on this tuner. A client that changes the
    channel may still have its last stream open."""
    holder = gateway_of(request).viewers.by_tuner().get(tuner)
    if holder is None or holder.channel_id == channel.id:
        return False
    return request.client is None or holder.address != request.client.host


def _duration_s(given: str | None) -> int | None:
    """Return the duration of a stream; None: unlimited, 0: invalid."""
    if not given:
        return None
    return min(int(given), _LONGEST_DURATION_S) if _SECONDS.fullmatch(given) else 0


ROUTES: list[BaseRoute] = [
    Route("/discover.json", _discover),
    Route("/lineup_status.json", _lineup_status),
    Route("/lineup.post", _lineup_post, methods=["GET", "POST"]),
    Route("/status.json", _status),
    Route("/device.xml", _device),
]

PLAYED: list[BaseRoute] = [
    # Plex and some others use POST.
    Route("/lineup.json", _lineup, methods=["GET", "POST"]),
    Route("/lineup.xml", _lineup_xml),
    Route("/lineup.m3u", _lineup_m3u),
    # Any rest is matched here, so that every refusal has the form of a tuner's.
    Route("/auto", _on_any_tuner),
    Route("/auto/{wanted:path}", _on_any_tuner),
    Route("/tuner{tuner}", _on_one_tuner),
    Route("/tuner{tuner}/{wanted:path}", _on_one_tuner),
]

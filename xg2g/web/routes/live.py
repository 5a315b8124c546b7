"""Live streams as MPEG-TS: /stream/{channel_id}.ts, /{service reference}."""

from collections.abc import Sequence
from functools import partial

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ...clients.m3u import TRANSPORT_STREAM
from ...lineup.sources import SEGMENTED_ENDINGS, nameless, segmented_url
from ...outputs.mpegts.response import LIVE_HEADERS, LiveResponse
from ...receiver.service_reference import ServiceReference
from ..channel_failure import failure_page, refused_without_lineup, unknown
from ..gateway import gateway_of
from ..http.foreign_page import is_from_foreign_page
from ..http.refusals import wants_page


async def _stream(request: Request) -> ASGIApp:
    lineup = gateway_of(request).lineup_keeper.lineup
    if lineup is None:
        return refused_without_lineup(request, request.path_params["channel_id"])
    channel = lineup.find(request.path_params["channel_id"])
    if channel is None:
        return unknown(request, request.path_params["channel_id"])
    if url := segmented_url(channel):
        return RedirectResponse(url, 302)
    if not request.url.path.endswith(TRANSPORT_STREAM):
        return unknown(request, channel.id)
    return live(request, channel.id, channel.sources, name=channel.name)


async def _service_reference(request: Request) -> ASGIApp:
    try:
        reference = ServiceReference.parse(request.path_params["reference"])
    except ValueError:
        return PlainTextResponse("Not Found\n", status_code=404)
    # Services only: a path would be a file of the receiver, or a URL for it to fetch.
    if not reference.is_dvb_service:
        return unknown(request, request.path_params["reference"])
    lineup = gateway_of(request).lineup_keeper.lineup
    channel = lineup.find(reference.channel_id) if lineup else None
    # A stream by reference and viewers of the channel share one upstream.
    sources = [nameless(reference)]
    return live(request, reference.channel_id, sources, name=channel.name if channel else None)


def live(
    request: Request,
    channel_id: str,
    sources: Sequence[ServiceReference],
    *,
    name: str | None,
    duration_s: float | None = None,
    tuner: int | None = None,
) -> ASGIApp:
    """Return the stream of the first source that plays; for HEAD, its headers. `name` is the
    channel's, None for a service that is in no bouquet."""
    gateway = gateway_of(request)
    if request.method == "HEAD":
        return _head()
    if is_from_foreign_page(request):
        # Not listed as a failure of the channel: a page may retry without end.
        return Response(status_code=403, headers={"X-HDHomeRun-Error": "803 System Busy"})
    return LiveResponse(
        channel_id,
        lambda: gateway.hub.open_first(sources),
        stopping=gateway.stopping,
        pause_limit_s=gateway.pause_limit_s,
        metrics=gateway.metrics,
        viewers=gateway.viewers,
        unknown_when_refused=name is None,
        duration_s=duration_s,
        tuner=tuner,
        name=name,
        failures=gateway.failures,
        explain=partial(failure_page, request) if wants_page(request) else None,
    )


def _head() -> Response:
    """Return the headers of a stream without using a tuner."""
    response = Response()
    response.raw_headers = list(LIVE_HEADERS)
    return response


ROUTES: list[BaseRoute] = [
    *(
        Route(f"/stream/{{channel_id}}{each}", _stream)
        for each in (TRANSPORT_STREAM, *SEGMENTED_ENDINGS)
    ),
]


class _ServiceConvertor(Convertor[str]):
    """Path that begins like a service reference; `ServiceReference.parse` judges the rest."""

    regex = r"[0-9]+:[0-9]+:[^/]*:.*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("service", _ServiceConvertor())

BY_REFERENCE: list[BaseRoute] = [
    # http://receiver:8001/1:0:19:... with xg2g's address in place of the receiver's. It must stand
    # after all mounts.
    Route("/{reference:service}", _service_reference),
]

"""Live streams, by channel and by service reference."""

from collections.abc import Sequence

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ..gateway import gateway_of
from ..lineup.segmented import ENDINGS, segmented_url
from ..playlist import TRANSPORT_STREAM
from ..receiver.errors import ReceiverError
from ..receiver.service_reference import ServiceReference
from ..streaming.response import LIVE_HEADERS, UNKNOWN_CHANNEL, LiveResponse, refusal_for


async def _stream(request: Request) -> ASGIApp:
    lineup = gateway_of(request).lineup_keeper.lineup
    if lineup is None:
        return refused_while_unread(request)
    channel = lineup.find(request.path_params["channel_id"])
    if channel is None:
        return refused(*UNKNOWN_CHANNEL)
    if url := segmented_url(channel):
        return RedirectResponse(url, 302)
    if not request.url.path.endswith(TRANSPORT_STREAM):
        return refused(*UNKNOWN_CHANNEL)
    return live(request, channel.id, channel.sources, listed=True)


async def _service_reference(request: Request) -> ASGIApp:
    try:
        reference = ServiceReference.parse(request.path_params["reference"])
    except ValueError:
        return PlainTextResponse("Not Found\n", status_code=404)
    # Only services: a path would be a file of the receiver or a URL for it to fetch.
    if not reference.is_dvb_service:
        return refused(*UNKNOWN_CHANNEL)
    lineup = gateway_of(request).lineup_keeper.lineup
    listed = lineup is not None and lineup.find(reference.channel_id) is not None
    return live(request, reference.channel_id, [reference], listed=listed)


def live(
    request: Request,
    channel_id: str,
    sources: Sequence[ServiceReference],
    *,
    listed: bool,
    duration_s: float | None = None,
    tuner: int | None = None,
) -> ASGIApp:
    """The stream of the first source that plays, or the type alone for HEAD."""
    gateway = gateway_of(request)
    if request.method == "HEAD":
        return _head()
    return LiveResponse(
        channel_id,
        lambda: gateway.streams.open_first(sources),
        stopping=gateway.stopping,
        send_timeout_s=gateway.send_timeout_s,
        metrics=gateway.metrics,
        viewers=gateway.viewers,
        unknown_when_refused=not listed,
        duration_s=duration_s,
        tuner=tuner,
    )


def is_stream(path: str) -> bool:
    """Whether clients take whatever comes on this path for video."""
    return path.startswith(("/stream/", "/auto/", "/tuner")) or ":" in path


def refused_while_unread(request: Request) -> Response:
    """The answer while there is no lineup."""
    trouble = gateway_of(request).lineup_keeper.trouble
    if not isinstance(trouble, ReceiverError):
        return refused(503, "803 System Busy")
    refusal = refusal_for(trouble)
    return refused(refusal.status, refusal.hdhomerun_error)


def refused(status: int, hdhomerun_error: str) -> Response:
    """A refusal before anything was opened; its body is empty as that of every other."""
    return Response(status_code=status, headers={"X-HDHomeRun-Error": hdhomerun_error})


def _head() -> Response:
    """What clients ask first: the type. No tuner is touched for it."""
    response = Response()
    response.raw_headers = list(LIVE_HEADERS)
    return response


ROUTES: list[BaseRoute] = [
    *(Route(f"/stream/{{channel_id}}{each}", _stream) for each in (TRANSPORT_STREAM, *ENDINGS)),
]


class _ServiceConvertor(Convertor[str]):
    """What begins as a service reference does; the rest is for whoever reads it to judge."""

    regex = r"[0-9]+:[0-9]+:[^/]*:.*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("service", _ServiceConvertor())

BY_REFERENCE: list[BaseRoute] = [
    # http://receiver:8001/1:0:19:... with xg2g's address in place of the receiver's. Mounts come
    # before it.
    Route("/{reference:service}", _service_reference),
]

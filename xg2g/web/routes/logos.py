"""Channel logos: /logos/{channel_id}.png."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ...lineup.picons import BusyError
from ...receiver.errors import ReceiverError
from ..gateway import gateway_of
from ..http.conditional import entity_tag, has_current
from ..selection import lineup_of

_DAY_S = 24 * 3600


async def _logo(request: Request) -> Response:
    """Return a logo of the lineup's channels: no other path reaches the receiver."""
    channel = lineup_of(request).find(request.path_params["channel_id"])
    if channel is None:
        return PlainTextResponse("no such channel\n", status_code=404)
    try:
        png = await gateway_of(request).picons.get(channel)
    except (BusyError, ReceiverError) as error:
        text = str(error) or "the receiver is busy; try again in a moment"
        return PlainTextResponse(f"{text}\n", status_code=503, headers={"Retry-After": "30"})
    if png is None:
        headers = {"Cache-Control": f"max-age={_DAY_S // 24}"}
        return PlainTextResponse("the receiver has no picon\n", status_code=404, headers=headers)
    tag = entity_tag(png)
    headers = {"Cache-Control": f"max-age={_DAY_S}", "ETag": tag}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(png, media_type="image/png", headers=headers)


ROUTES: list[BaseRoute] = [
    Route("/logos/{channel_id}.png", _logo),
]

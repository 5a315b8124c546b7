"""The guide as XMLTV: /xmltv.xml, /xmltv.xml.gz."""

from importlib.metadata import version

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ...clients import xmltv
from ...clients.m3u import logo_path
from ...clients.xmltv import document
from ...guide import programme_table
from ...lineup import Channel, channel_table
from ...lineup.picons import may_have_logo
from ...network.http_bodies import TruncatedError
from ...store.database import Snapshot, StoreError
from ...store.metadata import generation
from ..gateway import base_url, gateway_of
from ..http.conditional import accepts_gzip, entity_tag, has_current
from ..http.incremental import StalledError, send_all
from ..selection import Selection, lineup_of

log = structlog.get_logger()


async def _plain(request: Request) -> ASGIApp:
    if accepts_gzip(request):
        return _answer(request, "-gzip", {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return _answer(request, "", {"Vary": "Accept-Encoding"})


async def _compressed(request: Request) -> ASGIApp:
    """Return a compressed file without a content coding: Jellyfin unpacks files of this name, and
    would unpack twice."""
    return _answer(request, "-gz", {"Content-Type": "application/gzip"})


def _answer(request: Request, form: str, headers: dict[str, str]) -> ASGIApp:
    selection = Selection.of(request)
    # Unknown bouquets are refused by the current lineup, before the database is read.
    selection.channels(lineup_of(request))
    if gateway_of(request).downloads.locked():
        return PlainTextResponse(
            "too many downloads of the guide; try again in a moment\n",
            status_code=503,
            headers={"Retry-After": "10"},
        )
    return _GuideResponse(request, selection, form, headers)


def _unread(request: Request) -> Response:
    """Refuse a guide that has not been read yet: a media server would keep an empty one."""
    troubles = (each.trouble for each in gateway_of(request).refresher.progress())
    reason = next(filter(None, troubles), "the guide is being read for the first time")
    return PlainTextResponse(
        f"{reason}; try again in a moment\n", status_code=503, headers={"Retry-After": "10"}
    )


class _GuideResponse:
    """Response made of one snapshot of the database, whatever is written meanwhile."""

    def __init__(
        self, request: Request, selection: Selection, form: str, headers: dict[str, str]
    ) -> None:
        self._request = request
        self._gateway = gateway_of(request)
        self._selection = selection
        self._form = form
        self._headers = {"Content-Type": xmltv.MEDIA_TYPE, "Cache-Control": "no-cache"} | headers
        self._base_url = base_url(request)
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._gateway.downloads, self._gateway.database.snapshot() as snapshot:
                await self._send(snapshot, scope, receive, send)
        except (StoreError, StalledError) as error:
            # A body that has begun stays without its end, so that no client takes it as complete.
            log.warning("guide not sent", reason=str(error))
            if not self._started:
                refusal = PlainTextResponse(f"{error}\n", status_code=500)
                await refusal(scope, receive, send)
                return
            raise TruncatedError from error

    async def _send(self, snapshot: Snapshot, scope: Scope, receive: Receive, send: Send) -> None:
        if self._gateway.has_guide and not await snapshot.read(programme_table.was_read):
            await _unread(self._request)(scope, receive, send)
            return
        state = await snapshot.read(generation)
        tag = entity_tag(state, version("xg2g"), self._base_url, repr(self._selection), self._form)
        self._headers["ETag"] = tag
        if has_current(self._request, tag):
            kept = {
                k: v for k, v in self._headers.items() if k in ("ETag", "Vary", "Cache-Control")
            }
            await Response(status_code=304, headers=kept)(scope, receive, send)
            return
        lineup = await snapshot.read(channel_table.load)
        selected = self._selection.channels(lineup) if lineup else ()
        self._started = True
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(k.lower().encode(), v.encode()) for k, v in self._headers.items()],
            }
        )
        if self._request.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        pieces = document(snapshot, selected, logo_url=self._logo_url, compressed=self._form != "")
        await send_all(self._request, send, pieces)

    def _logo_url(self, channel: Channel) -> str | None:
        return f"{self._base_url}{logo_path(channel)}" if may_have_logo(channel) else None


ROUTES: list[BaseRoute] = [
    Route("/xmltv.xml", _plain),
    Route("/xmltv.xml.gz", _compressed),
    # Path of the predecessor.
    Route("/files/xmltv.xml", _plain),
]

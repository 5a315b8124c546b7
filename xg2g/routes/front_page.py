"""What a person sees who opens the address in a browser."""

from collections.abc import Iterator
from html import escape
from importlib.metadata import version
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from ..api.access import access_of
from ..gateway import Gateway, gateway_of
from .address import base_url
from .operations import receiver_state

_HEADERS = {
    # Names come from a receiver, and a page of scripts is none of ours.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "dt{margin-top:.8rem}dd{margin:0}code{user-select:all;overflow-wrap:anywhere}"
)


async def _page(request: Request) -> Response:
    gateway, base = gateway_of(request), base_url(request)
    shown = access_of(request).refusal(request, changes=False) is None
    body = "".join(
        (
            f"<h1>{escape(gateway.name)}</h1>",
            _list(_state(gateway)) if shown else "",
            "<h2>For players</h2>",
            _list(_addresses(gateway, base)),
            '<p><a href="metrics">Metrics</a> · <a href="api/v1/status">Status</a> · '
            '<a href="openapi.json">API</a></p>',
            f"<p>xg2g {escape(version('xg2g'))}</p>",
        )
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(gateway.name)}</title><style>{_STYLE}</style>{body}</html>\n"
    )
    return HTMLResponse(page, headers=_HEADERS)


def _state(gateway: Gateway) -> Iterator[tuple[str, str]]:
    lineup, tuners = gateway.lineup_keeper.lineup, gateway.tuners
    yield "State", escape(gateway.unready() or "ready")
    yield "Receiver", escape(receiver_state(gateway.lineup_keeper))
    yield "Channels", str(len(lineup.channels) if lineup else 0)
    yield "Streams now", str(len(gateway.viewers))
    limit = "an unknown number" if tuners.limit is None else str(tuners.limit)
    yield "Tuners in use", f"{tuners.in_use} of {limit}"


def _addresses(gateway: Gateway, base: str) -> Iterator[tuple[str, str]]:
    yield "Playlist: VLC, Kodi, Jellyfin, TiviMate", _address(f"{base}/playlist.m3u")
    yield "Guide (XMLTV)", _address(f"{base}/xmltv.xml")
    yield "Network tuner (HDHomeRun): Plex, Jellyfin, Channels", _address(base)
    lineup = gateway.lineup_keeper.lineup
    for name in dict.fromkeys(group.name for group in lineup.groups) if lineup else ():
        query = urlencode({"bouquet": name})
        yield f"Playlist of {name}", _address(f"{base}/playlist.m3u?{query}")


def _address(url: str) -> str:
    return f"<code>{escape(url)}</code>"


def _list(items: Iterator[tuple[str, str]]) -> str:
    """`items` are a text and HTML."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in items)
    return f"<dl>{rows}</dl>"


ROUTES: list[BaseRoute] = [Route("/", _page)]

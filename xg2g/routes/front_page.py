"""What a person sees who opens the address in a browser."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from ..api.access import access_of
from ..gateway import Gateway, gateway_of
from ..lineup import Lineup
from ..refresher import Refresher
from ..store import programmes
from ..store.database import StoreError
from ..streaming.viewers import Viewer
from .address import base_url
from .api import refresher_of
from .html import Element, document, tag

PLEX_CHANNELS = 480
"""Plex refuses a tuner that has more."""

_HEADERS = {
    # Names come from a receiver, and a page of scripts is none of ours.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--good:#2a9d4a;--bad:#d3453d}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:0 auto;padding:1.5rem 1rem}
h1{display:flex;flex-wrap:wrap;align-items:center;gap:.8rem;margin:0 0 1.2rem;font-size:1.7rem}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
h3{font-size:1rem;margin:0}
p{margin:.2rem 0}
small,.dim{opacity:.7}
.state{font-size:.85rem;font-weight:600;color:#fff;padding:.1rem .8rem;border-radius:1rem}
.good{background:var(--good)}.bad{background:var(--bad)}
.trouble{border-left:.3rem solid var(--bad);background:var(--soft);padding:.5rem .9rem;
margin:0 0 .8rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.7rem}
.tiles div,.card{border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem}
.tiles b{display:block;font-size:1.5rem;line-height:1.3}
.card{margin:.7rem 0}
code{display:block;font-size:.95rem;background:var(--soft);border-radius:.4rem;padding:.35rem .6rem;
margin:.35rem 0;user-select:all;overflow-wrap:anywhere}
.viewer{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.5rem 0;
border-bottom:1px solid var(--line)}
summary{cursor:pointer}
footer{margin-top:2.5rem;font-size:.9rem}
"""


async def _page(request: Request) -> Response:
    gateway, base = gateway_of(request), base_url(request)
    body = tag("body")
    if access_of(request).refusal(request, changes=False) is None:
        body.extend(await _state(gateway, refresher_of(request)))
    else:
        body.append(tag("h1", gateway.name))
    body.extend(_addresses(gateway, base))
    body.append(
        tag(
            "footer",
            *(tag("a", "API", href="openapi.json"), " · "),
            *(tag("a", "Status", href="api/v1/status"), " · "),
            *(tag("a", "Metrics", href="metrics"), f" · xg2g {version('xg2g')}"),
            class_="dim",
        )
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", gateway.name),
        tag("style", _STYLE),
    )
    return HTMLResponse(document(tag("html", head, body, lang="en")), headers=_HEADERS)


async def _state(gateway: Gateway, refresher: Refresher) -> list[Element]:
    """What runs, what is wrong, and who watches."""
    lineup, tuners = gateway.lineup_keeper.lineup or Lineup(), gateway.tuners
    is_ready = gateway.unready() is None
    state = tag(
        "span",
        "ready" if is_ready else "not ready",
        class_=f"state {'good' if is_ready else 'bad'}",
    )
    troubles = [tag("p", each, class_="trouble") for each in _troubles(gateway, refresher)]
    tiles = tag(
        "div",
        _tile("Channels", str(len(lineup.channels))),
        _tile("Programmes in the guide", await _programmes(gateway)),
        _tile("Tuners in use", f"{tuners.in_use} of {tuners.limit or '?'}"),
        class_="tiles",
    )
    viewers = [await _viewer(gateway, lineup, each) for each in gateway.viewers]
    nobody = [tag("p", "Nobody watches at the moment.", class_="dim")]
    watching = tag("section", tag("h2", "Watching now"), *(viewers or nobody))
    return [tag("h1", gateway.name, state), *troubles, tiles, watching]


def _troubles(gateway: Gateway, refresher: Refresher) -> list[str]:
    """One line for each thing that is wrong, and is not said by another line already."""
    lineup = gateway.lineup_keeper.lineup
    lines = [gateway.unready(), *(each.trouble for each in refresher.progress())]
    if lineup:
        if (count := len(gateway.tuner_channels(lineup))) > PLEX_CHANNELS:
            lines.append(
                f"Plex takes {PLEX_CHANNELS} channels at most, and here are {count}; "
                "hdhomerun.bouquets chooses some for it."
            )
        lines += (
            f"hdhomerun.bouquets names {name}, and there is no such bouquet."
            for name in gateway.tuner_groups(lineup)
            if lineup.select(bouquet=name) is None
        )
    return list(dict.fromkeys(line for line in lines if line))


def _tile(name: str, value: str) -> Element:
    return tag("div", tag("b", value), tag("small", name))


async def _programmes(gateway: Gateway) -> str:
    with suppress(StoreError):
        return f"{await gateway.database.read(programmes.count):,}"
    return "?"


async def _viewer(gateway: Gateway, lineup: Lineup, viewer: Viewer) -> Element:
    channel = lineup.find(viewer.channel_id)
    title = await _shown_now(gateway, viewer.channel_id)
    minutes = int((datetime.now(UTC) - viewer.since).total_seconds() // 60)
    return tag(
        "div",
        tag(
            "span",
            tag("b", channel.name if channel else viewer.channel_id),
            f"  {title}" if title else "",
        ),
        tag("span", f"{viewer.address or 'somebody'}, {minutes} min", class_="dim"),
        class_="viewer",
    )


async def _shown_now(gateway: Gateway, channel_id: str) -> str | None:
    now_s = int(datetime.now(UTC).timestamp())
    with suppress(StoreError):
        for programme in await gateway.database.read(
            lambda it: programmes.between(it, channel_id, now_s, now_s + 1)
        ):
            return programme.title
    return None


def _addresses(gateway: Gateway, base: str) -> Iterator[Element]:
    """What to give to which player."""
    yield tag("h2", "Add it to your player")
    if _is_loopback(base):
        yield tag(
            "p",
            "These addresses work on this computer alone. Others put its name or its address in "
            "your network in place of this one, as far as server.host lets them in.",
            class_="dim",
        )
    yield _card(
        "Plex, Jellyfin, Emby, Channels",
        "As a network tuner (HDHomeRun); many find it by themselves.",
        base,
    )
    yield _card(
        "Jellyfin, Kodi, TiviMate, and others that take M3U and XMLTV",
        "The playlist, and the guide.",
        f"{base}/playlist.m3u",
        f"{base}/xmltv.xml",
    )
    yield _card("VLC", "Media, Open Network Stream.", f"{base}/playlist.m3u")
    lineup = gateway.lineup_keeper.lineup
    names = list(dict.fromkeys(group.name for group in lineup.groups)) if lineup else []
    if names:
        yield tag(
            "details",
            tag("summary", "One bouquet alone"),
            *(
                _card(name, "", f"{base}/playlist.m3u?{urlencode({'bouquet': name})}")
                for name in names
            ),
        )


def _card(title: str, how: str, *urls: str) -> Element:
    said = [tag("p", how, class_="dim")] if how else []
    return tag("div", tag("h3", title), *said, *(tag("code", url) for url in urls), class_="card")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


ROUTES: list[BaseRoute] = [Route("/", _page)]

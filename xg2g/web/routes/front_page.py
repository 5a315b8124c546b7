"""The page without scripts: the state, and the addresses to copy for other players."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ...guide import programme_table
from ...lineup import Lineup
from ...outputs.failures import Failure
from ...outputs.viewers import SharedStream, Viewer, shared_streams
from ...readiness import State
from ...store.database import StoreError
from ...streaming.upstream import State as UpstreamState
from ..gateway import Gateway, base_url, gateway_of
from ..http.access import access_of
from ..pages.html import Element, tag
from ..pages.rendering import page
from ..service_status import service_status

PLEX_CHANNELS = 480
"""Plex refuses a tuner that has more."""

_COLOURS = {State.READY: "good", State.DEGRADED: "fair", State.NOT_READY: "bad"}
_FAILURES_SHOWN = 5
_PROBES_WITHIN_S = 2
"""What takes longer to find out stands on the next page."""


async def shown(request: Request) -> Response:
    """Answer with the page."""
    gateway, base = gateway_of(request), base_url(request)
    body: list[Element] = []
    if access_of(request).refusal(request, changes=False) is None:
        await gateway.readiness.examine(within_s=_PROBES_WITHIN_S)
        body += await _state(gateway)
    else:
        body.append(tag("h1", gateway.name))
    body += _addresses(gateway, base)
    body.append(
        tag(
            "footer",
            *(tag("a", "API", href="api"), " · "),
            *(tag("a", "Metrics", href="metrics"), f" · xg2g {version('xg2g')}"),
            class_="dim",
        )
    )
    return page(gateway.name, *body)


async def _state(gateway: Gateway) -> list[Element]:
    """What runs, what is wrong, and who watches."""
    lineup, hub = gateway.lineup_keeper.lineup or Lineup(), gateway.hub
    found = service_status(gateway)
    state = tag("span", found.state.value, class_=f"state {_COLOURS[found.state]}")
    reasons = {it.reason: _COLOURS[it.state] for it in reversed(found.findings)}
    troubles = [
        *(tag("p", each, class_=f"trouble {reasons[each]}") for each in found.reasons),
        *(tag("p", each, class_="trouble fair") for each in _advice(gateway)),
    ]
    tiles = tag(
        "div",
        _tile("Channels", str(len(lineup.channels))),
        _tile("Programmes in the guide", await _programmes(gateway)),
        _tile("Tuners in use", f"{hub.in_use} of {hub.limit or '?'}"),
        _tile("Viewers", str(len(gateway.viewers))),
        class_="tiles",
    )
    shared = shared_streams(gateway.hub.upstreams, gateway.viewers)
    placed = {viewer.id for each in shared for viewer in each.viewers}
    others = [viewer for viewer in gateway.viewers if viewer.id not in placed]
    watched = [
        await _audience(gateway, lineup, each)
        for each in shared
        if each.viewers or each.upstream.state is not UpstreamState.OPENING
    ]
    watched += [await _row(gateway, lineup, it.channel_id, [_viewer(it)]) for it in others]
    nobody = [tag("p", "Nobody watches at the moment.", class_="dim")]
    watching = tag("section", tag("h2", "Watching now"), *(watched or nobody))
    return [tag("h1", gateway.name, state), *troubles, tiles, watching, *_failures(gateway)]


def _failures(gateway: Gateway) -> Iterator[Element]:
    """The streams that failed last."""
    failures = list(gateway.failures)[:_FAILURES_SHOWN]
    if not failures:
        return
    yield tag(
        "section",
        tag("h2", "What failed last"),
        *(
            tag(
                "div",
                tag("span", tag("b", each.channel_name or each.channel_id), f": {each.reason}"),
                tag("span", _when(each), class_="dim"),
                class_="viewer",
            )
            for each in failures
        ),
    )


def _when(failure: Failure) -> str:
    times = f", {failure.times} times" if failure.times > 1 else ""
    return f"{failure.viewer or 'somebody'}, {failure.at.astimezone():%H:%M %Z}{times}"


def _advice(gateway: Gateway) -> Iterator[str]:
    """What whoever runs it should change, though every viewer is served."""
    lineup = gateway.lineup_keeper.lineup
    if lineup is None:
        return
    if (count := len(gateway.tuner_channels(lineup))) > PLEX_CHANNELS:
        yield (
            f"Plex takes {PLEX_CHANNELS} channels at most, and here are {count}; "
            "hdhomerun.bouquets chooses some for it."
        )


def _tile(name: str, value: str) -> Element:
    return tag("div", tag("b", value), tag("small", name))


async def _programmes(gateway: Gateway) -> str:
    with suppress(StoreError):
        return f"{await gateway.database.read(programme_table.count):,}"
    return "?"


async def _audience(gateway: Gateway, lineup: Lineup, shared: SharedStream) -> Element:
    """A channel, and everybody who shares its stream."""
    said = [_viewer(viewer) for viewer in shared.viewers]
    state = shared.upstream.state
    if state is UpstreamState.LINGERING:
        said.append("nobody; the next viewer begins at once")
    elif state is UpstreamState.RECONNECTING:
        said.append("the receiver's stream was lost and is opened again")
    return await _row(gateway, lineup, shared.channel_id(lineup), said)


async def _row(gateway: Gateway, lineup: Lineup, channel_id: str, said: Sequence[str]) -> Element:
    channel, title = lineup.find(channel_id), await _shown_now(gateway, channel_id)
    name = tag("b", channel.name if channel else channel_id)
    return tag(
        "div",
        tag("span", name, f"  {title}" if title else ""),
        tag("ul", *(tag("li", each) for each in said), class_="dim"),
        class_="viewer",
    )


def _viewer(viewer: Viewer) -> str:
    """Who it is, since when, and whether all goes well."""
    minutes = int((datetime.now(UTC) - viewer.since).total_seconds() // 60)
    said = f"{viewer.address or 'somebody'}, {minutes} min"
    if viewer.format == "hls":
        count = viewer.count()
        said += f", HLS, {count} player{'' if count == 1 else 's'}"
    stream = viewer.stream
    if stream is not None and viewer.is_late:
        said += f", {stream.lag_s:.0f} s behind"
    if stream is not None and stream.skips:
        times = "once" if stream.skips == 1 else f"{stream.skips} times"
        said += f", skipped {times} ({stream.skipped_bytes / 1e6:.0f} MB)"
    return said


async def _shown_now(gateway: Gateway, channel_id: str) -> str | None:
    now_s = int(datetime.now(UTC).timestamp())
    with suppress(StoreError):
        for programme in await gateway.database.read(
            lambda it: programme_table.between(it, channel_id, now_s, now_s + 1)
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


ROUTES: list[BaseRoute] = [Route("/addresses", shown)]

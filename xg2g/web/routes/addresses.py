"""The page without scripts, /addresses: the state, and addresses to copy for other players."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from ipaddress import ip_address
from urllib.parse import urlsplit

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
from ..pages.rendering import page
from ..service_status import service_status

PLEX_CHANNELS = 480
"""Plex refuses a tuner with more channels."""

_COLOURS = {State.READY: "good", State.DEGRADED: "fair", State.NOT_READY: "bad"}
_FAILURES_SHOWN = 5
_PROBES_WITHIN_S = 2
"""How long probes may take; a later result is on the next page."""


async def addresses_page(request: Request) -> Response:
    """Return the page; without the state for a client that may not read it."""
    gateway, base = gateway_of(request), base_url(request)
    may_read = access_of(request).refusal(request, changes=False) is None
    lineup = gateway.lineup_keeper.lineup or Lineup()
    return page(
        "addresses.html",
        gateway.name,
        state=await _state(gateway, lineup) if may_read else None,
        base=base,
        is_loopback=_is_loopback(base),
        bouquets=list(dict.fromkeys(group.name for group in lineup.groups)),
        version=version("xg2g"),
    )


async def _state(gateway: Gateway, lineup: Lineup) -> dict[str, object]:
    """Return what is wrong, what is running, and who is watching."""
    await gateway.readiness.examine(within_s=_PROBES_WITHIN_S)
    found, hub = service_status(gateway), gateway.hub
    colours = {it.reason: _COLOURS[it.state] for it in reversed(found.findings)}
    return {
        "name": found.state.value,
        "colour": _COLOURS[found.state],
        "troubles": [
            *((colours[each], each) for each in found.reasons),
            *(("fair", each) for each in _advice(gateway, lineup)),
        ],
        "tiles": [
            ("Channels", len(lineup.channels)),
            ("Programmes in the guide", await _programmes(gateway)),
            ("Tuners in use", f"{hub.in_use} of {hub.limit or '?'}"),
            ("Viewers", len(gateway.viewers)),
        ],
        "watched": await _watched(gateway, lineup),
        "failures": [
            (each.channel_name or each.channel_id, each.reason, _when(each))
            for each in list(gateway.failures)[:_FAILURES_SHOWN]
        ],
    }


def _when(failure: Failure) -> str:
    times = f", {failure.times} times" if failure.times > 1 else ""
    return f"{failure.viewer or 'unknown address'}, {failure.at.astimezone():%H:%M %Z}{times}"


def _advice(gateway: Gateway, lineup: Lineup) -> Iterator[str]:
    """Yield what the owner should change although all viewers are served."""
    if (count := len(gateway.tuner_channels(lineup))) > PLEX_CHANNELS:
        yield (
            f"Plex accepts at most {PLEX_CHANNELS} channels; here are {count}. Choose bouquets for "
            "it with hdhomerun.bouquets."
        )


async def _programmes(gateway: Gateway) -> str:
    with suppress(StoreError):
        return f"{await gateway.database.read(programme_table.count):,}"
    return "?"


async def _watched(gateway: Gateway, lineup: Lineup) -> list[dict[str, object]]:
    """Return the channels that are open, each with a line about every viewer."""
    shared = shared_streams(gateway.hub.upstreams, gateway.viewers)
    placed = {viewer.id for each in shared for viewer in each.viewers}
    rows: list[tuple[str, Sequence[str]]] = [
        (each.channel_id(lineup), _stream_lines(each))
        for each in shared
        if each.viewers or each.upstream.state is not UpstreamState.OPENING
    ]
    rows += [
        (viewer.channel_id, [_viewer_line(viewer)])
        for viewer in gateway.viewers
        if viewer.id not in placed
    ]
    watched: list[dict[str, object]] = []
    for channel_id, lines in rows:
        channel, programme = lineup.find(channel_id), await _current_title(gateway, channel_id)
        name = channel.name if channel else channel_id
        watched.append({"channel": name, "programme": programme, "lines": lines})
    return watched


def _stream_lines(shared: SharedStream) -> list[str]:
    lines = [_viewer_line(viewer) for viewer in shared.viewers]
    if shared.upstream.state is UpstreamState.LINGERING:
        lines.append("nobody; the channel stays open for a moment")
    elif shared.upstream.state is UpstreamState.RECONNECTING:
        lines.append("the receiver's stream was lost; xg2g is opening it again")
    return lines


def _viewer_line(viewer: Viewer) -> str:
    """Return the address of a viewer, how long it has been watching, and what is wrong."""
    minutes = int((datetime.now(UTC) - viewer.since).total_seconds() // 60)
    line = f"{viewer.address or 'unknown address'}, {minutes} min"
    if viewer.format == "hls":
        count = viewer.count()
        line += f", HLS, {count} player{'' if count == 1 else 's'}"
    stream = viewer.stream
    if stream is not None and viewer.is_late:
        line += f", {stream.lag_s:.0f} s behind"
    if stream is not None and stream.skips:
        times = "once" if stream.skips == 1 else f"{stream.skips} times"
        line += f", skipped {times} ({stream.skipped_bytes / 1e6:.0f} MB)"
    return line


async def _current_title(gateway: Gateway, channel_id: str) -> str | None:
    now_s = int(datetime.now(UTC).timestamp())
    with suppress(StoreError):
        for programme in await gateway.database.read(
            lambda it: programme_table.between(it, channel_id, now_s, now_s + 1)
        ):
            return programme.title
    return None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


ROUTES: list[BaseRoute] = [Route("/addresses", addresses_page)]

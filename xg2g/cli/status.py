"""`xg2g status`: viewers, tuners and problems of a running daemon."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from .options import Configure, Url, with_settings

if TYPE_CHECKING:
    from xg2g.web.api.models import Status, Stream, Streams

NOT_READY = 1
LATE_S = 1.0
"""The delay of a viewer is shown from here on."""

_COLOURS = {"ready": "green", "degraded": "yellow", "not ready": "red"}


@with_settings()
def status(configure: Configure, url: Url = None) -> None:
    """Show viewers, tuners and problems of a running xg2g.

    Exits with 0 when a new viewer would be served; with 1 when not, or when no xg2g answers.

    **Examples**

    `xg2g status`

    `xg2g status --url http://192.168.1.20:8088`
    """
    from .daemon_client import DaemonClient

    daemon = DaemonClient.of(configure(), url)
    found = daemon.status()
    console = Console(highlight=False)
    for name, text in _rows(found, daemon.watching(), daemon.url, datetime.now(UTC)):
        console.print(f"[bold]{name:9}[/] {text}", soft_wrap=True)
    if not found.ready:
        raise typer.Exit(NOT_READY)


def _rows(
    found: "Status", watching: "Streams", url: str, now: datetime
) -> Iterator[tuple[str, str]]:
    colour = _COLOURS[found.state]
    yield "xg2g", f"[{colour}]{found.state}[/], version {escape(found.version)}, at {escape(url)}"
    for reason in found.reasons:
        yield "trouble", f"[{colour}]{escape(reason)}[/]"
    for upstream in watching.upstreams:
        if upstream.state == "reconnecting":
            name = escape(upstream.channel_name or upstream.channel)
            yield (
                "trouble",
                f"[yellow]{name}: reconnecting, the receiver's stream was lost[/]",
            )
    yield "channels", f"{found.channels}, with {found.programmes} programmes in the guide"
    limit = "?" if found.tuners.limit is None else found.tuners.limit
    lingering = found.tuners.lingering
    linger = f"; {lingering} kept open after the last viewer left" if lingering else ""
    yield "tuners", f"{found.tuners.in_use} of {limit} in use"
    upstreams = len(watching.upstreams)
    if upstreams:
        held = sum(each.ring_bytes for each in watching.upstreams)
        yield (
            "streams",
            f"{upstreams} from the receiver for {_count(len(watching.streams), 'viewer')}, "
            f"{_size(held)} in memory{linger}",
        )
    for job in found.refreshes:
        yield job.name, escape(_refreshed(job.running, job.succeeded_at, job.trouble, now))
    if not watching.streams:
        yield "watching", "nobody"
    for stream in watching.streams:
        yield "watching", escape(_watched(stream, watching, now))


def _watched(stream: "Stream", watching: "Streams", now: datetime) -> str:
    who, what = stream.address or "somebody", stream.channel_name or stream.channel
    parts = [f"{who}: {what}", f"for {_span(now - stream.since)}", _size(stream.bytes_out)]
    if stream.format == "hls":
        parts.append(f"HLS, {_count(stream.players, 'player')}")
    others = sum(each.upstream == stream.upstream for each in watching.streams) - 1
    if others and stream.upstream is not None:
        parts.append(f"shared with {_count(others, 'other')}")
    if stream.behind_s is not None and stream.behind_s > LATE_S:
        parts.append(f"{stream.behind_s:.0f} s behind")
    if stream.skips:
        parts.append(f"skipped {_count(stream.skips, 'time')} ({_size(stream.skipped_bytes)})")
    return ", ".join(parts)


def _count(number: int, of: str) -> str:
    return f"{number} {of}" if number == 1 else f"{number} {of}s"


def _size(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def _refreshed(running: bool, at: datetime | None, trouble: str | None, now: datetime) -> str:
    parts = [f"read {_span(now - at)} ago" if at else "not read yet"]
    if running:
        parts.append("reading now")
    if trouble:
        parts.append(f"last attempt failed: {trouble}")
    return ", ".join(parts)


def _span(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"

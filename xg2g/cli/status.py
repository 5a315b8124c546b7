"""`xg2g status`: who watches, which tuners are used, and what is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from .options import Configure, Url, with_settings

if TYPE_CHECKING:
    from xg2g.web.api.models import Status, Stream

NOT_READY = 1

_COLOURS = {"ready": "green", "degraded": "yellow", "not ready": "red"}


@with_settings()
def status(configure: Configure, url: Url = None) -> None:
    """Show who watches, which tuners are in use and what is wrong with a running xg2g.

    Exits with 0 when a viewer who comes now would be served, with 1 when not, or when no xg2g
    answers.

    **Examples**

    `xg2g status`

    `xg2g status --url http://192.168.1.20:8088`
    """
    from .running import RunningDaemon

    daemon = RunningDaemon.of(configure(), url)
    found = daemon.status()
    console = Console(highlight=False)
    for name, text in _rows(found, daemon.streams(), daemon.url, datetime.now(UTC)):
        console.print(f"[bold]{name:9}[/] {text}", soft_wrap=True)
    if not found.ready:
        raise typer.Exit(NOT_READY)


def _rows(
    found: "Status", streams: "list[Stream]", url: str, now: datetime
) -> Iterator[tuple[str, str]]:
    colour = _COLOURS[found.state]
    yield "xg2g", f"[{colour}]{found.state}[/], version {escape(found.version)}, at {escape(url)}"
    for reason in found.reasons:
        yield "trouble", f"[{colour}]{escape(reason)}[/]"
    yield "channels", f"{found.channels}, with {found.programmes} programmes in the guide"
    limit = "?" if found.tuners.limit is None else found.tuners.limit
    lingering = found.tuners.lingering
    linger = f", {lingering} of them still tuned after the last viewer left" if lingering else ""
    yield "tuners", f"{found.tuners.in_use} of {limit} in use{linger}"
    for job in found.refreshes:
        yield job.name, escape(_refreshed(job.running, job.succeeded_at, job.trouble, now))
    if not streams:
        yield "watching", "nobody"
    for stream in streams:
        who = escape(stream.address or "somebody")
        what = escape(stream.channel_name or stream.channel)
        sent = f"{stream.bytes_out / 1e6:.0f} MB"
        yield "watching", f"{who}: {what}, for {_span(now - stream.since)}, {sent}"


def _refreshed(running: bool, at: datetime | None, trouble: str | None, now: datetime) -> str:
    parts = [f"read {_span(now - at)} ago" if at else "not read yet"]
    if running:
        parts.append("being read")
    if trouble:
        parts.append(f"the last try failed: {trouble}")
    return ", ".join(parts)


def _span(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"

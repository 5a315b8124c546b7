"""The block that the terminal shows once the daemon serves."""

import sys
from collections.abc import Iterator
from ipaddress import ip_address

from rich.console import Console
from rich.markup import escape

from xg2g.app.daemon import Ready
from xg2g.clients.m3u import stream_path
from xg2g.network.local_network import outgoing_address

from .invocation import command_with
from .player import find_player

_EVERYWHERE = ("0.0.0.0", "::")


def announce(ready: Ready) -> None:
    """Print where xg2g is and what to do with it, as one piece."""
    text = "\n".join(_lines(ready))
    Console(highlight=False).print(text, soft_wrap=True)
    sys.stdout.flush()


def _lines(ready: Ready) -> Iterator[str]:
    base_url = ready.public_url or _base_url(ready)
    front_page = f"[bold]{escape(base_url)}/[/]"
    count = len(ready.lineup.channels) if ready.lineup else 0
    tuners = f", {_amount(ready.tuners, 'tuner')}" if ready.tuners else ""
    holds = f"open {front_page} ({_amount(count, 'channel')}{tuners})"
    if ready.trouble:
        yield f"[red]xg2g is not ready[/]: {escape(ready.trouble)}; {holds} for how it is"
    else:
        yield f"xg2g is ready: {holds}"
    rows = [("playlist", f"{base_url}/playlist.m3u"), ("guide", f"{base_url}/xmltv.xml")]
    if not ready.public_url:
        rows.append(("network tuner", base_url.removeprefix("http://")))
    if count:
        assert ready.lineup is not None
        url = f"{base_url}{stream_path(ready.lineup.channels[0])}"
        rows.append(("try", f"{find_player() or 'vlc'} {url}"))
    rows.append(("other devices", _other_devices(ready)))
    if ready.unkept:
        rows.append(("not kept", f"channel numbers and guide: {ready.unkept}"))
    for name, text in rows:
        yield f"  [bold]{name:13}[/]  {escape(text)}"


def _other_devices(ready: Ready) -> str:
    if _is_loopback(ready.host):
        command = command_with("--host", "0.0.0.0")
        return f"cannot connect; this lets them in: {command}"
    if ready.host in _EVERYWHERE and not ready.public_url and outgoing_address() is None:
        return "put this computer's own address, which its network settings show, for 127.0.0.1"
    return "connect to the same addresses; whoever reaches them can watch"


def _base_url(ready: Ready) -> str:
    host = ready.host
    if host in _EVERYWHERE:
        host = str(outgoing_address() or "127.0.0.1")
    return f"http://{f'[{host}]' if ':' in host else host}:{ready.port}"


def _is_loopback(host: str) -> bool:
    return ip_address(host).is_loopback


def _amount(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"

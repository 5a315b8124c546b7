"""The lines that `serve` and `demo` print when the daemon serves."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from xg2g.app.announcement import Ready
from xg2g.clients.m3u import stream_path
from xg2g.config.secret import without_password
from xg2g.network.local_network import outgoing_address

from .watch import find_player

_EVERYWHERE = ("0.0.0.0", "::")


def announce(ready: Ready) -> None:
    """Print the addresses of xg2g, and how to use them, in one piece."""
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
        yield f"[red]xg2g is not ready[/]: {escape(ready.trouble)}; for its status {holds}"
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
    if ready.why_temporary:
        rows.append(("not stored", f"channel numbers and guide: {ready.why_temporary}"))
    for name, text in rows:
        yield f"  [bold]{name:13}[/]  {escape(text)}"


def _other_devices(ready: Ready) -> str:
    if _is_loopback(ready.host):
        command = command_with("--host", "0.0.0.0")
        return f"cannot connect; to let them in: {command}"
    if ready.host in _EVERYWHERE and not ready.public_url and outgoing_address() is None:
        return "replace 127.0.0.1 by this computer's address, see its network settings"
    return "can watch at the same addresses; no password is asked for"


def _base_url(ready: Ready) -> str:
    host = ready.host
    if host in _EVERYWHERE:
        host = str(outgoing_address() or "127.0.0.1")
    return f"http://{f'[{host}]' if ':' in host else host}:{ready.port}"


def _is_loopback(host: str) -> bool:
    return ip_address(host).is_loopback


def _amount(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


STARTED_BY = "XG2G_STARTED_BY"
"""The variable that `make run` sets to its own command, without `ARGS`."""


def command_with(
    flag: str,
    value: str,
    *,
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return this process's command line with one option added or replaced, without passwords.

    When `make run` started it: that command, with the option in `ARGS`.
    """
    arguments = sys.argv if arguments is None else arguments
    environment = os.environ if environment is None else environment
    if made := environment.get(STARTED_BY):
        given = shlex.split(environment.get("ARGS", ""))
        changed = shlex.join([*_without(flag, given), flag, value])
        command = f"{made} ARGS={shlex.quote(changed)}"
    else:
        program, *rest = arguments
        command = shlex.join([*program_name(program), *_without(flag, rest), flag, value])
    return without_password(command)


def program_name(program: str | None = None) -> list[str]:
    """Return the words that start this program in this shell and folder."""
    path = Path(program or sys.argv[0])
    if path.name == "__main__.py":
        return ["python", "-m", "xg2g"]
    found = shutil.which(path.name)
    if found and Path(found).resolve() == path.resolve():
        return [path.name]
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return [str(path)]


def _without(flag: str, arguments: Sequence[str]) -> list[str]:
    left: list[str] = []
    following = iter(arguments)
    for argument in following:
        if argument == flag:
            next(following, None)
        elif not argument.startswith(f"{flag}="):
            left.append(argument)
    return left

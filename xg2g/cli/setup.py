"""`xg2g setup`: the first run."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from xg2g.config import Settings, load
from xg2g.config.environment import CONFIG_VARIABLE, read_environment
from xg2g.config.example import example
from xg2g.config.file import SYSTEM_FILE, find_file, preferred_file
from xg2g.config.setting import settings_of
from xg2g.config.settings import DEFAULT_PORT
from xg2g.config.source import SourcedValue, Value
from xg2g.errors import UsageError, UserError
from xg2g.network.local_network import outgoing_address, own_network
from xg2g.receiver.address import Credentials, ReceiverAddress
from xg2g.setup.dialogue import EVERYBODY, Dialogue
from xg2g.setup.write import check_replaceable, write_whole

if TYPE_CHECKING:
    from xg2g.setup.receivers import FoundReceiver, ReceiverSummary


SIMULATED_PORT = 8080
"""Default port of the web interface of `xg2g simulate`."""

ReceiverUrl = Annotated[
    str | None,
    typer.Option(
        "--receiver",
        metavar="URL",
        help="Address of the receiver's web interface, e.g. http://192.168.1.10.",
        show_default="asks, and can search the network",
    ),
]
ListenOn = Annotated[
    str | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="Address to listen on: 0.0.0.0 for every device, 127.0.0.1 for this computer only.",
        show_default="asks; with --yes 127.0.0.1",
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="NETWORK",
        help="Network to search for receivers, e.g. 192.168.1.0/24.",
        show_default="the network of this computer",
    ),
]
TargetFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar=CONFIG_VARIABLE,
        help="File to write.",
        show_default="~/.config/xg2g/config.yaml; for root /etc/xg2g/config.yaml",
    ),
]


def setup(
    receiver: ReceiverUrl = None,
    host: ListenOn = None,
    network: Network = None,
    config: TargetFile = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: use flags, variables and defaults.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing file without asking.")
    ] = False,
) -> None:
    """Find the receiver, ask a few questions, and write the settings file.

    Searches the network only after you agree. Writes the file only after the receiver has
    answered. In a script, use `--yes` with `--receiver`; user and password of the receiver come
    from `XG2G_RECEIVER_USER` and `XG2G_RECEIVER_PASSWORD`.

    **Examples**

    `xg2g setup`

    `xg2g setup --yes --receiver http://192.168.1.10 --host 0.0.0.0`
    """
    console = Console(highlight=False, soft_wrap=True)
    path = _target(config)
    if not yes:
        console.print(_INTRODUCTION, markup=False)
        console.print(f"The settings file will be {path}.\n", markup=False)
    with _no_terminal_explained():
        _confirm_replacing(path, yes=yes, force=force)
        answers = _ask(console, receiver, host, network, yes=yes)
    _write(console, path, answers)
    _print_next_steps(console, config, answers)
    if not yes and _confirmed("\nStart xg2g now?"):
        from .serve import serve_with

        # The announcement shows how to let other devices in, as this process's command.
        sys.argv[1:] = ["serve", *(["--config", str(config)] if config else [])]
        serve_with(lambda: load(file=path))


def _ask(
    console: Console, receiver: str | None, host: str | None, network: str | None, *, yes: bool
) -> dict[str, Value]:
    """Return the answers of the dialogue: settings by key."""
    given = read_environment(os.environ, settings_of(Settings)).values
    user, password = _text(given.get("receiver.user")), _text(given.get("receiver.password"))
    dialogue = Dialogue(yes=yes, read_receiver=_read_receiver, search=_search)
    found = dialogue.receiver(
        receiver or _text(given.get("receiver.url")),
        Credentials(user, password or "") if user else None,
        _network(network),
    )
    name = " ".join(word for word in (found.about.brand, found.about.model) if word)
    console.print(f"{name or 'A receiver'} answers at {found.address.url}.", markup=False)
    dialogue.check_stream_port = lambda port: _port_trouble(found.address.host, port)
    dialogue.stream_port(_number(given.get("receiver.stream_port")))
    dialogue.bouquets(list(found.bouquets))
    dialogue.access(host or _text(given.get("server.host")))
    return dialogue.settings


def _write(console: Console, path: Path, answers: dict[str, Value]) -> None:
    is_secret = "receiver.password" in answers
    # Services have users of their own, and read what is in /etc.
    is_public = path == SYSTEM_FILE and not is_secret
    write_whole(path, example(answers), mode=0o644 if is_public else 0o600)
    console.print(f"\nwritten     {path}", markup=False)
    if path == SYSTEM_FILE and is_secret:
        console.print("            only root can read it, because it holds a password")


def _print_next_steps(console: Console, config: Path | None, answers: dict[str, Value]) -> None:
    flag = f" --config {config}" if config else ""
    address = str(answers["server.host"])
    if address == EVERYBODY:
        address = str(outgoing_address() or "THIS-COMPUTER")
    console.print(f"start       xg2g serve{flag}", markup=False)
    console.print(f"then open   http://{address}:{DEFAULT_PORT}/", markup=False)
    console.print(f"check       xg2g doctor{flag}", markup=False)


_INTRODUCTION = """\
xg2g streams your Enigma2 receiver's television, with audio that every player
can play. This command finds the receiver, asks a few questions and writes a
settings file at the end. Ctrl+C leaves everything as it is.
"""


def _confirmed(question: str) -> bool:
    """Ask the question. Return False if standard input has ended."""
    try:
        return typer.confirm(question, default=True)
    except typer.Abort:
        typer.echo()
        return False


def _port_trouble(host: str, port: int) -> str | None:
    from xg2g.readiness.port import port_trouble

    return asyncio.run(port_trouble(host, port))


def _number(given: SourcedValue | None) -> int | None:
    text = _text(given)
    return int(text) if text and text.isdecimal() else None


@contextmanager
def _no_terminal_explained() -> Iterator[None]:
    """Say what to do when standard input ends. Ctrl-C on a terminal passes."""
    try:
        yield
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise UserError(
            "cannot ask: standard input has ended; in a script, run xg2g setup --yes "
            "--receiver http://192.168.1.10"
        ) from None


def _target(named: Path | None) -> Path:
    """Return the file to write: the one that `serve` reads first."""
    if named is not None:
        return named
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return find_file(os.environ) or preferred_file(os.environ, is_root=is_root)


def _confirm_replacing(path: Path, *, yes: bool, force: bool) -> None:
    check_replaceable(path)
    if force or not os.path.lexists(path):
        return
    if yes:
        raise UsageError(
            f"{path} exists; replace it with --force, or name another file with --config"
        )
    if not typer.confirm(f"{path} exists. Replace it at the end?"):
        raise UserError(f"{path} was not changed; name another file with --config")


def _read_receiver(address: ReceiverAddress) -> "ReceiverSummary":
    from xg2g.setup.receivers import read_receiver

    return asyncio.run(read_receiver(address))


def _search(network: IPv4Network) -> list["FoundReceiver"]:
    from xg2g.setup.receivers import find_receivers

    async def search() -> list["FoundReceiver"]:
        around, here = await asyncio.gather(
            find_receivers(network.hosts()),
            # xg2g simulate listens there.
            find_receivers([IPv4Address("127.0.0.1")], port=SIMULATED_PORT),
        )
        return around + here

    return asyncio.run(search())


def _network(text: str | None) -> IPv4Network | None:
    if text is None:
        return own_network()
    from xg2g.setup.receivers import NetworkError, parse_network

    try:
        return parse_network(text)
    except NetworkError as error:
        raise UsageError(f"--network: {error}") from error


def _text(given: SourcedValue | None) -> str | None:
    return given.value if given is not None and isinstance(given.value, str) else None

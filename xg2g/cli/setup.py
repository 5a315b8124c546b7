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
from xg2g.config.given import Given
from xg2g.config.setting import settings_of
from xg2g.config.settings import DEFAULT_PORT
from xg2g.errors import UsageError, UserError
from xg2g.network.local_network import outgoing_address, own_network
from xg2g.receiver.address import Credentials, ReceiverAddress
from xg2g.setup.dialogue import EVERYBODY, Dialogue
from xg2g.setup.write import check_replaceable, write_whole

if TYPE_CHECKING:
    from xg2g.setup.greet import Greeting
    from xg2g.setup.scan import FoundReceiver


SIMULATED_PORT = 8080
"""Of the web interface that `xg2g simulate` offers, unless it is told another one."""


def setup(
    receiver: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The receiver's web interface, as http://192.168.1.10.",
            show_default="asks, and offers to look for it",
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on: 0.0.0.0 for every device, 127.0.0.1 for this computer.",
            show_default="asks; with --yes 127.0.0.1",
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NETWORK",
            help="Where to look for receivers, as 192.168.1.0/24.",
            show_default="the one that this computer is in",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            envvar=CONFIG_VARIABLE,
            help="File to write.",
            show_default="~/.config/xg2g/config.yaml; for root /etc/xg2g/config.yaml",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take flags, variables and defaults.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that exists, without asking.")
    ] = False,
) -> None:
    """Find the receiver, ask what there is to ask, and write the file of settings.

    Nothing is sent anywhere before you agree to it, and nothing written before the receiver has
    answered. Without a person, `--yes` takes the receiver from `--receiver`, user and password from
    `XG2G_RECEIVER_USER` and `XG2G_RECEIVER_PASSWORD`.

    **Examples**

    `xg2g setup`

    `xg2g setup --yes --receiver http://192.168.1.10 --host 0.0.0.0`
    """
    console = Console(highlight=False, soft_wrap=True)
    given = read_environment(os.environ, settings_of(Settings)).values
    path = _target(config)
    dialogue = Dialogue(yes=yes, greet=_greet, search=_search)
    if not yes:
        console.print(_INTRODUCTION, markup=False)
        console.print(f"The answers go to {path}.\n", markup=False)
    with _somebody_answering():
        _may_write(path, yes=yes, force=force)
        greeting = dialogue.receiver(
            receiver or _text(given.get("receiver.url")),
            _credentials(_text(given.get("receiver.user")), _text(given.get("receiver.password"))),
            _network(network),
        )
        about = greeting.about
        name = " ".join(word for word in (about.brand, about.model) if word)
        console.print(f"{name or 'A receiver'} answers at {greeting.address.url}.", markup=False)
        host_of_streams = greeting.address.host
        dialogue.look_at_streams = lambda port: _port_trouble(host_of_streams, port)
        dialogue.streams(_number(given.get("receiver.stream_port")))
        dialogue.bouquets(list(greeting.bouquets))
        dialogue.access(host or _text(given.get("server.host")))
    is_secret = "receiver.password" in dialogue.settings
    # Services have users of their own, and read what is in /etc.
    is_public = path == SYSTEM_FILE and not is_secret
    write_whole(path, example(dialogue.settings), mode=0o644 if is_public else 0o600)
    console.print(f"\nwritten      {path}", markup=False)
    if path == SYSTEM_FILE and is_secret:
        console.print("             root alone can read it: there is a password in it")
    flag = f" --config {config}" if config else ""
    console.print(f"begin        xg2g serve{flag}", markup=False)
    console.print(f"if in doubt  xg2g doctor{flag}", markup=False)
    if dialogue.settings["server.host"] == EVERYBODY:
        address = str(outgoing_address() or "THIS-COMPUTER")
    else:
        address = str(dialogue.settings["server.host"])
    console.print(f"then open    http://{address}:{DEFAULT_PORT}/", markup=False)
    if not yes and _wanted("\nStart now?"):
        from .serve import serve_with

        # The start says how to let others in, in the form of the command that is running.
        sys.argv[1:] = ["serve", *(["--config", str(config)] if config else [])]
        serve_with(lambda: load(file=path))


_INTRODUCTION = """\
xg2g streams your Enigma2 receiver's television to every player, with sound that all of them play.
This finds the receiver, asks what there is to ask, and writes a file of settings. Nothing is
written before the end; Ctrl+C leaves everything as it is.
"""


def _wanted(question: str) -> bool:
    """Ask; where nobody answers, the answer is no."""
    try:
        return typer.confirm(question, default=True)
    except typer.Abort:
        typer.echo()
        return False


def _port_trouble(host: str, port: int) -> str | None:
    from xg2g.readiness.port import port_trouble

    return asyncio.run(port_trouble(host, port))


def _number(given: Given | None) -> int | None:
    text = _text(given)
    return int(text) if text and text.isdecimal() else None


@contextmanager
def _somebody_answering() -> Iterator[None]:
    """Say what to do where nobody can be asked. A person who presses Ctrl-C knows."""
    try:
        yield
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise UserError(
            "nobody answers here; xg2g setup --yes --receiver http://192.168.1.10 asks nothing"
        ) from None


def _target(named: Path | None) -> Path:
    """The file to write: where `serve` will look for it first."""
    if named is not None:
        return named
    return find_file(os.environ) or preferred_file(os.environ, is_root=os.geteuid() == 0)


def _may_write(path: Path, *, yes: bool, force: bool) -> None:
    check_replaceable(path)
    if force or not os.path.lexists(path):
        return
    if yes:
        raise UsageError(f"{path} exists; --force replaces it, --config names another")
    if not typer.confirm(f"{path} exists. Replace it at the end?"):
        raise UserError(f"{path} stays as it is; --config names another")


def _greet(address: ReceiverAddress) -> "Greeting":
    from xg2g.setup.greet import greet

    return asyncio.run(greet(address))


def _search(network: IPv4Network) -> list["FoundReceiver"]:
    from xg2g.setup.scan import find_receivers

    async def search() -> list["FoundReceiver"]:
        around, here = await asyncio.gather(
            find_receivers(network.hosts()),
            # Where xg2g simulate listens.
            find_receivers([IPv4Address("127.0.0.1")], port=SIMULATED_PORT),
        )
        return around + here

    return asyncio.run(search())


def _network(text: str | None) -> IPv4Network | None:
    if text is None:
        return own_network()
    from xg2g.setup.scan import NetworkError, parse_network

    try:
        return parse_network(text)
    except NetworkError as error:
        raise UsageError(f"--network: {error}") from error


def _credentials(user: str | None, password: str | None) -> Credentials | None:
    return Credentials(user, password or "") if user else None


def _text(given: Given | None) -> str | None:
    return given.value if given is not None and isinstance(given.value, str) else None

"""The questions of `xg2g setup`, and their answers as settings."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, TypeVar

import typer

from xg2g.config.given import Value
from xg2g.errors import UserError
from xg2g.receiver.address import Credentials, ReceiverAddress
from xg2g.receiver.errors import AddressRefusedError, CredentialsError, ReceiverError

if TYPE_CHECKING:
    from .greet import Greeting
    from .scan import FoundReceiver

T = TypeVar("T")

EVERYBODY = "0.0.0.0"
DEFAULT_STREAM_PORT = 8001
THIS_COMPUTER = "127.0.0.1"
_ATTEMPTS = 5


@dataclass(kw_only=True)
class Dialogue:
    """Asks a person, or with `yes` nobody: then what is known has to do."""

    yes: bool
    greet: Callable[[ReceiverAddress], "Greeting"]
    """Asks the receiver what it is; raises `ReceiverError`."""
    search: Callable[[IPv4Network], list["FoundReceiver"]]
    look_at_streams: Callable[[int], str | None] = lambda _: None
    """Connects to a port of the receiver that was greeted; returns why that fails, or None."""
    settings: dict[str, Value] = field(default_factory=dict)
    """What was answered, by key."""

    def receiver(
        self, url: str | None, credentials: Credentials | None, network: IPv4Network | None
    ) -> "Greeting":
        """Find out where the receiver is and who may ask it, until it answers."""
        for _ in range(_ATTEMPTS):
            text = url or self._choose_receiver(network)
            try:
                address = ReceiverAddress.parse(text, credentials=credentials)
                greeting = self._log_in(address)
            except (ValueError, ReceiverError) as error:
                if self.yes:
                    raise UserError(str(error)) from error
                self._say(str(error))
                url = None
                continue
            self.settings["receiver.url"] = greeting.address.url
            if greeting.address.credentials:
                self.settings["receiver.user"] = greeting.address.credentials.user
                self.settings["receiver.password"] = greeting.address.credentials.password
            return greeting
        raise UserError("no receiver was found; begin again when it is switched on")

    def streams(self, port: int | None) -> None:
        """Find out whether the stream server can be connected to, and let a person name another
        port. `port` is the one that is set, if there is one."""
        chosen = port or DEFAULT_STREAM_PORT
        for _ in range(_ATTEMPTS):
            trouble = self.look_at_streams(chosen)
            if trouble is None:
                self.settings["receiver.stream_port"] = str(chosen)
                return
            self._say(f"Nothing plays yet: the receiver's stream port {chosen}: {trouble}.")
            if self.yes:
                return
            kept = chosen
            chosen = self._ask(
                "Another port? Enter keeps this one, which a firewall may close", str(kept), _port
            )
            if chosen == kept:
                self.settings["receiver.stream_port"] = str(kept)
                return

    def bouquets(self, names: list[str]) -> None:
        """Ask which of the receiver's bouquets to serve; all, without an answer."""
        if self.yes or len(names) < 2:
            return
        self._say("The receiver's bouquets:")
        for number, name in enumerate(names, start=1):
            self._say(f"  {number:3}  {name}")
        chosen = self._ask(
            "Which shall be served? Numbers such as 1,3; Enter for all",
            "",
            lambda text: [names[number - 1] for number in _numbers(text, len(names))],
        )
        if chosen:
            self.settings["lineup.bouquets"] = tuple(chosen)

    def access(self, host: str | None) -> None:
        """Ask who may watch."""
        if host is None and not self.yes:
            self._say("Who may watch? xg2g asks nobody for a password.")
            self._say("    1  every device in your network: televisions, telephones, Jellyfin")
            self._say("    2  this computer alone")
            [choice] = self._ask("Choose", "1", lambda text: _numbers(text, 2, exactly=1))
            host = EVERYBODY if choice == 1 else THIS_COMPUTER
        self.settings["server.host"] = host or THIS_COMPUTER

    def _choose_receiver(self, network: IPv4Network | None) -> str:
        if self.yes:
            raise UserError("add --receiver http://192.168.1.10: with --yes nothing is asked")
        question = "The receiver's address"
        if network is None:
            return str(typer.prompt(question)).strip()
        look = f"{question}, or Enter to look for it in {network} and on this computer"
        answer = str(typer.prompt(look, default="", show_default=False)).strip()
        return answer or self._choose_found(self.search(network))

    def _choose_found(self, found: list["FoundReceiver"]) -> str:
        if not found:
            self._say("None answered. Is it switched on, and in this network?")
            return str(typer.prompt("The receiver's address")).strip()
        for number, receiver in enumerate(found, start=1):
            self._say(f"  {number:3}  {receiver.url}  {receiver.name}")
        [number] = self._ask("Choose", "1", lambda text: _numbers(text, len(found), exactly=1))
        return found[number - 1].url

    def _log_in(self, address: ReceiverAddress) -> "Greeting":
        for _ in range(_ATTEMPTS):
            try:
                return self.greet(address)
            except CredentialsError as error:
                if self.yes or isinstance(error, AddressRefusedError):
                    raise
                self._say(
                    "It refuses this user and password."
                    if address.credentials
                    else "It asks for a user and a password."
                )
            user = typer.prompt("User", default="root")
            # Where nobody types, nothing has to be hidden; getpass would look for a terminal.
            password = typer.prompt("Password", hide_input=sys.stdin.isatty())
            address = replace(address, credentials=Credentials(user, password))
        return self.greet(address)

    def _ask(self, question: str, default: str, understand: Callable[[str], T]) -> T:
        for _ in range(_ATTEMPTS):
            try:
                return understand(
                    typer.prompt(question, default=default, show_default=bool(default))
                )
            except ValueError as error:
                self._say(str(error))
        raise UserError("that was no answer to the question; begin again")

    def _say(self, line: str) -> None:
        typer.echo(line)


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise ValueError("A port is a number from 1 to 65535.")
    return int(text)


def _numbers(text: str, most: int, *, exactly: int | None = None) -> list[int]:
    words = [word for word in text.replace(",", " ").split() if word]
    numbers = [int(word) for word in words if word.isdigit()]
    wrong = len(numbers) != len(words) or any(not 1 <= number <= most for number in numbers)
    if wrong or (exactly is not None and len(numbers) != exactly):
        raise ValueError(f"Numbers from 1 to {most}, please.")
    return numbers

"""The questions of `xg2g setup`; the answers are settings."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, TypeVar

import typer

from xg2g.config.source import Value
from xg2g.errors import UserError
from xg2g.receiver.address import Credentials, ReceiverAddress
from xg2g.receiver.errors import AddressRefusedError, CredentialsError, ReceiverError

if TYPE_CHECKING:
    from .receivers import FoundReceiver, ReceiverSummary

T = TypeVar("T")

EVERYBODY = "0.0.0.0"
DEFAULT_STREAM_PORT = 8001
THIS_COMPUTER = "127.0.0.1"
_ATTEMPTS = 5


@dataclass(kw_only=True)
class Dialogue:
    """The questions, one method each. With `yes` it asks nothing and uses what is known."""

    yes: bool
    read_receiver: Callable[[ReceiverAddress], "ReceiverSummary"]
    """Reads what the receiver is; raises `ReceiverError`."""
    search: Callable[[IPv4Network], list["FoundReceiver"]]
    check_stream_port: Callable[[int], str | None] = lambda _: None
    """Connects to a port of the receiver; returns why that fails, or None."""
    settings: dict[str, Value] = field(default_factory=dict)
    """The answers, by the setting's key."""

    def receiver(
        self, url: str | None, credentials: Credentials | None, network: IPv4Network | None
    ) -> "ReceiverSummary":
        """Ask for the receiver's address, user and password, until it answers."""
        for _ in range(_ATTEMPTS):
            text = url or self._choose_receiver(network)
            try:
                address = ReceiverAddress.parse(text, credentials=credentials)
                summary = self._log_in(address)
            except (ValueError, ReceiverError) as error:
                if self.yes:
                    raise UserError(str(error)) from error
                self._say(str(error))
                url = None
                continue
            self.settings["receiver.url"] = summary.address.url
            if summary.address.credentials:
                self.settings["receiver.user"] = summary.address.credentials.user
                self.settings["receiver.password"] = summary.address.credentials.password
            return summary
        raise UserError("found no receiver; switch it on and run xg2g setup again")

    def stream_port(self, port: int | None) -> None:
        """Connect to the stream port, and ask for another one when that fails.

        `port` is the one that is set; None for the default.
        """
        chosen = port or DEFAULT_STREAM_PORT
        for _ in range(_ATTEMPTS):
            trouble = self.check_stream_port(chosen)
            if trouble is None:
                self.settings["receiver.stream_port"] = str(chosen)
                return
            self._say(
                f"Channels will not play: no connection to the receiver's stream port {chosen} "
                f"({trouble})."
            )
            if self.yes:
                return
            kept = chosen
            chosen = self._ask(
                "Enter another port; or press Enter to keep it (a firewall may block it)",
                str(kept),
                _port,
            )
            if chosen == kept:
                self.settings["receiver.stream_port"] = str(kept)
                return

    def bouquets(self, names: list[str]) -> None:
        """Ask which of the receiver's bouquets to serve; without an answer, all."""
        if self.yes or len(names) < 2:
            return
        self._say("The receiver's bouquets:")
        for number, name in enumerate(names, start=1):
            self._say(f"  {number:3}  {name}")
        chosen = self._ask(
            "Choose bouquets by number, e.g. 1,3; or press Enter for all",
            "",
            lambda text: [names[number - 1] for number in _numbers(text, len(names))],
        )
        if chosen:
            self.settings["lineup.bouquets"] = tuple(chosen)

    def access(self, host: str | None) -> None:
        """Ask who may watch."""
        if host is None and not self.yes:
            self._say("Who may watch? No password is asked for.")
            self._say("    1  every device in your network: televisions, phones, media servers")
            self._say("    2  this computer only")
            [choice] = self._ask("Choose", "1", lambda text: _numbers(text, 2, exactly=1))
            host = EVERYBODY if choice == 1 else THIS_COMPUTER
        self.settings["server.host"] = host or THIS_COMPUTER

    def _choose_receiver(self, network: IPv4Network | None) -> str:
        if self.yes:
            raise UserError("no receiver is named; with --yes, add --receiver http://192.168.1.10")
        question = "Enter the receiver's address"
        if network is None:
            return str(typer.prompt(question)).strip()
        search = f"{question}; or press Enter to search {network} and this computer"
        answer = str(typer.prompt(search, default="", show_default=False)).strip()
        return answer or self._choose_found(self.search(network))

    def _choose_found(self, found: list["FoundReceiver"]) -> str:
        if not found:
            self._say("Found no receiver. Check that it is on and connected to this network.")
            return str(typer.prompt("Enter the receiver's address")).strip()
        for number, receiver in enumerate(found, start=1):
            self._say(f"  {number:3}  {receiver.url}  {receiver.name}")
        [number] = self._ask("Choose", "1", lambda text: _numbers(text, len(found), exactly=1))
        return found[number - 1].url

    def _log_in(self, address: ReceiverAddress) -> "ReceiverSummary":
        for _ in range(_ATTEMPTS):
            try:
                return self.read_receiver(address)
            except CredentialsError as error:
                if self.yes or isinstance(error, AddressRefusedError):
                    raise
                self._say(
                    "The receiver refuses this user and password."
                    if address.credentials
                    else "The receiver asks for a user and a password."
                )
            user = typer.prompt("User", default="root")
            # getpass needs a terminal; piped input has nothing to hide.
            password = typer.prompt("Password", hide_input=sys.stdin.isatty())
            address = replace(address, credentials=Credentials(user, password))
        return self.read_receiver(address)

    def _ask(self, question: str, default: str, understand: Callable[[str], T]) -> T:
        for _ in range(_ATTEMPTS):
            try:
                return understand(
                    typer.prompt(question, default=default, show_default=bool(default))
                )
            except ValueError as error:
                self._say(str(error))
        raise UserError("gave up after five wrong answers; run xg2g setup again")

    def _say(self, line: str) -> None:
        typer.echo(line)


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise ValueError("Enter a number from 1 to 65535.")
    return int(text)


def _numbers(text: str, most: int, *, exactly: int | None = None) -> list[int]:
    words = [word for word in text.replace(",", " ").split() if word]
    numbers = [int(word) for word in words if word.isdigit()]
    wrong = len(numbers) != len(words) or any(not 1 <= number <= most for number in numbers)
    if wrong or (exactly is not None and len(numbers) != exactly):
        raise ValueError(
            f"Enter a number from 1 to {most}."
            if exactly == 1
            else f"Enter numbers from 1 to {most}, separated by commas."
        )
    return numbers

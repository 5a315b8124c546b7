"""Finds receivers in the home's network, and reads what a receiver is.

The search connects to port 80 of each address, and sends one request for `/api/about` where that
succeeds. It asks addresses of private networks only, and few at a time: a router might take more
for an attack. OpenWebif listens on port 80 unless its owner changed it, and HTTPS is off unless
they switched it on; such an owner knows the address to type.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import httpx

from xg2g.network.http_bodies import IDENTITY_ONLY, read_small_body
from xg2g.network.local_network import is_private
from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.openwebif import RADIO, TELEVISION, About, OpenWebif, RequestPolicy

SCANNED_AT_ONCE = 32
SCAN_CONNECT_TIMEOUT_S = 0.5
"""A device in the same network accepts within milliseconds, or within two tries of ARP."""
SCAN_ANSWER_TIMEOUT_S = 5.0
LARGEST_PREFIX = 22
"""Networks of up to 1024 addresses are searched: 16 s where nothing answers."""
_ANSWER_LIMIT_BYTES = 256 * 1024
_CONNECT_TIMEOUT_S = 5.0
_ANSWER_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class FoundReceiver:
    """A device that answers like OpenWebif."""

    url: str
    name: str
    """Brand and model, or why they are unknown."""


class NetworkError(ValueError):
    """A network that cannot be searched. The text is one line for the user."""


def parse_network(text: str) -> IPv4Network:
    """Parse `192.168.1.0/24`. Raises `NetworkError` unless it is private and small enough."""
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        raise NetworkError(f"{text} is not a network; write it as 192.168.1.0/24") from None
    if not (is_private(network) or network.is_loopback):
        raise NetworkError(f"{text} is not a private network; name one such as 192.168.1.0/24")
    if network.prefixlen < LARGEST_PREFIX:
        raise NetworkError(
            f"{text} is too big to search; name a part of it, at most a /{LARGEST_PREFIX}"
        )
    return network


async def find_receivers(
    addresses: Iterable[IPv4Address], *, port: int = 80
) -> list[FoundReceiver]:
    """Return the receivers among the addresses, in the order of the addresses."""
    turns = asyncio.Semaphore(SCANNED_AT_ONCE)
    timeout = httpx.Timeout(SCAN_ANSWER_TIMEOUT_S, connect=SCAN_CONNECT_TIMEOUT_S)
    async with httpx.AsyncClient(timeout=timeout, trust_env=False, verify=False) as client:

        async def ask(address: IPv4Address) -> FoundReceiver | None:
            url = f"http://{address}" if port == 80 else f"http://{address}:{port}"
            async with turns:
                try:
                    async with asyncio.timeout(SCAN_ANSWER_TIMEOUT_S):
                        return await _ask(client, url)
                except (
                    httpx.HTTPError,
                    httpx.InvalidURL,
                    TimeoutError,
                    ValueError,
                    RecursionError,
                ):
                    return None

        answers = await asyncio.gather(*(ask(address) for address in addresses))
    return [found for found in answers if found is not None]


async def _ask(client: httpx.AsyncClient, url: str) -> FoundReceiver | None:
    headers = {"User-Agent": "xg2g"} | IDENTITY_ONLY
    async with client.stream("GET", f"{url}/api/about", headers=headers) as answer:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            asks_for_it = "openwebif" in answer.headers.get("WWW-Authenticate", "").lower()
            return FoundReceiver(url, "asks for a password") if asks_for_it else None
        body = await read_small_body(answer, limit_bytes=_ANSWER_LIMIT_BYTES)
        if body is None:
            return None
    if answer.status_code == httpx.codes.FORBIDDEN:
        refuses = b"403.6" in body
        return FoundReceiver(url, "refuses this computer's address") if refuses else None
    info = json.loads(body.decode(errors="replace"), strict=False)
    match info:
        case {"info": {"webifver": str(), **rest}}:
            words = (rest.get("brand"), rest.get("model") or rest.get("boxtype"))
            return FoundReceiver(url, " ".join(str(word) for word in words if word) or "Enigma2")
    return None


@dataclass(frozen=True, slots=True)
class ReceiverSummary:
    """What a receiver says about itself."""

    address: ReceiverAddress
    about: About
    bouquets: tuple[str, ...]
    """Names of the bouquets, television before radio, in the receiver's order."""


async def read_receiver(address: ReceiverAddress) -> ReceiverSummary:
    """Return what a receiver is and which bouquets it has. Raises `ReceiverError`."""
    async with OpenWebif(
        address,
        connect_timeout_s=_CONNECT_TIMEOUT_S,
        answer_timeout_s=_ANSWER_TIMEOUT_S,
        policy=RequestPolicy(attempts=1),
    ) as receiver:
        about = await receiver.about()
        names = [
            bouquet.name
            for kind in (TELEVISION, RADIO)
            for bouquet in await receiver.bouquets(kind)
        ]
    return ReceiverSummary(address, about, tuple(dict.fromkeys(names)))

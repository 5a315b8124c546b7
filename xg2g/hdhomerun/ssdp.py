"""SSDP (UPnP Device Architecture 2.0, 1): how Plex finds a tuner and knows that it still runs."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Self
from uuid import UUID

import structlog

from ..network.local_network import address_towards
from .discovery import address_for

GROUP: Final = "239.255.255.250"
"""The multicast address of SSDP."""
PORT: Final = 1900

ALIVE_INTERVAL_S = 15
MAX_AGE_S = 1800
"""How long an announcement is valid. It is repeated far more often: multicast gets lost, and Plex
drops a tuner that is silent for minutes (telly's issue 44, cured with 15 s)."""

ROOT_DEVICE = "upnp:rootdevice"
MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"

_LONGEST_DELAY_S = 5
"""Longest wait before an answer. A client may allow up to 120 s (MX), but wait only 5 s itself."""
_PENDING_LIMIT = 64
"""Searches whose answer is pending; a house sends a few an hour."""

log = structlog.get_logger()

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Search:
    """A client's search for devices."""

    target: str
    longest_delay_s: int
    """How long the client lets devices wait before they answer (MX), bounded."""

    @classmethod
    def parse(cls, datagram: bytes) -> Self | None:
        """Parse a datagram from the network; None for anything but a search."""
        if not datagram.startswith(b"M-SEARCH "):
            return None
        try:
            first, *lines = datagram.decode().splitlines()
        except UnicodeDecodeError:
            return None
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                break
            headers[name.upper()] = value.strip()
        if len(first.split()) != 3 or headers.get("MAN") != '"ssdp:discover"':
            return None
        mx = headers.get("MX", "")
        longest_s = min(int(mx), _LONGEST_DELAY_S) if mx.isdecimal() and len(mx) < 4 else 1
        return cls(headers.get("ST", ""), longest_s)

    def delay_s(self, uniform: Callable[[float, float], float]) -> float:
        """Return a random delay before the answer, so that devices do not answer all at once."""
        return uniform(0, self.longest_delay_s * 0.8)


class Advertisement:
    """The messages about one device."""

    def __init__(self, udn: UUID, port: int) -> None:
        """`port` serves `/device.xml`."""
        self._port = port
        self._uuid = f"uuid:{udn}"
        self.names = {
            ROOT_DEVICE: f"{self._uuid}::{ROOT_DEVICE}",
            self._uuid: self._uuid,
            MEDIA_SERVER: f"{self._uuid}::{MEDIA_SERVER}",
        }
        """Unique service name of each search target."""

    def alive(self, address: str) -> list[bytes]:
        """Return the announcements that are repeated; `address` is this computer's."""
        return self._notifications("ssdp:alive", self._location(address))

    def byebye(self) -> list[bytes]:
        """Return the announcements that the device leaves."""
        return self._notifications("ssdp:byebye", [])

    def answers(self, search: Search, address: str) -> list[bytes]:
        """Return the answers to a search; none to a search for other devices."""
        return [
            _message(
                "HTTP/1.1 200 OK",
                [("EXT", ""), ("ST", target), ("USN", name), *self._location(address)],
            )
            for target, name in self.names.items()
            if search.target in ("ssdp:all", target)
        ]

    def _notifications(self, kind: str, more: Headers) -> list[bytes]:
        return [
            _message(
                "NOTIFY * HTTP/1.1",
                [
                    ("HOST", f"{GROUP}:{PORT}"),
                    ("NT", target),
                    ("NTS", kind),
                    ("USN", name),
                    *more,
                ],
            )
            for target, name in self.names.items()
        ]

    def _location(self, address: str) -> Headers:
        return [
            ("CACHE-CONTROL", f"max-age={MAX_AGE_S}"),
            ("LOCATION", f"http://{address}:{self._port}/device.xml"),
            ("SERVER", f"UPnP/1.0 xg2g/{version('xg2g')}"),
        ]


def _message(first_line: str, headers: Headers) -> bytes:
    lines = [first_line, *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def advertise_ssdp(
    advertisement: Advertisement,
    host: str,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
) -> AsyncIterator[None]:
    """Announce the device and answer searches while the context is open.

    `host` is the address that the daemon listens on; if that belongs to one network, other
    networks hear nothing. Without multicast it logs a warning and does nothing.
    """
    interface = "0.0.0.0" if host == "::" else host
    try:
        sock = _multicast_socket(interface)
    except OSError as error:
        log.warning(
            "SSDP does not work; add the tuner by its address",
            reason=error.strerror or str(error),
        )
        yield
        return
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(
        lambda: _Responder(advertisement, uniform), sock=sock
    )
    repeating = asyncio.create_task(_repeat(transport, advertisement, interface, sleep))
    try:
        yield
    finally:
        repeating.cancel()
        await asyncio.wait({repeating})
        responder.cancel_pending()
        for message in advertisement.byebye():
            transport.sendto(message, (GROUP, PORT))
        transport.close()


async def _repeat(
    transport: asyncio.DatagramTransport,
    advertisement: Advertisement,
    interface: str,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    while True:
        address = address_towards(GROUP) if interface == "0.0.0.0" else interface
        if address is not None:
            for message in advertisement.alive(str(address)):
                transport.sendto(message, (GROUP, PORT))
        await sleep(ALIVE_INTERVAL_S)


class _Responder(asyncio.DatagramProtocol):
    def __init__(
        self, advertisement: Advertisement, uniform: Callable[[float, float], float]
    ) -> None:
        self._advertisement = advertisement
        self._uniform = uniform
        self._pending: set[asyncio.TimerHandle] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.cancel_pending()

    def cancel_pending(self) -> None:
        """Cancel pending answers."""
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        search = Search.parse(data)
        own = address_for(addr[0]) if search else None
        if search is None or own is None or len(self._pending) >= _PENDING_LIMIT:
            return
        if answers := self._advertisement.answers(search, own):
            self._send_later(search.delay_s(self._uniform), answers, addr)

    def _send_later(self, delay_s: float, answers: list[bytes], addr: tuple[str, int]) -> None:
        def send() -> None:
            self._pending.discard(handle)
            for answer in answers:
                self._transport.sendto(answer, addr)

        handle = asyncio.get_running_loop().call_later(delay_s, send)
        self._pending.add(handle)

    def error_received(self, exc: Exception) -> None:
        log.debug("SSDP message not sent or received", reason=str(exc))


def _multicast_socket(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            # Other UPnP programs on this computer listen on the same port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("", PORT))
        membership = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(interface))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        if interface != "0.0.0.0":
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock

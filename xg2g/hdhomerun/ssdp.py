"""SSDP (UPnP Device Architecture 2.0, 1): how Plex knows that a tuner is still alive."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from uuid import UUID

import structlog
from ssdp.aio import SimpleServiceDiscoveryProtocol
from ssdp.messages import SSDPRequest, SSDPResponse
from ssdp.network import MULTICAST_ADDRESS_IPV4, PORT

from .discovery import address_for, address_towards

ALIVE_INTERVAL_S = 15
MAX_AGE_S = 1800
"""How long an announcement holds. Far more often than that it is repeated: multicast gets lost, and
Plex takes a tuner that is silent for minutes for gone (telly's issue 44, cured with 15 s)."""

ROOT_DEVICE = "upnp:rootdevice"
MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"
_LONGEST_DELAY_S = 5
"""Of an answer. A client may ask for up to 120 s (MX), and wait no more than 5."""

log = structlog.get_logger()


class Advertisement:
    """The messages about one device."""

    def __init__(self, udn: UUID, port: int) -> None:
        """`port` is where `/device.xml` is."""
        self._port = port
        self._uuid = f"uuid:{udn}"
        self.names = {
            ROOT_DEVICE: f"{self._uuid}::{ROOT_DEVICE}",
            self._uuid: self._uuid,
            MEDIA_SERVER: f"{self._uuid}::{MEDIA_SERVER}",
        }
        """Search target -> unique service name."""

    def alive(self, address: str) -> list[SSDPRequest]:
        """What is said again and again; `address` is ours."""
        return [
            SSDPRequest(
                "NOTIFY",
                headers=[
                    ("HOST", f"{MULTICAST_ADDRESS_IPV4}:{PORT}"),
                    ("NT", target),
                    ("NTS", "ssdp:alive"),
                    ("USN", name),
                    *self._where(address),
                ],
            )
            for target, name in self.names.items()
        ]

    def byebye(self) -> list[SSDPRequest]:
        """What is said at the end."""
        return [
            SSDPRequest(
                "NOTIFY",
                headers=[
                    ("HOST", f"{MULTICAST_ADDRESS_IPV4}:{PORT}"),
                    ("NT", target),
                    ("NTS", "ssdp:byebye"),
                    ("USN", name),
                ],
            )
            for target, name in self.names.items()
        ]

    def answers(self, request: SSDPRequest, address: str) -> list[SSDPResponse]:
        """What a search is answered with; nothing if it is for something else."""
        headers = {name.upper(): value for name, value in request.headers}
        if request.method != "M-SEARCH" or headers.get("MAN") != '"ssdp:discover"':
            return []
        wanted = headers.get("ST", "")
        return [
            SSDPResponse(
                200,
                "OK",
                headers=[("EXT", ""), ("ST", target), ("USN", name), *self._where(address)],
            )
            for target, name in self.names.items()
            if wanted in ("ssdp:all", target)
        ]

    def _where(self, address: str) -> list[tuple[str, str]]:
        return [
            ("CACHE-CONTROL", f"max-age={MAX_AGE_S}"),
            ("LOCATION", f"http://{address}:{self._port}/device.xml"),
            ("SERVER", f"UPnP/1.0 xg2g/{version('xg2g')}"),
        ]


def delay_s(request: SSDPRequest, uniform: Callable[[float, float], float]) -> float:
    """How long to wait before answering, so that not everybody answers at once (MX)."""
    headers = {name.upper(): value for name, value in request.headers}
    wish = headers.get("MX", "")
    longest_s = min(int(wish), _LONGEST_DELAY_S) if wish.isdecimal() and len(wish) < 4 else 1
    return uniform(0, longest_s * 0.8)


@asynccontextmanager
async def advertise_ssdp(
    advertisement: Advertisement,
    host: str,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
) -> AsyncIterator[None]:
    """Announce the device and answer searches, for as long as the context is open.

    `host` is the address that the daemon listens on; on that of one network alone the others hear
    nothing. Without multicast a line in the log says so and the daemon goes on.
    """
    interface = "0.0.0.0" if host == "::" else host
    try:
        sock = _multicast_socket(interface)
    except OSError as error:
        log.warning("no SSDP; add the tuner by its address", reason=error.strerror or str(error))
        yield
        return
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _Responder(advertisement, uniform), sock=sock
    )
    repeating = asyncio.create_task(_repeat(transport, advertisement, interface, sleep))
    try:
        yield
    finally:
        repeating.cancel()
        await asyncio.wait({repeating})
        protocol.forget()
        for message in advertisement.byebye():
            message.sendto(transport, (MULTICAST_ADDRESS_IPV4, PORT))
        transport.close()


async def _repeat(
    transport: asyncio.DatagramTransport,
    advertisement: Advertisement,
    interface: str,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    while True:
        address = address_towards(MULTICAST_ADDRESS_IPV4) if interface == "0.0.0.0" else interface
        if address is not None:
            for message in advertisement.alive(address):
                message.sendto(transport, (MULTICAST_ADDRESS_IPV4, PORT))
        await sleep(ALIVE_INTERVAL_S)


class _Responder(SimpleServiceDiscoveryProtocol):  # type: ignore[misc]
    def __init__(
        self, advertisement: Advertisement, uniform: Callable[[float, float], float]
    ) -> None:
        self._advertisement = advertisement
        self._uniform = uniform
        self._due: set[asyncio.TimerHandle] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.forget()

    def forget(self) -> None:
        """Leave unsaid what is not yet said."""
        for handle in self._due:
            handle.cancel()
        self._due.clear()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        # Everything on the network comes by here, whatever it is.
        if not data.startswith(b"M-SEARCH "):
            return
        try:
            request = SSDPRequest.parse(data.decode())
        except ValueError:
            return
        ours = address_for(addr[0])
        if ours is None or len(self._due) >= _ANSWERS_AT_ONCE:
            return
        if answers := self._advertisement.answers(request, ours):
            self._later(delay_s(request, self._uniform), answers, addr)

    def _later(self, delay_s: float, answers: list[SSDPResponse], addr: tuple[str, int]) -> None:
        def say() -> None:
            self._due.discard(handle)
            for answer in answers:
                answer.sendto(self._transport, addr)

        handle = asyncio.get_running_loop().call_later(delay_s, say)
        self._due.add(handle)

    def error_received(self, exc: Exception) -> None:
        log.debug("SSDP", reason=str(exc))


_ANSWERS_AT_ONCE = 64
"""Searches that wait for their answer; a house asks a few times an hour."""


def _multicast_socket(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            # Other UPnP programs of this computer listen there, too.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("", PORT))
        group = socket.inet_aton(MULTICAST_ADDRESS_IPV4)
        sock.setsockopt(
            socket.IPPROTO_IP,
            socket.IP_ADD_MEMBERSHIP,
            struct.pack("4s4s", group, socket.inet_aton(interface)),
        )
        if interface != "0.0.0.0":
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock

"""Discovery on UDP port 65001: how `hdhomerun_config`, Kodi and Jellyfin find a tuner."""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from ..errors import UserError
from ..network.local_network import address_towards
from .frame import Frame, FrameError, FrameType, Tag

PORT = 65001

BASE_URL_CHARACTERS = 28
"""Longest base URL that older clients take, Kodi among them: they hold it in 29 bytes and drop a
longer one. An address and a port always fit, a host name may not."""

TUNER = 1
"""Device type of a tuner."""

_ANY = 0xFFFFFFFF
_ID = struct.Struct(">I")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TunerInfo:
    """What a reply tells about the tuner."""

    device_id: int
    auth: str
    tuners: int
    port: int
    """Port that serves the documents."""


def reply_to(datagram: bytes, tuner: TunerInfo, address: str) -> bytes | None:
    """Return the reply to a datagram, or None when it does not ask for this tuner.

    `address` is this computer's, as the client sees it.

    Jellyfin reads nothing of a reply but the sender's address, and requests that on port 80; a
    refusal there also ends its search for other tuners (HdHomerunHost.cs). Its request equals the
    one of hdhomerun_config before 2023 to the byte, so silence is no cure; listening on port 80 is.
    """
    try:
        frame = Frame.parse(datagram)
    except FrameError:
        return None
    if frame.type != FrameType.DISCOVER_REQUEST or not _asks_for(frame, tuner.device_id):
        return None
    base_url = f"http://{address}:{tuner.port}"
    return bytes(
        Frame(
            FrameType.DISCOVER_REPLY,
            {
                # First: older clients read the first tag without a look at its type.
                Tag.DEVICE_TYPE: _ID.pack(TUNER),
                Tag.DEVICE_ID: _ID.pack(tuner.device_id),
                Tag.TUNER_COUNT: bytes((min(tuner.tuners, 255),)),
                Tag.DEVICE_AUTH: tuner.auth.encode("ascii"),
                Tag.BASE_URL: base_url.encode("ascii"),
                Tag.LINEUP_URL: f"{base_url}/lineup.json".encode("ascii"),
            },
        )
    )


def _asks_for(frame: Frame, device_id: int) -> bool:
    wanted = _ids(frame, Tag.DEVICE_TYPE) | _ids(frame, Tag.DEVICE_TYPES) or {_ANY}
    if not wanted & {TUNER, _ANY}:
        return False
    return bool((_ids(frame, Tag.DEVICE_ID) or {_ANY}) & {device_id, _ANY})


def _ids(frame: Frame, tag: Tag) -> set[int]:
    value = frame.values.get(tag, b"")
    whole = len(value) - len(value) % _ID.size
    return {number for (number,) in _ID.iter_unpack(value[:whole])}


@asynccontextmanager
async def answer_discovery(
    host: str, tuner: Callable[[], TunerInfo], *, port: int = PORT
) -> AsyncIterator[int]:
    """Answer searches for tuners while the context is open. Gives the port.

    `host` is the address that the daemon listens on: clients that cannot reach it get no answer.
    Several daemons may share the port. Raises `UserError` when another program has it, and for an
    IPv6 address, since clients search by IPv4 only.
    """
    is_wildcard = host in ("0.0.0.0", "::")
    if not is_wildcard and ":" in host:
        raise UserError(f"discovery needs an IPv4 address; {host} is IPv6")
    # A broadcast reaches no socket that is bound to one address.
    bound = host if not is_wildcard and ipaddress.ip_address(host).is_loopback else ""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        # A daemon for each receiver: all of them on this computer get a broadcast, and a search at
        # this computer's address reaches one of them.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((bound, port))
    except OSError as error:
        sock.close()
        raise UserError(
            f"discovery does not work on UDP port {port}: {error.strerror}; stop the other tuner "
            "program that uses it, or add xg2g to media servers by its address"
        ) from error
    only = None if is_wildcard else host
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Responder(tuner, only), sock=sock
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, tuner: Callable[[], TunerInfo], only: str | None) -> None:
        self._tuner = tuner
        self._only = only

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        own = address_for(addr[0])
        if own is None or self._only not in (None, own):
            return
        if reply := reply_to(data, self._tuner(), own):
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        log.debug("discovery message not sent or received", reason=str(exc))


def address_for(peer: str) -> str | None:
    """Return this computer's address as `peer` sees it; None when `peer` is on the internet.

    A reply is some ten times as long as a request, and the sender of a datagram can be forged: a
    computer whose port is open to the internet must not help to flood a third one.
    """
    if ipaddress.ip_address(peer).is_global:
        return None
    address = address_towards(peer)
    return str(address) if address else None

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
from .frame import Frame, FrameError, FrameType, Tag

PORT = 65001

BASE_URL_CHARACTERS = 28
"""Older clients, Kodi's among them, hold a base URL in 29 bytes and drop a longer one. An address
and a port always fit, a host's name may not."""

TUNER = 1
"""Device type of a tuner."""

_ANY = 0xFFFFFFFF
_ID = struct.Struct(">I")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TunerInfo:
    """What a reply says."""

    device_id: int
    auth: str
    tuners: int
    port: int
    """Where the documents are."""


def answer(request: bytes, announced: TunerInfo, address: str) -> bytes | None:
    """The reply to a datagram, or None when it does not ask for this device.

    `address` is ours, as the one who asks sees it.

    Jellyfin reads nothing of a reply but where it came from, and asks that address on port 80; a
    refusal there ends its search for other tuners, too (HdHomerunHost.cs). Its request is to the
    byte the one of hdhomerun_config before 2023, so silence is no cure; listening on port 80 is.
    """
    try:
        frame = Frame.parse(request)
    except FrameError:
        return None
    if frame.type != FrameType.DISCOVER_REQUEST or not _asks_for(frame, announced.device_id):
        return None
    base_url = f"http://{address}:{announced.port}"
    return bytes(
        Frame(
            FrameType.DISCOVER_REPLY,
            {
                # First: older clients look at the first tag unasked.
                Tag.DEVICE_TYPE: _ID.pack(TUNER),
                Tag.DEVICE_ID: _ID.pack(announced.device_id),
                Tag.TUNER_COUNT: bytes((min(announced.tuners, 255),)),
                Tag.DEVICE_AUTH: announced.auth.encode("ascii"),
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
    host: str, announce: Callable[[], TunerInfo], *, port: int = PORT
) -> AsyncIterator[int]:
    """Answer who looks for a tuner, for as long as the context is open. Gives the port.

    `host` is the address that the daemon listens on: what cannot be reached there is not
    announced. Raises `UserError` when the port is taken, and for an address of IPv6 alone, which
    no client asks.
    """
    is_wildcard = host in ("0.0.0.0", "::")
    if not is_wildcard and ":" in host:
        raise UserError(f"no discovery: tuners are looked for by IPv4, and {host} is none of it")
    # A broadcast reaches no socket that is bound to one address.
    bound = host if not is_wildcard and ipaddress.ip_address(host).is_loopback else ""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((bound, port))
    except OSError as error:
        sock.close()
        raise UserError(
            f"cannot answer discovery on UDP port {port}: {error.strerror}; another tuner program "
            "may hold it"
        ) from error
    only = None if is_wildcard else host
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Responder(announce, only), sock=sock
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, announce: Callable[[], TunerInfo], only: str | None) -> None:
        self._announce = announce
        self._only = only

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        ours = address_for(addr[0])
        if ours is None or self._only not in (None, ours):
            return
        if reply := answer(data, self._announce(), ours):
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        log.debug("discovery", reason=str(exc))


def address_for(peer: str) -> str | None:
    """Our address as `peer` sees it; None for one that is not of a private network.

    An answer is some ten times what was asked, and the sender of a datagram can be forged: whoever
    has this port open to the world must not serve to flood a third.
    """
    return None if ipaddress.ip_address(peer).is_global else address_towards(peer)


def address_towards(peer: str) -> str | None:
    """Our IPv4 address on the way to `peer`; None when there is no way. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, PORT))
        except OSError:
            return None
        return str(probe.getsockname()[0])

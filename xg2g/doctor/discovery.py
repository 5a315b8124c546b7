"""Checks that media servers discover xg2g."""

import asyncio
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from xg2g.hdhomerun.discovery import PORT, TUNER
from xg2g.hdhomerun.frame import Frame, FrameError, FrameType, Tag

from .check import CheckContext, Finding, bad, good, note, skipped

_REPLY_TIMEOUT_S = 1.0
_REQUEST = bytes(
    Frame(
        FrameType.DISCOVER_REQUEST,
        {Tag.DEVICE_TYPE: TUNER.to_bytes(4, "big"), Tag.DEVICE_ID: b"\xff" * 4},
    )
)


async def discovery(context: CheckContext) -> AsyncIterator[Finding]:
    """Check that xg2g answers the discovery of media servers."""
    settings = context.settings
    if not settings.hdhomerun.discovery:
        yield note(
            "discovery",
            "switched off by hdhomerun.discovery",
            "add xg2g to media servers by its address",
        )
        return
    host = settings.server.host
    reply = await _ask("127.0.0.1" if host in ("0.0.0.0", "::", "localhost") else host)
    port = _port(reply) if reply else None
    if port is not None and port == settings.server.port:
        yield good("discovery", f"xg2g answers on UDP port {PORT}")
    elif reply is not None:
        yield bad(
            "discovery",
            f"another program answers on UDP port {PORT}",
            "stop the other tuner program, or add xg2g to media servers by its address",
        )
    elif context.is_running:
        yield bad(
            "discovery",
            f"xg2g runs, but does not answer on UDP port {PORT}",
            "see its log for the reason; until then, add it to media servers by its address",
        )
    else:
        yield skipped("discovery", "xg2g is not running")


async def _ask(host: str) -> Frame | None:
    """Return the reply to a discovery request, or None without one."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect((host, PORT))
            async with asyncio.timeout(_REPLY_TIMEOUT_S):
                await loop.sock_sendall(asking, _REQUEST)
                return Frame.parse(await loop.sock_recv(asking, 4096))
        except (OSError, TimeoutError, FrameError):
            return None


def _port(reply: Frame) -> int | None:
    """Return the HTTP port of the device, or None when it is invalid."""
    try:
        return urlsplit(reply.values.get(Tag.BASE_URL, b"").decode("ascii")).port
    except ValueError:
        return None

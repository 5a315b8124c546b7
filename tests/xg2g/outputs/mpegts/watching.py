"""Viewers on real sockets, who read or do not."""

import asyncio
import socket
import sys

import pytest

from tests.harness.scripted_daemon import WITHIN_S, Daemon, until
from xg2g.network import tcp_liveness as acknowledgements
from xg2g.receiver.read_pacing import CHUNK_BYTES

HELD_BYTES = acknowledgements.UNSENT_BYTES + 2 * CHUNK_BYTES + 64 * 1024
"""Unsent in the kernel, the piece that exceeds the limit of each buffer, and uvicorn's own."""


Viewer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def raw_socket(viewer: Viewer) -> socket.socket:
    raw: socket.socket = viewer[1].get_extra_info("socket")
    return raw


async def keeps_up(gateway: Daemon) -> Viewer:
    return await gateway.watch()


async def reads_nothing(gateway: Daemon) -> Viewer:
    """Watch, then take nothing until the way is full from the receiver on."""
    viewer = await gateway.watch()
    viewer[1].transport.pause_reading()  # type: ignore[attr-defined]
    bytes_out = gateway.gateway.metrics.bytes_out._value
    before = -1.0
    while before != bytes_out.get():
        before = bytes_out.get()
        await asyncio.sleep(0.1)
    return viewer


async def reads_slowly(gateway: Daemon) -> Viewer:
    """Watch, and take a little of what has come when the way is full."""
    viewer = await reads_nothing(gateway)
    await viewer[0].read(1000)
    return viewer


async def freed(gateway: Daemon) -> None:
    """Wait until the receiver sees the stream closed and nothing is held any more."""
    async with asyncio.timeout(WITHIN_S):
        await gateway.upstream.connections[0].closed_by_client.wait()
    await until(lambda: all(remuxer.closed for remuxer in gateway.backend.remuxers))


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO and socket filters")

"""Viewers who come, stall and leave, on real sockets."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from tests.xg2g.daemon import STREAM, WITHIN_S, Daemon, daemon, until
from tests.xg2g.upstream import (
    CRLF_ANSWER,
    PACKET,
    plays_at_leisure,
    plays_endlessly,
    says_then_stays_silent,
)
from xg2g.metrics import Outcome

pytestmark = pytest.mark.anyio

Viewer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def raw_socket(viewer: Viewer) -> socket.socket:
    raw: socket.socket = viewer[1].get_extra_info("socket")
    return raw


async def hangs_up(viewer: Viewer) -> None:
    viewer[1].close()


async def crashes(viewer: Viewer) -> None:
    raw_socket(viewer).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer[1].transport.abort()


async def half_closes(viewer: Viewer) -> None:
    viewer[1].write_eof()


LEAVES = pytest.mark.parametrize("leave", [hangs_up, crashes, half_closes])


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


@LEAVES
@pytest.mark.parametrize("watch", [keeps_up, reads_slowly, reads_nothing])
async def test_a_viewer_who_leaves_frees_the_receivers_stream(
    watch: Callable[[Daemon], Awaitable[Viewer]],
    leave: Callable[[Viewer], Awaitable[None]],
) -> None:
    async with daemon(plays_endlessly) as gateway:
        viewer = await watch(gateway)
        await leave(viewer)
        await freed(gateway)
        viewer[1].transport.abort()
    await gateway.ended(Outcome.VIEWER_LEFT)


@LEAVES
async def test_a_viewer_who_leaves_while_the_receiver_tunes_frees_it(
    leave: Callable[[Viewer], Awaitable[None]],
) -> None:
    async with daemon(says_then_stays_silent(CRLF_ANSWER)) as gateway:
        viewer = await gateway.connect()
        viewer[1].write(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: bool(gateway.upstream.connections))
        await leave(viewer)
        await freed(gateway)
        viewer[1].transport.abort()


@LEAVES
async def test_a_viewer_who_leaves_while_the_remuxer_is_busy_frees_the_stream(
    leave: Callable[[Viewer], Awaitable[None]],
) -> None:
    async with daemon(plays_at_leisure) as gateway:
        viewer = await gateway.watch()
        gateway.backend.remuxers[0].gate.clear()
        await leave(viewer)
        await freed(gateway)
        viewer[1].transport.abort()


async def test_a_viewer_who_takes_nothing_is_given_up_after_the_deadline() -> None:
    async with daemon(plays_endlessly, send_timeout_s=0.2) as gateway:
        viewer = await gateway.watch()
        viewer[1].transport.pause_reading()  # type: ignore[attr-defined]
        await freed(gateway)
        await gateway.ended(Outcome.VIEWER_STALLED)
        viewer[1].transport.abort()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel cannot do this")
async def test_a_viewer_whose_machine_takes_and_acknowledges_nothing_is_found_by_the_kernel() -> (
    None
):
    async with daemon(plays_endlessly, dead_after_s=1) as gateway:
        viewer = await gateway.watch()
        viewer[1].transport.pause_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            await gateway.upstream.connections[0].closed_by_client.wait()
        await gateway.ended(Outcome.VIEWER_LEFT)
        viewer[1].transport.abort()


async def test_a_slow_viewer_holds_up_only_their_own_stream() -> None:
    async with daemon(plays_endlessly) as gateway:
        slow = await reads_nothing(gateway)
        reader, writer = await gateway.watch()
        await asyncio.wait_for(reader.readexactly(20_000_000), 20)
        assert len(gateway.upstream.connections) == 2
        for _, end in ((reader, writer), slow):
            end.transport.abort()


async def test_a_stream_that_stands_still_ends_for_the_viewer() -> None:
    script = says_then_stays_silent(CRLF_ANSWER, PACKET * 10)
    async with daemon(script, stall_s=0.1) as gateway:
        reader, writer = await gateway.watch()
        await asyncio.wait_for(reader.read(), 2)
        writer.close()
        await freed(gateway)
        await gateway.ended(Outcome.RECEIVER_SILENT)


@pytest.mark.parametrize("watch", [keeps_up, reads_nothing])
async def test_a_stop_ends_everything_with_viewers_connected(
    watch: Callable[[Daemon], Awaitable[Viewer]],
) -> None:
    async with daemon(plays_endlessly) as gateway:
        viewers = [await watch(gateway) for _ in range(3)]
        async with asyncio.timeout(5):
            await gateway.stop()
        await freed(gateway)
        for _, writer in viewers:
            writer.transport.abort()
    await gateway.ended(Outcome.SHUTDOWN, 3)


async def test_a_stop_while_the_receiver_tunes_refuses_the_viewer() -> None:
    async with daemon(says_then_stays_silent(CRLF_ANSWER)) as gateway:
        asking = asyncio.create_task(gateway.get(STREAM))
        await until(lambda: bool(gateway.upstream.connections))
        await gateway.stop()
        status, headers, _ = await asking
    assert (status, headers["x-hdhomerun-error"]) == (503, "803 System Busy")


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost", b"\x16\x03\x01"])
async def test_a_connection_that_brings_no_request_is_closed(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xg2g.app.server.REQUEST_DEADLINE_S", 0.1)
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        writer.write(said)
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 2)
        writer.close()


async def test_the_request_deadline_does_not_end_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xg2g.app.server.REQUEST_DEADLINE_S", 0.1)
    async with daemon(plays_at_leisure) as gateway:
        reader, writer = await gateway.watch()
        async with asyncio.timeout(2):
            await reader.readexactly(188 * 100)
        writer.close()


async def test_a_request_head_without_end_is_refused() -> None:
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        writer.write(b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100_000)
        assert (await asyncio.wait_for(reader.read(), 2)).startswith(b"HTTP/1.1 400 ")
        writer.close()

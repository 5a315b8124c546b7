"""Viewers who come, stall and leave, on real sockets."""

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Awaitable, Callable

import pytest

from tests.harness.scripted_daemon import STREAM, Daemon, daemon, until
from tests.harness.stream_server import (
    CRLF_ANSWER,
    PACKET,
    plays_at_leisure,
    plays_endlessly,
    says,
    says_then_stays_silent,
)
from tests.xg2g.outputs.mpegts.watching import (
    HELD_BYTES,
    ON_LINUX,
    Viewer,
    freed,
    keeps_up,
    raw_socket,
    reads_nothing,
    reads_slowly,
)
from xg2g.app import server
from xg2g.metrics import Outcome

pytestmark = pytest.mark.anyio


async def hangs_up(viewer: Viewer) -> None:
    viewer[1].close()


async def crashes(viewer: Viewer) -> None:
    raw_socket(viewer).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer[1].transport.abort()


async def half_closes(viewer: Viewer) -> None:
    viewer[1].write_eof()


LEAVES = pytest.mark.parametrize("leave", [hangs_up, crashes, half_closes])


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


async def test_a_viewer_who_reads_nothing_is_disconnected_after_the_pause_limit() -> None:
    async with daemon(plays_endlessly, pause_limit_s=0.2) as gateway:
        viewer = await gateway.watch()
        viewer[1].transport.pause_reading()  # type: ignore[attr-defined]
        await freed(gateway)
        await gateway.ended(Outcome.VIEWER_STALLED)
        viewer[1].transport.abort()


async def asked_for_the_stream(
    gateway: Daemon, *, window_bytes: int | None = None
) -> socket.socket:
    """A viewer's socket, of which nothing is read by itself."""
    connection = socket.socket()
    if window_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", gateway.port))
    await loop.sock_sendall(connection, f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


async def sent_when_full(gateway: Daemon) -> float:
    """What the daemon has sent once nobody takes anything any more."""
    bytes_out = gateway.gateway.metrics.bytes_out._value
    before = 0.0
    while not before or before != bytes_out.get():
        before = bytes_out.get()
        await asyncio.sleep(0.2)
    return before


@ON_LINUX
async def test_a_paused_player_holds_a_bounded_part_of_the_stream() -> None:
    """In the kernel and in the daemon, though the kernel's buffer grew while they played."""
    async with daemon(plays_endlessly) as gateway:
        with await asked_for_the_stream(gateway) as connection:
            taken = 0
            while taken < 5_000_000:
                taken += len(await asyncio.get_running_loop().sock_recv(connection, 262_144))
            sent = await sent_when_full(gateway)
            with_the_viewer = bytearray(4)
            fcntl.ioctl(connection, termios.FIONREAD, with_the_viewer)
            taken += int.from_bytes(with_the_viewer, sys.byteorder)
            assert sent - taken <= HELD_BYTES


async def test_a_paused_viewer_of_a_stream_that_ends_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left for them is kept for a moment only."""
    monkeypatch.setattr(server, "WATCH_INTERVAL_S", 0.05)
    monkeypatch.setattr("xg2g.app.connection.CLOSING_S", 0.2)
    async with daemon(says(CRLF_ANSWER, PACKET * 2000)) as gateway:
        with await asked_for_the_stream(gateway, window_bytes=4096) as connection:
            await gateway.ended(Outcome.RECEIVER_ENDED)
            await asyncio.sleep(0.5)
            loop = asyncio.get_running_loop()
            with pytest.raises(ConnectionResetError):
                while await loop.sock_recv(connection, 65536):
                    pass


async def test_a_slow_viewer_does_not_slow_the_others() -> None:
    async with daemon(plays_endlessly) as gateway:
        slow = await reads_nothing(gateway)
        reader, writer = await gateway.watch()
        await asyncio.wait_for(reader.readexactly(20_000_000), 60)
        assert len(gateway.upstream.connections) == 1
        for _, end in ((reader, writer), slow):
            end.transport.abort()


async def test_a_stream_that_stands_still_ends_for_the_viewer() -> None:
    script = says_then_stays_silent(CRLF_ANSWER, PACKET * 10)
    async with daemon(script, stall_s=1) as gateway:
        reader, writer = await gateway.watch()
        await asyncio.wait_for(reader.read(), 60)
        writer.close()
        await freed(gateway)
        await gateway.ended(Outcome.RECEIVER_SILENT)


@pytest.mark.parametrize("watch", [keeps_up, reads_nothing])
async def test_a_stop_ends_everything_with_viewers_connected(
    watch: Callable[[Daemon], Awaitable[Viewer]],
) -> None:
    async with daemon(plays_endlessly) as gateway:
        viewers = [await watch(gateway) for _ in range(3)]
        async with asyncio.timeout(60):
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
    monkeypatch.setattr("xg2g.app.connection.REQUEST_DEADLINE_S", 0.1)
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        writer.write(said)
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 60)
        writer.close()


async def test_the_request_deadline_does_not_end_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xg2g.app.connection.REQUEST_DEADLINE_S", 0.1)
    async with daemon(plays_at_leisure) as gateway:
        reader, writer = await gateway.watch()
        async with asyncio.timeout(60):
            await reader.readexactly(188 * 100)
        writer.close()


async def test_a_request_head_without_end_is_refused() -> None:
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        writer.write(b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100_000)
        assert (await asyncio.wait_for(reader.read(), 60)).startswith(b"HTTP/1.1 400 ")
        writer.close()

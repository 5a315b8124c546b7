"""Limits of connections and requests."""

import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from starlette.types import Receive, Scope, Send

from tests.harness.scripted_daemon import STREAM, Daemon, daemon, until
from tests.harness.stream_server import plays_endlessly
from xg2g.app import connection, server
from xg2g.app.listening import listen
from xg2g.network.log_limit import LogLimit

pytestmark = pytest.mark.anyio


async def connected(
    gateway: Daemon, stack: AsyncExitStack, *, source: str = "127.0.0.1"
) -> asyncio.StreamReader:
    reader, writer = await gateway.connect(source)
    stack.callback(writer.close)
    return reader


async def never_reading(
    gateway: Daemon, stack: AsyncExitStack, source: str = "127.0.0.1"
) -> asyncio.StreamReader:
    """Request a stream and read nothing of it."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", gateway.port, local_addr=(source, 0), limit=1024
    )
    stack.callback(lambda: writer.transport.abort())
    writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return reader


async def test_hundreds_of_silent_connections_keep_nobody_out() -> None:
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        _, viewer = await gateway.watch()
        silent = [await connected(gateway, stack) for _ in range(600)]
        assert (await gateway.get("/healthz"))[0] == 200
        assert len(gateway.gateway.viewers) == 1
        # The oldest connections are closed first.
        for reader in silent[: 600 - connection.IDLE_LIMIT]:
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        assert not silent[-1].at_eof()
        viewer.close()


@pytest.mark.parametrize(
    "anyio_backend",
    [("asyncio", {"use_uvloop": is_wanted}) for is_wanted in {False, sys.platform != "win32"}],
)
async def test_of_clients_that_connect_at_once_the_last_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "IDLE_LIMIT", 20)
    monkeypatch.setattr(connection, "REQUEST_DEADLINE_S", 3600)
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        # All of them are accepted in one moment, some event loops do it in one turn.
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))
            for _ in range(60)
        ]
        for each in silent:
            each.setblocking(False)
        assert (await gateway.get("/healthz"))[0] == 200
        async with asyncio.timeout(10):
            for each in silent[:40]:
                with suppress(ConnectionResetError):
                    assert await asyncio.get_running_loop().sock_recv(each, 1) == b""
        # One made room for the request.
        for each in silent[41:]:
            with pytest.raises(BlockingIOError):
                each.recv(1)


async def test_an_unfinished_request_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "REQUEST_DEADLINE_S", 0.2)
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with suppress(ConnectionResetError):
            async with asyncio.timeout(10):
                assert await reader.read() == b""
        writer.close()


async def test_an_ipv4_address_on_a_dual_stack_socket_is_shown_as_ipv4() -> None:
    async with daemon(plays_endlessly, host="::") as gateway:
        _, writer = await gateway.watch()
        (viewer,) = gateway.gateway.viewers
        assert viewer.address == "127.0.0.1"
        _, _, body = await gateway.ask("GET /discover.json HTTP/1.0\n\n")
        writer.close()
        await until(lambda: not gateway.gateway.viewers)
    assert json.loads(body)["BaseURL"] == f"http://127.0.0.1:{gateway.port}"


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        for path in ("/healthz", "/nothing", "/readyz"):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = (await reader.read()).split(b"HTTP/1.1 ")[1:]
        writer.close()
    assert [answer[:3] for answer in answers] == [b"200", b"404", b"200", b"200"]


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait longer than usual: hundreds of streams at full speed need time on a busy machine."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
def nobody_is_a_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Treat loopback addresses, which all test clients have, like those of single clients."""
    monkeypatch.setattr(connection, "is_loopback", lambda _: False)
    monkeypatch.setattr(connection, "STALLED_S", 0.0)
    yield


async def test_stalled_clients_keep_neither_others_out_nor_their_own_address(
    nobody_is_a_proxy: None,
) -> None:
    """A new connection closes the one that has been stalled longest."""
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        readers = [await never_reading(gateway, stack) for _ in range(connection.ADDRESS_LIMIT)]
        await eventually(lambda: len(gateway.gateway.viewers) == connection.ADDRESS_LIMIT)
        for _ in range(20):
            assert (await gateway.get("/healthz", source="127.0.0.2"))[0] == 200
        # A client with another address closes none of them.
        assert len(gateway.gateway.viewers) == connection.ADDRESS_LIMIT
        await asyncio.sleep(0.2)
        for _ in range(20):
            assert (await gateway.get("/healthz"))[0] == 200
        await eventually(lambda: len(gateway.gateway.viewers) < connection.ADDRESS_LIMIT)
        assert len(gateway.gateway.viewers) > connection.ADDRESS_LIMIT // 2
        del readers


async def test_one_address_gets_a_limited_part_of_the_connections(
    nobody_is_a_proxy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALLED_S", 3600.0)
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        for _ in range(connection.ADDRESS_LIMIT):
            await never_reading(gateway, stack)
        await eventually(lambda: len(gateway.gateway.viewers) == connection.ADDRESS_LIMIT)
        # None of them is stalled, so another connection is refused.
        status, headers, body = await gateway.get(STREAM)
        assert (status, body, headers["x-hdhomerun-error"]) == (503, b"", "803 System Busy")
        assert len(gateway.gateway.viewers) == connection.ADDRESS_LIMIT
        assert (await gateway.get("/healthz", source="127.0.0.2"))[0] == 200


BIG = b"\0" * (16 * 1024 * 1024)
"""More than the kernel buffers of a connection."""


@asynccontextmanager
async def giving_it_at_once() -> AsyncIterator[int]:
    """Serve a response that is buffered as a whole, and yield the port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(b"content-length", b"%d" % len(BIG))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": BIG})

    with listen("127.0.0.1", 0) as listener:
        ready = asyncio.Event()
        serving = asyncio.create_task(
            server.serve(app, [listener], on_ready=ready.set, on_stop=lambda: None)
        )
        await ready.wait()
        try:
            yield listener.getsockname()[1]
        finally:
            signal.raise_signal(signal.SIGTERM)
            await serving


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close idle connections soon."""
    monkeypatch.setattr(connection, "REQUEST_DEADLINE_S", 0.1)
    soon = property(lambda _: 0.1, lambda _, value: None)
    monkeypatch.setattr(connection.BoundedProtocol, "timeout_keep_alive", soon, raising=False)
    monkeypatch.setattr(connection, "CLOSING_S", 0.2)
    monkeypatch.setattr(server, "WATCH_INTERVAL_S", 0.05)


async def asked_for_it(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_a_buffered_response_is_completed_however_slowly_the_client_reads(
    impatient: None,
) -> None:
    async with giving_it_at_once() as port:
        reader, writer = await asked_for_it(port)
        received = 0
        while received < len(BIG):
            # Longer than the idle time, but with some bytes read in time.
            await asyncio.sleep(0.15 if received < len(BIG) // 2 else 0)
            taken = 0
            while taken < len(BIG) // 16 and received + taken < len(BIG):
                taken += len(await reader.readexactly(min(65536, len(BIG) - received - taken)))
            received += taken
        writer.close()


async def test_a_client_that_does_not_read_a_large_response_is_disconnected(
    impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "UNREAD_RESPONSE_S", 0.3)
    async with giving_it_at_once() as port:
        reader, writer = await asked_for_it(port)
        await asyncio.sleep(1)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(len(BIG))
        writer.close()


async def test_loopback_may_stand_for_a_household_and_still_leaves_room() -> None:
    assert connection.ADDRESS_LIMIT < connection.PROXY_LIMIT < connection.CONNECTION_LIMIT
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        for _ in range(connection.ADDRESS_LIMIT + 20):
            await never_reading(gateway, stack)
        await eventually(lambda: len(gateway.gateway.viewers) == connection.ADDRESS_LIMIT + 20)


async def test_connections_after_a_response_count_as_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "REQUEST_DEADLINE_S", 3600)
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        answered = []
        for _ in range(connection.IDLE_LIMIT + 50):
            reader, writer = await gateway.connect()
            stack.callback(writer.close)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"}")
            answered.append(reader)
        # The connections with the oldest response are closed first, before their deadline.
        async with asyncio.timeout(60):
            for reader in answered[:50]:
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
        assert not answered[-1].at_eof()


async def test_a_viewer_that_reads_is_never_closed_for_others(nobody_is_a_proxy: None) -> None:
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        reader, writer = await gateway.watch()

        async def watch() -> None:
            while True:
                await reader.readexactly(188)

        watching = asyncio.create_task(watch())
        for _ in range(connection.ADDRESS_LIMIT + 40):
            await never_reading(gateway, stack)
        await asyncio.sleep(0.2)
        assert not watching.done()
        watching.cancel()
        writer.close()


@pytest.mark.parametrize("path", ["/lineup.post", "/healthz", "/api/v1/refresh", STREAM])
@pytest.mark.parametrize(
    "broken",
    [b"5\r\nhello\r\nnothing\r\n", b"ffffffffffffffffffffff\r\n", b"-1\r\n", b"5\r\nhello!\r\n"],
)
async def test_a_malformed_body_logs_no_traceback(
    path: str, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    async with daemon(plays_endlessly) as gateway:
        for pieces in ((head + broken,), (head, broken)):
            reader, writer = await gateway.connect()
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.05)
            with suppress(ConnectionResetError):
                async with asyncio.timeout(60):
                    await reader.read()
            writer.close()
        assert (await gateway.get("/healthz"))[0] == 200
    assert not [record for record in caplog.records if record.exc_info]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_malformed_requests_log_one_line_a_second(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server._log_limit, "_log_limit", LogLimit(1.0, clock_s=lambda: 0.0))
    async with daemon(plays_endlessly) as gateway:
        for _ in range(50):
            reader, writer = await gateway.connect()
            writer.write(b"nonsense\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            writer.close()
    assert len([each for each in caplog.records if "Invalid HTTP" in each.getMessage()]) == 1


def test_a_line_may_be_logged_again_after_its_interval() -> None:
    now_s = [0.0]
    limit = LogLimit(1.0, clock_s=lambda: now_s[0])
    assert [limit.allows("a"), limit.allows("a"), limit.allows("b")] == [True, False, True]
    now_s[0] = 1.0
    assert limit.allows("a")

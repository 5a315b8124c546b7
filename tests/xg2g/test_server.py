"""What a connection may cost, and by which address it is known."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress

import pytest

from tests.xg2g.daemon import Daemon, daemon, until
from tests.xg2g.upstream import plays_endlessly
from xg2g import server

pytestmark = pytest.mark.anyio


async def connected(gateway: Daemon, stack: AsyncExitStack) -> asyncio.StreamReader:
    reader, writer = await gateway.connect()
    stack.callback(writer.close)
    return reader


async def test_a_thousand_silent_connections_keep_nobody_out() -> None:
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        _, viewer = await gateway.watch()
        silent = [await connected(gateway, stack) for _ in range(1000)]
        assert (await gateway.get("/healthz"))[0] == 200
        assert len(gateway.gateway.viewers) == 1
        # The first to come are the first to go.
        for reader in silent[: 1000 - server.WAITING_LIMIT]:
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        assert not silent[-1].at_eof()
        viewer.close()


async def test_a_request_that_does_not_come_to_its_end_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "REQUEST_DEADLINE_S", 0.2)
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with suppress(ConnectionResetError):
            async with asyncio.timeout(10):
                assert await reader.read() == b""
        writer.close()


async def test_through_a_socket_for_both_kinds_an_ipv4_address_is_one() -> None:
    async with daemon(plays_endlessly, host="::") as gateway:
        _, writer = await gateway.watch()
        (viewer,) = gateway.gateway.viewers
        assert viewer.address == "127.0.0.1"
        _, _, body = await gateway.ask("GET /discover.json HTTP/1.0\n\n")
        writer.close()
        await until(lambda: not gateway.gateway.viewers)
    assert json.loads(body)["BaseURL"] == f"http://127.0.0.1:{gateway.port}"


async def test_requests_one_behind_the_other_are_answered_in_their_order() -> None:
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        for path in ("/healthz", "/nothing", "/readyz"):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = (await reader.read()).split(b"HTTP/1.1 ")[1:]
        writer.close()
    assert [answer[:3] for answer in answers] == [b"200", b"404", b"200", b"200"]

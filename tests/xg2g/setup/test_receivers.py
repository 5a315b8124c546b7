"""Receivers are found in the network, and nothing else is taken for one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

import pytest

from xg2g.setup import receivers
from xg2g.setup.receivers import FoundReceiver, NetworkError, find_receivers, parse_network
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def web_server(host: str, port: int, answer: bytes) -> AsyncIterator[list[bytes]]:
    """Answers each request with these bytes, or never; yields the requests."""
    requests: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            writer.write(answer)
            await writer.drain()
            if not answer:
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, host, port)
    async with server:
        yield requests


def page(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


async def test_receivers_are_found_among_other_web_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receivers, "SCAN_ANSWER_TIMEOUT_S", 0.5)
    hosts = [IPv4Address(f"127.0.7.{number}") for number in range(1, 9)]
    async with SimulatedReceiver(host="127.0.7.2") as open_one:
        port = int(open_one.base_url.rpartition(":")[2])
        locked = SimulatedReceiver(
            host="127.0.7.3", port=port, api_credentials=Credentials("root", "geheim")
        )
        async with (
            locked,
            web_server("127.0.7.4", port, page("200 OK", b"<html>a router</html>")),
            web_server("127.0.7.5", port, page("200 OK", b'{"info": {"webifver": 3}}')),
            web_server("127.0.7.6", port, page("403 Forbidden", b"403.6 IP address rejected")),
            web_server("127.0.7.7", port, page("401 Unauthorized", b"")),
            web_server("127.0.7.8", port, b"") as silent,
        ):
            assert await find_receivers(hosts, port=port) == [
                FoundReceiver(f"http://127.0.7.2:{port}", "xg2g Simulated"),
                FoundReceiver(f"http://127.0.7.3:{port}", "asks for a password"),
                FoundReceiver(f"http://127.0.7.6:{port}", "refuses this computer's address"),
            ]
            assert len(silent) == 1


async def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers, "_ANSWER_LIMIT_BYTES", 1000)
    endless = b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 100_000
    async with SimulatedReceiver(host="127.0.7.10") as receiver:
        port = int(receiver.base_url.rpartition(":")[2])
        async with web_server("127.0.7.11", port, endless):
            assert await find_receivers([IPv4Address("127.0.7.11")], port=port) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("192.168.1.300/24", "not a network"),
        ("box", "not a network"),
        ("8.8.8.0/24", "not a private network"),
        ("10.0.0.0/8", "too big"),
        ("0.0.0.0/0", "not a private network"),
    ],
)
async def test_only_private_networks_of_a_homes_size_are_searched(text: str, said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        parse_network(text)


async def test_a_network_may_be_named_by_any_address_of_it() -> None:
    assert str(parse_network("192.168.1.77/24")) == "192.168.1.0/24"

"""Streams of IPTV entries never lead back to this machine."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from httpcore import AnyIOBackend, ConnectError

from tests.harness.stream_server import PACKET, says, upstream
from tests.xg2g.streaming.provider import BOX, PLAYS, PROVIDER, address, entry, play
from xg2g.receiver.address import StreamDeadlines
from xg2g.receiver.errors import UnexpectedAnswerError
from xg2g.streaming import remote_transport
from xg2g.streaming.iptv import IptvClient
from xg2g.streaming.remote_transport import is_remote, resolve

pytestmark = pytest.mark.anyio


THIS_MACHINE = (
    "127.0.0.1",
    "127.8.9.10",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "localhost",
    "localhost.",
    "tv.localhost",
    "LOCALHOST",
    "lead.example",
    "leads-twice.example",
)


LEADING_HERE = {
    "lead.example": ["127.0.0.1"],
    "leads-twice.example": [PROVIDER, "::ffff:127.0.0.1"],
}


@pytest.fixture
def leading_here(names: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of somebody's that resolve to this machine."""
    known = remote_transport.resolve

    async def resolve_there(host: str, port: int) -> Sequence[str]:
        return LEADING_HERE.get(host) or await known(host, port)

    monkeypatch.setattr(remote_transport, "resolve", resolve_there)


@pytest.mark.parametrize("host", THIS_MACHINE)
async def test_a_redirect_to_this_machine_is_not_followed_however_it_is_spelt(
    host: str, leading_here: None
) -> None:
    async with upstream(PLAYS) as own:
        there = address(own, host).encode()
        redirect = says(
            b"HTTP/1.1 302 Found\r\nLocation: " + there + b"\r\nContent-Length: 0\r\n\r\n"
        )
        async with upstream(redirect) as provider:
            status, _, body, _ = await play(entry(address(provider)))
            assert len(provider.connections) == 1
        assert not own.connections
    assert (status, body) == (502, b"")


@pytest.mark.parametrize("host", THIS_MACHINE)
async def test_an_entry_that_names_this_machine_reaches_the_receiver_or_nothing(
    host: str, leading_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.1 in the receiver's lists is the receiver, in any spelling."""
    asked = list[str]()

    async def connect(self: AnyIOBackend, host: str, port: int, *args: Any, **more: Any) -> Any:
        asked.append(host)
        raise ConnectError

    monkeypatch.setattr(AnyIOBackend, "connect_tcp", connect)
    async with upstream(PLAYS) as own:
        status, _, body, _ = await play(entry(address(own, host)))
        assert not own.connections
    assert (status, body) == (502, b"")
    assert asked in ([], [BOX])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "2130706433"])
async def test_of_a_receiver_on_this_machine_only_its_own_ports_are_opened(host: str) -> None:
    deadlines = StreamDeadlines(connect_s=5, first_byte_s=5, stall_s=5)
    async with upstream(PLAYS) as receiver, upstream(PLAYS) as other:
        streams = IptvClient("127.0.0.1", deadlines, receiver_ports={receiver.port})
        async with streams.open(entry(address(receiver, host)).reference) as stream:
            assert (await stream.read()).startswith(PACKET)
        with pytest.raises(UnexpectedAnswerError, match="machine that xg2g runs on"):
            async with streams.open(entry(address(other, host)).reference):
                pass
        assert not other.connections


async def test_a_name_is_resolved_once_and_the_judged_address_is_connected_to(
    names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another answer the second time (DNS rebinding) would lead here."""
    answers = iter([[PROVIDER], ["127.0.0.1"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    monkeypatch.setattr(remote_transport, "resolve", rebinding)
    async with upstream(PLAYS) as provider:
        status, _, _, _ = await play(entry(address(provider, "rebinding.example")))
        assert len(provider.connections) == 1
    assert status == 200
    assert len(list(answers)) == 2


async def test_addresses_that_do_not_answer_are_passed_over(
    names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def several(host: str, port: int) -> Sequence[str]:
        return ["192.0.2.99", PROVIDER]

    connect = AnyIOBackend.connect_tcp

    async def first_fails(self: AnyIOBackend, host: str, port: int, *args: Any, **more: Any) -> Any:
        if host == "192.0.2.99":
            raise ConnectError
        return await connect(self, host, port, *args, **more)

    monkeypatch.setattr(remote_transport, "resolve", several)
    monkeypatch.setattr(AnyIOBackend, "connect_tcp", first_fails)
    async with upstream(PLAYS) as provider:
        status, _, body, _ = await play(entry(address(provider, "several.example")))
    assert (status, body) == (200, PACKET * 10)


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("192.168.1.20", True),
        ("10.0.0.1", True),
        ("fd00::1", True),
        ("2001:db8::1", True),
        ("64:ff9b::192.0.2.1", True),
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("0.1.2.3", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("name", False),
    ],
)
def test_addresses_of_households_and_of_the_web_are_remote(address: str, remote: bool) -> None:
    assert is_remote(address) == remote


async def test_the_system_reads_numbers_of_every_base_as_addresses() -> None:
    async with asyncio.timeout(10):
        for host in ("2130706433", "0x7f000001", "0177.0.0.1", "127.1"):
            assert await resolve(host, 80) == ["127.0.0.1"]

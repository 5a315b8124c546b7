"""The stream relay over real sockets, compared with real softcams."""

from collections.abc import AsyncIterator

import pytest

from tests.xg2g.simulator.viewer import HEADER, connected, watching
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

REFUSAL = b"HTTP/1.0 400 Bad Request\r\n\r\n"
ONE = "1:0:19:65:1:1:C00000:0:0:0:"
SCRAMBLED = "1:0:19:68:1:1:C00000:0:0:0:"


@pytest.fixture
async def receiver() -> AsyncIterator[SimulatedReceiver]:
    async with SimulatedReceiver(speed=None) as receiver:
        yield receiver


async def test_the_relay_answers_with_bare_line_feeds(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.relay_port, ONE) as viewer:
        head = await viewer.read(84)
        assert head.endswith(b"Server: stream_enigma2\n\nG")
        assert head.startswith(b"HTTP/1.0 200 OK\nConnection: Close\n")
        assert b"\r" not in head


@pytest.mark.parametrize("target", [ONE.replace(":", "%3A"), ONE + "x" * 254])
async def test_the_relay_closes_without_an_answer_on_a_path_it_cannot_read(
    receiver: SimulatedReceiver, target: str
) -> None:
    async with watching(receiver.relay_port, target) as viewer:
        assert await viewer.rest() == b""


async def test_the_relay_says_200_before_it_knows_the_service(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.relay_port, "1:0:1:FFFF:1:1:C00000:0:0:0:") as viewer:
        assert (await viewer.rest()).endswith(b"\n\n" + REFUSAL)


async def test_the_relay_clears_a_scrambled_service() -> None:
    async with SimulatedReceiver(speed=None) as receiver:
        request = f"GET /{SCRAMBLED} HTTP/1.0\r\nHost: box:{receiver.stream_port}\r\n\r\n"
        async with connected(receiver.relay_port, request.encode()) as viewer:
            sent = await viewer.read(400_000)
        packets = sent[sent.index(b"\n\n") + 2 :]
        assert all(packets[at + 3] & 0xC0 == 0 for at in range(0, len(packets) - 188, 188))
        async with watching(receiver.stream_port, SCRAMBLED) as viewer:
            direct = (await viewer.read(len(HEADER) + 40_000))[len(HEADER) :]
        assert any(direct[at + 3] & 0xC0 for at in range(0, len(direct) - 188, 188))


async def test_the_scrambled_test_card_is_scrambled_on_the_relay_too() -> None:
    async with SimulatedReceiver(speed=None) as receiver:
        card = receiver.service("Scrambled").reference
        assert card not in (receiver.box.whitelist or ())
        request = f"GET /{card} HTTP/1.0\r\nHost: box:{receiver.stream_port}\r\n\r\n"
        async with connected(receiver.relay_port, request.encode()) as viewer:
            sent = await viewer.read(100_000)
        packets = sent[sent.index(b"\n\n") + 2 :]
        assert any(packets[at + 3] & 0xC0 for at in range(0, len(packets) - 188, 188))


@pytest.mark.parametrize("headers", ["User-Agent: x\r\nHost: box:8001\r\n", "Host: box\r\n", ""])
async def test_the_relay_fetches_nothing_without_host_and_port_in_its_first_header(
    headers: str,
) -> None:
    async with SimulatedReceiver(speed=None) as receiver:
        request = f"GET /{ONE} HTTP/1.0\r\n{headers}\r\n"
        async with connected(receiver.relay_port, request.encode()) as viewer:
            assert (await viewer.rest()).endswith(b"\n\n")

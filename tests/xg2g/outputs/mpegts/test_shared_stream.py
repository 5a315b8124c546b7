"""Viewers of one channel, on real sockets."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from itertools import count, pairwise

import pytest

from tests.harness.scripted_daemon import STREAM, Daemon, daemon, until
from tests.harness.stream_server import CRLF_ANSWER, Connection, Script
from tests.xg2g.streaming.receiver import key, packet
from xg2g.metrics import Outcome

pytestmark = pytest.mark.anyio

PACKET_BYTES = 188
KEYS = 25
"""Packets between two with which a viewer can begin."""
MARK = 0x20
"""adaptation_field_control of a packet without payload."""


def counting(*, connections: Iterator[int], ends_after: int | None = None) -> Script:
    """Send numbered packets: each connection begins at a thousand of its own. The first one ends
    after so many."""

    async def script(connection: Connection) -> None:
        index = next(connections)
        await connection.send(CRLF_ANSWER)
        for number in count():
            if index == 0 and number == ends_after:
                return
            named = (1000 * index + number) % 65536
            await connection.send(key(named) if number % KEYS == 0 else packet(named))
            await asyncio.sleep(0.002)

    return script


def counts() -> Script:
    return counting(connections=count())


class Viewer:
    """Reads what it gets, packet by packet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def packets(self, amount: int) -> list[bytes]:
        async with asyncio.timeout(30):
            data = await self._reader.readexactly(amount * PACKET_BYTES)
        return [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]

    async def numbers(self, amount: int) -> list[int | None]:
        """Of the packets; None for one that marks a discontinuity."""
        return [number_of(each) for each in await self.packets(amount)]

    async def rest(self) -> bytes:
        async with asyncio.timeout(10):
            return await self._reader.read()


def number_of(packet: bytes) -> int | None:
    assert packet[0] == 0x47
    if packet[3] & 0x30 == MARK:
        return None
    at = 8 if packet[1] & 0x40 else 4
    return int.from_bytes(packet[at : at + 2], "big")


@asynccontextmanager
async def watching(gateway: Daemon, path: str = STREAM):  # type: ignore[no-untyped-def]
    reader, writer = await gateway.connect()
    # HTTP/1.0: the body comes as it is, without chunks.
    writer.write(f"GET {path} HTTP/1.0\r\nHost: gateway\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    try:
        yield Viewer(reader, writer)
    finally:
        writer.transport.abort()


def follow(numbers: list[int | None]) -> bool:
    return all(later == (earlier or 0) + 1 for earlier, later in pairwise(numbers))


async def test_two_viewers_get_identical_bytes_from_their_common_start_on() -> None:
    async with daemon(counts()) as gateway, watching(gateway) as first:
        early = await first.packets(100)
        async with watching(gateway) as second:
            late = await second.packets(200)
            early += await first.packets(300)
            assert late[0] in early
            start = early.index(late[0])
            common = min(len(early) - start, len(late))
            assert common > 100
            assert early[start : start + common] == late[:common]
            assert follow([number_of(each) for each in early])
        assert len(gateway.upstream.connections) == len(gateway.backend.remuxers) == 1


async def test_a_viewer_who_leaves_makes_no_gap_for_the_others() -> None:
    async with daemon(counts()) as gateway, watching(gateway) as staying:
        before = await staying.numbers(50)
        async with watching(gateway) as leaving:
            await leaving.numbers(10)
        await gateway.ended(Outcome.VIEWER_LEFT)
        assert follow(before + await staying.numbers(200))
        assert len(gateway.upstream.connections) == 1


async def test_a_viewer_who_takes_nothing_makes_no_gap_for_the_others() -> None:
    async with (
        daemon(counts()) as gateway,
        watching(gateway) as stopped,
        watching(gateway) as fast,
    ):
        stopped.writer.transport.pause_reading()
        assert follow(await fast.numbers(1500))


async def test_a_viewer_with_a_duration_ends_well_beside_one_without() -> None:
    async with daemon(counts()) as gateway, watching(gateway) as staying:
        before = await staying.numbers(10)
        async with watching(gateway, "/auto/v1?duration=1") as timed:
            assert len(await timed.rest()) % PACKET_BYTES == 0
        await gateway.ended(Outcome.DURATION_OVER)
        assert follow(before + await staying.numbers(100))
        assert len(gateway.upstream.connections) == 1


async def test_a_head_request_opens_no_stream_of_the_receiver() -> None:
    async with daemon(counts()) as gateway:
        for _ in range(3):
            assert (await gateway.get(STREAM, method="HEAD"))[0] == 200
        assert not gateway.upstream.connections
        assert not gateway.backend.remuxers
        assert not gateway.gateway.hub.upstreams


async def test_a_receiver_that_breaks_off_is_asked_again_under_its_viewers() -> None:
    script = counting(connections=count(), ends_after=60)
    async with (
        daemon(script, reconnect_s=12) as gateway,
        watching(gateway) as one,
        watching(gateway) as other,
    ):
        numbers = await one.numbers(150)
        seam = numbers.index(None)
        assert numbers[:seam] == list(range(numbers[0] or 0, 60)), "nothing lost, nothing twice"
        assert numbers[seam + 1] == 1000
        assert follow(numbers[seam + 1 :])
        again = await other.numbers(150)
        assert again[again.index(None) :][:50] == numbers[seam:][:50]
        assert len(gateway.upstream.connections) == 2
        await until(lambda: gateway.upstream.connections[0].closed_by_client.is_set())
        assert [remuxer.closed for remuxer in gateway.backend.remuxers] == [True, False]


async def test_a_receiver_that_stays_away_ends_the_stream_for_all_in_time() -> None:
    async def once(connection: Connection) -> None:
        if gateway.upstream.connections[0] is connection:
            await counting(connections=count(), ends_after=60)(connection)

    async with daemon(once, reconnect_s=1) as gateway:
        async with watching(gateway) as one, watching(gateway) as other:
            for viewer in (one, other):
                await viewer.rest()
        await gateway.ended(Outcome.RECEIVER_ENDED, 2)
        assert not gateway.gateway.hub.in_use

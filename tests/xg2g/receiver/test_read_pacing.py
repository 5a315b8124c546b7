"""How often a live stream is read, and that nothing is lost by it."""

import asyncio

import pytest

from tests.harness.stream_server import CRLF_ANSWER, PACKET, Connection, plays_endlessly, upstream
from tests.xg2g.receiver.test_stream import SERVICE, server_at
from xg2g.receiver import read_pacing
from xg2g.receiver.errors import TimeLimitError
from xg2g.receiver.read_pacing import CHUNK_BYTES, GATHER_S, GATHERED_BYTES, PROMPT_S, ReadPacing
from xg2g.receiver.receive_buffer import ReceiveBuffer

pytestmark = pytest.mark.anyio


def reads_a_second(bytes_per_s: float, *, after_s: float = 5.0, most_bytes: int = 2**18) -> int:
    """Read a stream whose kernel buffer fills at this rate, and count the reads of a second."""
    now_s, unread, reads = 100.0, 1000.0, 0
    its = ReadPacing(now_s)
    while now_s < 100 + after_s + 1:
        size = int(min(unread, most_bytes))
        unread -= size
        reads += now_s >= 100 + after_s
        # The way through the event loop takes half a millisecond.
        wait_s = its.wait_s(size, now_s) + 0.0005
        now_s += wait_s
        unread += bytes_per_s * wait_s
    return reads


def test_a_stream_is_read_ten_times_a_second() -> None:
    assert 9 <= reads_a_second(10e6 / 8) <= 11
    assert 9 <= reads_a_second(128e3 / 8) <= 11, "radio"


def test_a_fast_stream_is_read_before_the_kernels_buffer_is_full() -> None:
    for bits_per_s in (25e6, 60e6):
        bytes_per_s = bits_per_s / 8
        reads = reads_a_second(bytes_per_s)
        assert bytes_per_s / reads <= GATHERED_BYTES * 1.1
        assert reads <= 1.2 * bytes_per_s / GATHERED_BYTES


def test_the_first_second_of_a_stream_is_read_as_it_comes() -> None:
    its = ReadPacing(100.0)
    assert not any(its.wait_s(1000, 100 + at_ms / 1000) for at_ms in range(int(PROMPT_S * 1000)))
    assert its.wait_s(1000, 100 + PROMPT_S + 0.1) == GATHER_S


def test_a_burst_is_read_at_once_and_the_pace_is_found_again() -> None:
    its = ReadPacing(100.0)
    its.wait_s(125_000, 102.0)
    assert [its.wait_s(CHUNK_BYTES, 102.1) for _ in range(10)] == [0.0] * 10
    its.wait_s(1000, 102.11)
    for number in range(3):
        wait_s = its.wait_s(125_000, 102.21 + number * GATHER_S)
    assert wait_s == GATHER_S


async def test_a_stream_begins_without_being_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_pacing, "GATHER_S", 30.0)
    monkeypatch.setattr(read_pacing, "PROMPT_S", 30.0)
    was_read = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER)
        for _ in range(100):
            await connection.send(PACKET)
            await was_read.wait()
            was_read.clear()

    async with (
        upstream(script) as server,
        server_at(server.port).open(SERVICE) as stream,
        asyncio.timeout(10),
    ):
        while await stream.read():
            was_read.set()


async def test_the_kernel_gathers_small_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the reader nor the event loop is woken by each."""
    monkeypatch.setattr(read_pacing, "GATHER_S", 0.5)
    monkeypatch.setattr(read_pacing, "PROMPT_S", 0.0)
    woken = 0
    received = ReceiveBuffer.data_received

    def count(self: ReceiveBuffer, data: bytes) -> None:
        nonlocal woken
        woken += 1
        received(self, data)

    monkeypatch.setattr(ReceiveBuffer, "data_received", count)
    pieces = 100

    async def script(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER)
        for _ in range(pieces):
            await connection.send(PACKET)
            await asyncio.sleep(0.001)

    stream_bytes, reads = 0, 0
    async with upstream(script) as server, server_at(server.port).open(SERVICE) as stream:
        async with asyncio.timeout(10):
            while chunk := await stream.read():
                stream_bytes += len(chunk)
                reads += 1
    assert stream_bytes == pieces * len(PACKET)
    assert reads <= pieces / 10
    assert woken <= pieces / 10


async def test_a_burst_comes_whole_in_reads_that_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_pacing, "PROMPT_S", 0.0)
    burst = bytes(range(256)) * 20_000

    async def script(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER + burst)

    received = []
    async with (
        upstream(script) as server,
        server_at(server.port).open(SERVICE) as stream,
        asyncio.timeout(10),
    ):
        while chunk := await stream.read():
            received.append(chunk)
    assert b"".join(received) == burst
    assert max(map(len, received)) <= CHUNK_BYTES


async def test_a_read_that_is_cancelled_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither while it waits for the network nor while the network is left alone."""
    monkeypatch.setattr(read_pacing, "PROMPT_S", 0.0)
    monkeypatch.setattr(read_pacing, "GATHER_S", 0.02)
    pieces = [bytes([number]) * 188 for number in range(60)]

    async def script(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER)
        for piece in pieces:
            await connection.send(piece)
            await asyncio.sleep(0.003)

    received = b""
    async with upstream(script) as server, server_at(server.port).open(SERVICE) as stream:
        while True:
            reading = asyncio.create_task(stream.read())
            await asyncio.wait({reading}, timeout=0.001)
            if not reading.cancel():
                if not (chunk := reading.result()):
                    break
                received += chunk
            else:
                await asyncio.wait({reading})
                if not reading.cancelled():
                    received += reading.result()
    assert received == b"".join(pieces)


async def test_unread_bytes_stay_with_the_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_pacing, "PROMPT_S", 3600.0)
    async with upstream(plays_endlessly) as server, server_at(server.port).open(SERVICE) as stream:
        await stream.read()
        queue = server.connections[0]._writer.transport
        async with asyncio.timeout(5):
            while not queue.get_write_buffer_size():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        # It is stuck with what it has for us until somebody reads on.
        await asyncio.sleep(0.2)
        assert queue.get_write_buffer_size()
        async with asyncio.timeout(5):
            for _ in range(100):
                assert await stream.read()


async def test_a_stream_that_stands_still_after_a_while_ends_at_its_deadline() -> None:
    async def script(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER)
        for _ in range(20):
            await connection.send(PACKET)
            await asyncio.sleep(0.05)
        await connection.stay_silent()

    async with upstream(script) as server, server_at(server.port, stall_s=0.6).open(SERVICE) as its:
        with pytest.raises(TimeLimitError):
            async with asyncio.timeout(5):
                while await its.read():
                    pass

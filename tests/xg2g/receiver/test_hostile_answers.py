"""A receiver that is broken, or somebody else in its place: what its answers may cost."""

import asyncio
import gzip
import os
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import IPv4Address

import httpx
import pytest

from tests.harness.stream_server import Connection, Script, says, upstream
from xg2g.doctor.machine import _own_version
from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.errors import ReceiverError, UnexpectedAnswerError
from xg2g.receiver.openwebif import ListedService, OpenWebif, RequestPolicy
from xg2g.receiver.openwebif.answers import Body, BodyError
from xg2g.receiver.service_reference import ServiceReference
from xg2g.setup.receivers import find_receivers

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
MOST_BYTES = 64 * MIB
"""Of memory, for any answer: what is kept of a guide, and its last step."""
OK = b"HTTP/1.1 200 OK\r\n"
REFERENCE = "1:0:19:65:1:1:C00000:0:0:0:"
ONE = ListedService(ServiceReference.parse(REFERENCE), REFERENCE, "", "/picon/a.png")


def blanks(mib: int, wbits: int = 31) -> bytes:
    """So many MiB of blanks, packed a thousand times smaller."""
    packer = zlib.compressobj(9, wbits=wbits)
    return b"".join(packer.compress(b" " * MIB) for _ in range(mib)) + packer.flush()


def answer(body: bytes, *codings: str) -> Script:
    lines = "".join(f"Content-Encoding: {coding}\r\n" for coding in codings).encode()
    return says(OK + lines + b"Content-Length: %d\r\n\r\n" % len(body), body)


def endless(head: bytes, piece: bytes) -> Script:
    async def script(connection: Connection) -> None:
        await connection.send(head)
        while True:
            await connection.send(piece)

    return script


BOMB = blanks(300)
GUIDE = b'{"events": ['
ANSWERS: dict[str, Script] = {
    "gzip in gzip": answer(gzip.compress(BOMB), "gzip, gzip"),
    "gzip in gzip, on two lines": answer(gzip.compress(BOMB), "gzip", "gzip"),
    "gzip in deflate": answer(zlib.compress(BOMB), "gzip, deflate"),
    "gzip": answer(BOMB, "gzip"),
    "x-gzip": answer(BOMB, "X-GZIP"),
    "gzip, and as it is": answer(BOMB, "identity, gzip"),
    "deflate": answer(blanks(300, 15), "deflate"),
    "a small file and a big one": answer(gzip.compress(b"{}") + BOMB, "gzip"),
    "an endless body": endless(OK + b"\r\n", b" " * MIB),
    "endless noise": endless(
        OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(os.urandom(MIB))
    ),
    "endless headers": endless(OK, b"X-A: " + b"b" * 1000 + b"\r\n"),
    "an endless header": endless(OK + b"X-A: ", b"b" * MIB),
    "endless cookies": endless(OK, b"Set-Cookie: a=" + b"b" * 1000 + b"\r\n"),
    "an endless chunk": endless(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"b" * MIB),
    "endless trailers": endless(
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: " + b"b" * 1000 + b"\r\n"
    ),
    "deep JSON": answer(b'{"bouquets": ' + b"[" * 7 * MIB),
    "a little deep JSON": answer(b'{"bouquets": ' + b"[" * 100_000),
    "wide JSON": answer(b'{"bouquets": [' + b"[]," * (2 * MIB) + b"[]]}"),
    "a long number": answer(b'{"bouquets": [' + b"1" * 7 * MIB + b"]}"),
    "a guide that is deep": answer(GUIDE + b"[" * MIB),
    "a guide of a long number": answer(GUIDE + b"1" * 100_000 + b"]}"),
    "a guide of blanks": answer(gzip.compress(GUIDE) + BOMB, "gzip"),
    "a guide of an endless text": endless(OK + b"\r\n" + GUIDE + b'"', b"x" * MIB),
}


@asynccontextmanager
async def costing_little() -> AsyncIterator[None]:
    tracemalloc.start()
    try:
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_BYTES


async def ask(web: OpenWebif, what: str) -> None:
    match what:
        case "list":
            await web.bouquets()
        case "guide":
            async for _ in web.events(ONE, begin=datetime.now(UTC), minutes=1):
                pass
        case "list of the relay":
            await web.relayed_services()


@pytest.mark.parametrize("what", ["list", "guide"])
@pytest.mark.parametrize("script", ANSWERS.values(), ids=ANSWERS)
async def test_an_absurd_answer_is_an_error_and_costs_little(script: Script, what: str) -> None:
    async with (
        upstream(script) as server,
        costing_little(),
        OpenWebif(
            ReceiverAddress.parse(f"http://127.0.0.1:{server.port}"),
            connect_timeout_s=5,
            answer_timeout_s=60,
            policy=RequestPolicy(attempts=1, spacing_s=0),
        ) as web,
    ):
        with pytest.raises(ReceiverError):
            await ask(web, what)


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "compress", "gzip, gzip", "x, gzip"])
async def test_a_coding_that_was_not_requested_is_refused_before_the_body(coding: str) -> None:
    async def never_a_body(connection: Connection) -> None:
        await connection.send(OK + f"Content-Encoding: {coding}\r\n\r\n".encode())
        await connection.stay_silent()

    async with (
        upstream(never_a_body) as server,
        OpenWebif(
            ReceiverAddress.parse(f"http://127.0.0.1:{server.port}"),
            connect_timeout_s=5,
            answer_timeout_s=60,
        ) as web,
        asyncio.timeout(10),
    ):
        with pytest.raises(UnexpectedAnswerError, match="coding"):
            await web.bouquets()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "identity, gzip", "GZIP"])
async def test_gzip_is_read_by_every_name_and_in_several_files(coding: str) -> None:
    text = b'{"bouquets": [["' + REFERENCE.encode() + b'", "Favourites"]]}'
    packed = gzip.compress(text[:20]) + gzip.compress(text[20:])
    async with (
        upstream(answer(packed, coding)) as server,
        OpenWebif(
            ReceiverAddress.parse(f"http://127.0.0.1:{server.port}"),
            connect_timeout_s=5,
            answer_timeout_s=60,
        ) as web,
    ):
        assert [bouquet.name for bouquet in await web.bouquets()] == ["Favourites"]


@pytest.mark.parametrize("name", ["gzip in gzip", "gzip", "deflate", "an endless body"])
async def test_a_hostile_host_costs_little_in_a_search_for_receivers(name: str) -> None:
    async with upstream(ANSWERS[name]) as server, costing_little():
        assert await find_receivers([IPv4Address("127.0.0.1")], port=server.port) == []
        assert await _own_version("127.0.0.1", server.port) is None


async def test_a_deeply_nested_answer_is_no_receiver_in_a_search() -> None:
    async with upstream(answer(b"[" * 200_000)) as server:
        assert await find_receivers([IPv4Address("127.0.0.1")], port=server.port) == []
        assert await _own_version("127.0.0.1", server.port) is None


async def test_an_answer_is_measured_over_all_its_steps_and_files() -> None:
    limit_bytes = 4 * MIB
    for packed, fits in (
        (blanks(4), True),
        (blanks(5), False),
        (blanks(2) + blanks(2), True),
        (blanks(2) + blanks(3), False),
    ):
        response = httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(packed)
        )
        # As the network brings it: nothing is read yet.
        response.is_closed = response.is_stream_consumed = False
        if fits:
            body = await Body.receive(response, limit_bytes=limit_bytes)
            assert len(body.read(limit_bytes)) == limit_bytes
        else:
            with pytest.raises(BodyError):
                await Body.receive(response, limit_bytes=limit_bytes)


async def test_other_tasks_run_while_a_large_answer_is_measured() -> None:
    response = httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(blanks(32))
    )
    response.is_closed = response.is_stream_consumed = False
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await Body.receive(response, limit_bytes=32 * MIB)
    counting.cancel()
    assert turns >= 16, "a turn for each 2 MiB, at least"

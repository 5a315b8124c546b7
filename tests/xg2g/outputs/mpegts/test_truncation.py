"""What was cut off does not end like what is whole."""

import asyncio
from collections.abc import Callable

import pytest

from tests.harness.scripted_daemon import STREAM, Daemon, daemon
from tests.harness.stream_server import (
    CRLF_ANSWER,
    PACKET,
    Connection,
    Script,
    plays_at_leisure,
    says,
    says_then_stays_silent,
)
from xg2g.metrics import Outcome
from xg2g_backends.errors import UnavailableError

pytestmark = pytest.mark.anyio

LAST_CHUNK = b"0\r\n\r\n"


async def curl(url: str) -> int:
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--output", "/dev/null", "--max-time", "20", "--noproxy", "*", url)
    )
    return await process.wait()


async def resets(connection: Connection) -> None:
    await connection.send(CRLF_ANSWER)
    await connection.send(PACKET * 10)
    await asyncio.sleep(0.2)
    connection.reset()


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (says(CRLF_ANSWER, PACKET * 10), Outcome.RECEIVER_ENDED),
        (says_then_stays_silent(CRLF_ANSWER, PACKET * 10), Outcome.RECEIVER_SILENT),
        (resets, Outcome.RECEIVER_UNREACHABLE),
    ],
    ids=["ended", "silent", "reset"],
)
async def test_a_stream_that_fails_in_its_middle_is_an_error_for_its_recorder(
    script: Script, outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    async with daemon(script, stall_s=2) as gateway:
        reader, writer = await gateway.watch()
        received = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert not received.endswith(LAST_CHUNK)
        # 18: transfer closed with outstanding read data remaining.
        assert await curl(f"http://127.0.0.1:{gateway.port}{STREAM}") == 18
        await gateway.ended(outcome, 2)
    assert not caplog.records


async def test_a_remuxer_that_fails_in_the_middle_is_an_error_for_its_recorder() -> None:
    async with daemon(plays_at_leisure) as gateway:
        reader, writer = await gateway.watch()
        (remuxer,) = gateway.backend.remuxers

        async def fail(_: bytes) -> bytes:
            raise UnavailableError("gone")

        remuxer.process = fail  # type: ignore[method-assign,assignment]
        received = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert not received.endswith(LAST_CHUNK)
        await gateway.ended(Outcome.BACKEND_UNAVAILABLE)


def dismiss(gateway: Daemon) -> None:
    for viewer in gateway.gateway.viewers:
        viewer.terminated.set()


@pytest.mark.parametrize("end", [dismiss, lambda gateway: gateway.gateway.stopping.set()])
async def test_a_stream_that_is_terminated_ends_in_good_order(
    end: Callable[[Daemon], None],
) -> None:
    async with daemon(plays_at_leisure) as gateway:
        reader, writer = await gateway.watch()
        end(gateway)
        assert (await asyncio.wait_for(reader.read(), 10)).endswith(LAST_CHUNK)
        writer.close()


async def test_a_stream_whose_time_is_over_ends_in_good_order() -> None:
    async with daemon(plays_at_leisure) as gateway:
        reader, writer = await gateway.watch("/auto/v1?duration=1")
        assert (await asyncio.wait_for(reader.read(), 10)).endswith(LAST_CHUNK)
        writer.close()

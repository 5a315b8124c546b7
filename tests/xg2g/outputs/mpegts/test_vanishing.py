"""Players that pause are kept, and players that vanish are found."""

import asyncio

import pytest

from tests.harness.scripted_daemon import Daemon, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, plays_endlessly, says_then_stays_silent
from tests.xg2g.deafness import come_back, vanish
from tests.xg2g.outputs.mpegts.watching import (
    ON_LINUX,
    raw_socket,
    reads_nothing,
)
from xg2g.app import server
from xg2g.metrics import Outcome
from xg2g.network import tcp_liveness as acknowledgements

pytestmark = pytest.mark.anyio


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that looks often, and to which a short silence is one. The kernel sends its first
    probes and retransmissions within a second."""
    monkeypatch.setattr(server, "WATCH_INTERVAL_S", 0.05)
    monkeypatch.setattr(acknowledgements, "SILENCE_S", 0.4)


async def plays_on(gateway: Daemon, reader: asyncio.StreamReader) -> None:
    """Read what is on its way, and what only comes now."""
    bytes_out = gateway.gateway.metrics.bytes_out._value
    enough = bytes_out.get() + 1_000_000
    async with asyncio.timeout(20):
        while bytes_out.get() < enough:
            assert await reader.read(65536)


async def gone(gateway: Daemon) -> None:
    async with asyncio.timeout(10):
        await gateway.upstream.connections[0].closed_by_client.wait()
    await gateway.ended(Outcome.VIEWER_LEFT)


@ON_LINUX
async def test_a_paused_player_is_kept_and_plays_on(impatient: None) -> None:
    """Each probe of its closed window is answered, however long it pauses."""
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await reads_nothing(gateway)
        await asyncio.sleep(8 * acknowledgements.SILENCE_S)
        assert len(gateway.gateway.viewers) == 1
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        await plays_on(gateway, reader)
        writer.transport.abort()


async def test_where_the_kernel_says_nothing_a_paused_player_is_kept_as_well(
    impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledgements, "_TCP_INFO", None)
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await reads_nothing(gateway)
        await asyncio.sleep(4 * acknowledgements.SILENCE_S)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        await plays_on(gateway, reader)
        writer.transport.abort()


@pytest.fixture
def older_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that knows nothing of TCP_RTO_MAX_MS, and doubles the time between two probes."""
    monkeypatch.setattr(acknowledgements, "_TCP_RTO_MAX_MS", 9999)
    monkeypatch.setattr(acknowledgements, "PROBED_WITHIN_S", 0.5)


@ON_LINUX
@pytest.mark.parametrize("kernel", ["present", "older"])
async def test_a_player_that_vanishes_late_in_its_pause_is_found_as_soon(
    impatient: None, kernel: str, request: pytest.FixtureRequest
) -> None:
    """By itself the kernel would send its fifth probe after 6.2 s and the next after 12.6 s."""
    if kernel == "older":
        request.getfixturevalue("older_kernel")
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await reads_nothing(gateway)
        await asyncio.sleep(6.5)
        vanish(raw_socket((reader, writer)))
        async with asyncio.timeout(3.5):
            await gateway.upstream.connections[0].closed_by_client.wait()
        writer.transport.abort()


@ON_LINUX
async def test_an_older_kernel_lets_a_player_play_on_after_its_pause(
    impatient: None, older_kernel: None
) -> None:
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.watch()
        for _ in range(3):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(4 * acknowledgements.PROBED_WITHIN_S)
            assert len(gateway.gateway.viewers) == 1
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            await plays_on(gateway, reader)
        writer.transport.abort()


@ON_LINUX
async def test_a_player_that_vanishes_while_it_plays_is_found(impatient: None) -> None:
    async with daemon(plays_endlessly) as gateway:
        viewer = await gateway.watch()
        vanish(raw_socket(viewer))
        await gone(gateway)
        viewer[1].transport.abort()


@ON_LINUX
async def test_a_player_that_vanishes_while_it_pauses_is_found(impatient: None) -> None:
    async with daemon(plays_endlessly) as gateway:
        viewer = await reads_nothing(gateway)
        vanish(raw_socket(viewer))
        await gone(gateway)
        viewer[1].transport.abort()


@ON_LINUX
async def test_a_player_that_vanishes_while_nothing_is_sent_is_found() -> None:
    script = says_then_stays_silent(CRLF_ANSWER, PACKET * 10)
    async with daemon(script, stall_s=60) as gateway:
        viewer = await gateway.watch()
        await viewer[0].read(100_000)
        vanish(raw_socket(viewer))
        await gone(gateway)
        viewer[1].transport.abort()


@ON_LINUX
async def test_a_player_whose_network_is_back_in_time_plays_on(impatient: None) -> None:
    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.watch()
        vanish(raw_socket((reader, writer)))
        await asyncio.sleep(acknowledgements.SILENCE_S / 2)
        come_back(raw_socket((reader, writer)))
        await plays_on(gateway, reader)
        writer.transport.abort()

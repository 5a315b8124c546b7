"""Viewers of a daemon whose transcoders die: real sockets, real processes."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.harness.daemon import serving, settings_for
from tests.harness.player import channels, seen, span_s
from tests.harness.ports import free_address
from tests.harness.transcoder import short_folder, transcoder
from xg2g.config.settings import ExternalSettings
from xg2g.errors import UserError
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

STREAM_S = 3
"""Before and after the loss."""


@asynccontextmanager
async def gateway(*urls: object, fallback: bool = False) -> AsyncIterator[str]:
    """The daemon with a simulated receiver and these transcoders; yields its address."""
    async with SimulatedReceiver(speed=2) as receiver:
        external = ExternalSettings(transcoder=tuple(map(str, urls)), fallback=fallback)
        async with serving(settings_for(receiver, external=external)) as address:
            yield address


class Watching:
    """A viewer of a channel."""

    def __init__(self, response: httpx.Response) -> None:
        self.received = b""
        self._pieces = response.aiter_raw()

    async def go_on(self, seconds: float) -> bytes:
        """Watch so much more of the stream's time, and return that part of it."""
        start = len(self.received)
        async with asyncio.timeout(60):
            while span_s(self.received[start:]) < seconds:
                self.received += await anext(self._pieces)
                start -= start % 188
        return self.received[start:]


@asynccontextmanager
async def watching(address: str, name: str = "Card Two HD") -> AsyncIterator[Watching]:
    async with httpx.AsyncClient(trust_env=False) as client:
        url = (await channels(client, f"{address}/playlist.m3u"))[name]
        async with client.stream("GET", url, timeout=60) as response:
            assert response.status_code == 200
            yield Watching(response)


async def still_hears(viewer: Watching) -> None:
    _, tracks, sound_s = seen(await viewer.go_on(STREAM_S), is_spliced=True)
    assert {codec for codec, _ in tracks} == {"aac"}
    assert sound_s >= STREAM_S - 2


async def metric(address: str, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{address}/metrics")).text
    found = re.search(rf"^{name} (.*)$", text, re.MULTILINE)
    assert found is not None, text
    return float(found[1])


async def test_a_viewer_stays_when_the_transcoder_is_killed_and_comes_back() -> None:
    with short_folder() as folder, transcoder(f"unix://{folder}/t.sock") as service:
        async with gateway(service.address) as address:
            async with watching(address) as viewer:
                await viewer.go_on(STREAM_S)
                service.restart()
                video, tracks, sound_s = seen(await viewer.go_on(STREAM_S), is_spliced=True)
            assert await metric(address, "xg2g_backend_failovers_total") >= 1
            assert await metric(address, "xg2g_backend_dropped_bytes_total") == 0
    assert video == "h264"
    assert {codec for codec, _ in tracks} == {"aac"}
    assert sound_s >= STREAM_S - 2


async def test_a_viewer_stays_when_one_of_two_transcoders_dies() -> None:
    with transcoder() as first, transcoder() as second:
        async with gateway(first.address, second.address) as address:
            async with watching(address) as one, watching(address, "Radio Four") as other:
                for viewer in (one, other):
                    await viewer.go_on(STREAM_S)
                first.stop(signal.SIGKILL)
                for viewer in (one, other):
                    await still_hears(viewer)
            assert await metric(address, "xg2g_backend_failovers_total") == 1


async def test_a_viewer_stays_in_this_process_when_no_transcoder_is_left() -> None:
    with transcoder() as service:
        async with gateway(service.address, fallback=True) as address:
            async with watching(address) as viewer:
                await viewer.go_on(STREAM_S)
                service.stop(signal.SIGKILL)
                await still_hears(viewer)
            assert await metric(address, "xg2g_backend_fallbacks_total") == 1


@pytest.mark.parametrize("other", ["service", "fallback"])
async def test_a_stream_moves_to_another_transcoder_when_one_freezes(
    other: str,
) -> None:
    with transcoder() as first, transcoder() as second:
        urls = (first.address, second.address) if other == "service" else (first.address,)
        async with gateway(*urls, fallback=other == "fallback") as address:
            async with watching(address) as viewer:
                await viewer.go_on(STREAM_S)
                first.send_signal(signal.SIGSTOP)
                await viewer.go_on(STREAM_S)
            assert await metric(address, "xg2g_backend_failovers_total") == 1


async def test_nothing_is_left_open_at_the_transcoder_when_viewers_leave() -> None:
    with transcoder() as service:
        async with gateway(service.address) as address:
            async with watching(address) as viewer:
                await viewer.go_on(1)
            async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
                url = f"{service.address}/v1"
                while (await client.get(url)).json()["open_remuxers"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)


async def test_a_transcoder_that_is_not_there_ends_the_start_with_what_to_do() -> None:
    with pytest.raises(UserError, match="start xg2g-transcoder"):
        async with gateway(free_address()):
            pass


async def test_one_transcoder_of_two_is_enough_to_start() -> None:
    with transcoder() as service:
        async with gateway(free_address(), service.address) as address, watching(address) as viewer:
            await viewer.go_on(1)


async def until_state(address: str, state: str) -> dict[str, Any]:
    """Wait for what /readyz tells."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client, asyncio.timeout(30):
        while True:
            told: dict[str, Any] = (await client.get(f"{address}/readyz")).json()
            if told["status"] == state:
                return told
            await asyncio.sleep(0.1)


async def test_a_killed_transcoder_is_reported_without_viewers_and_when_it_is_back() -> None:
    with short_folder() as folder, transcoder(f"unix://{folder}/t.sock") as service:
        async with gateway(service.address) as address:
            await until_state(address, "ready")
            service.stop(signal.SIGKILL)
            told = await until_state(address, "not ready")
            assert "start xg2g-transcoder" in told["reason"]
            async with httpx.AsyncClient(trust_env=False) as client:
                url = (await channels(client, f"{address}/playlist.m3u"))["Card Two HD"]
                assert (await client.get(url)).status_code == 503
            service.restart()
            await until_state(address, "ready")


async def test_one_of_two_or_none_with_the_fall_back_is_degraded() -> None:
    with transcoder() as service:
        async with gateway(service.address, free_address()) as address:
            assert "start xg2g-transcoder" in (await until_state(address, "degraded"))["reasons"][0]
        async with gateway(service.address, fallback=True) as address:
            await until_state(address, "ready")
            service.stop(signal.SIGKILL)
            await until_state(address, "degraded")


async def test_an_outage_is_counted_with_the_length_that_the_viewer_saw() -> None:
    with short_folder() as folder, transcoder(f"unix://{folder}/t.sock") as service:
        async with gateway(service.address) as address, watching(address) as viewer:
            await viewer.go_on(STREAM_S)
            # A busy machine may have stood still by itself.
            before = await metric(address, "xg2g_stream_freeze_seconds_count")
            service.stop(signal.SIGKILL)
            watched = asyncio.create_task(viewer.go_on(STREAM_S))
            await asyncio.sleep(1.5)
            assert not watched.done()
            service.restart()
            await watched
            assert await metric(address, "xg2g_stream_freeze_seconds_count") > before
            assert 1.4 < await metric(address, "xg2g_stream_freeze_seconds_sum") < 60


async def test_a_transcoder_that_ends_while_its_streams_continue_is_reported() -> None:
    with short_folder() as folder, transcoder(f"unix://{folder}/t.sock") as service:
        async with gateway(service.address) as address, watching(address) as viewer:
            await viewer.go_on(1)
            service.send_signal(signal.SIGTERM)
            told = await until_state(address, "not ready")
            assert "is stopping" in told["reason"]

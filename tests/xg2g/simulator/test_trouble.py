"""Trouble on command: a receiver that stalls, restarts, is slow, and runs out of tuners."""

import asyncio

import httpx
import pytest

from tests.xg2g.simulator.viewer import HEADER, until, watching
from tests.xg2g.simulator.virtual_clock import VirtualClock
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

ONE = "1:0:19:65:1:1:C00000:0:0:0:"
THREE = "1:0:1:CA:2:1:C00000:0:0:0:"
SCRAMBLED = "1:0:19:68:1:1:C00000:0:0:0:"


def client_of(receiver: SimulatedReceiver) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=receiver.base_url, trust_env=False)


async def test_answers_are_given_one_after_the_other_however_many_ask() -> None:
    clock = VirtualClock()
    async with (
        SimulatedReceiver(clock=clock, answer_delay_s=1.0) as receiver,
        client_of(receiver) as client,
    ):
        before_s = clock.now()
        await asyncio.gather(*(client.get("/api/powerstate") for _ in range(5)))
        assert clock.now() - before_s >= 5
        assert receiver.gate.most_at_once == 5
        assert list(receiver.gate.requests) == ["/api/powerstate"] * 5


async def test_a_stalled_receiver_keeps_everybody_waiting_and_goes_on_afterwards() -> None:
    async with (
        SimulatedReceiver(speed=None) as receiver,
        client_of(receiver) as client,
        watching(receiver.stream_port, ONE) as viewer,
    ):
        await viewer.read(len(HEADER) + 1)
        receiver.stall()
        asking = asyncio.create_task(client.get("/api/powerstate"))
        await asyncio.sleep(0.2)
        assert not asking.done()
        receiver.resume()
        assert (await asking).status_code == 200
        await viewer.read(5_000_000)


async def test_a_restart_ends_every_stream_and_comes_back_on_the_same_ports() -> None:
    async with SimulatedReceiver(speed=None, clock=VirtualClock()) as receiver:
        ports = receiver.base_url, receiver.stream_port, receiver.relay_port
        async with watching(receiver.stream_port, ONE) as viewer:
            await viewer.read(len(HEADER) + 1)
            await receiver.power_off()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                while True:
                    await viewer.read(1 << 20)
        async with client_of(receiver) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("/api/powerstate")
        assert receiver.active_streams == []
        await receiver.power_on()
        assert (receiver.base_url, receiver.stream_port, receiver.relay_port) == ports
        async with client_of(receiver) as client:
            assert (await client.get("/api/powerstate")).status_code == 200
        await receiver.restart(5)
        async with watching(receiver.stream_port, ONE) as viewer:
            await viewer.read(len(HEADER) + 1)


async def test_a_receiver_without_free_tuners_refuses_what_is_not_on_the_air_already() -> None:
    async with SimulatedReceiver(speed=None, clock=VirtualClock()) as receiver:
        async with watching(receiver.stream_port, ONE) as viewer:
            await viewer.read(len(HEADER) + 1)
            receiver.tuners.closed = True
            async with watching(receiver.stream_port, THREE) as other:
                assert (await other.rest()).endswith(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            async with watching(receiver.stream_port, SCRAMBLED) as same_transponder:
                assert b"400" not in await same_transponder.read(len(HEADER) + 188)
        await until(lambda: not receiver.active_streams)


async def test_many_channels_are_spread_over_the_requested_bouquets() -> None:
    async with (
        SimulatedReceiver(speed=None, channels=500, bouquets=20) as receiver,
        client_of(receiver) as client,
    ):
        bouquets = (await client.get("/api/getallservices")).json()["services"]
        many = [b for b in bouquets if b["servicename"].startswith("Bouquet ")]
        assert [len(bouquet["subservices"]) for bouquet in many] == [25] * 20
        references = {s["servicereference"] for b in many for s in b["subservices"]}
        assert len(references) == 500
        last = many[-1]["subservices"][-1]["servicereference"]
        async with watching(receiver.stream_port, last) as viewer:
            assert (await viewer.read(len(HEADER) + 1))[-1:] == b"\x47"

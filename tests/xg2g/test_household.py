"""What a household has: a receiver that is off at night, and clients that ask all the same."""

import asyncio
import random
import re
import resource
import signal
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.harness.command import COMMAND, DaemonProcess
from tests.harness.daemon import client_of, settings_for
from xg2g.config.settings import GuideSettings
from xg2g.simulator import SimulatedReceiver
from xg2g.store.database import DAMAGED

pytestmark = pytest.mark.anyio

KILLS = 4


@asynccontextmanager
async def gateway(
    receiver: SimulatedReceiver, *, guide: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """`xg2g serve`, as started anew by its service manager; yields a client of it."""
    settings = settings_for(receiver, guide=GuideSettings(days=2, enabled=guide))
    # A host that stays the same: ports of tests do not, and stand in every URL.
    async with client_of(settings, keep_data=True, Host="gateway:8088") as client:
        yield client


async def guide_of(client: httpx.AsyncClient, programmes: int) -> httpx.Response:
    """Wait until the guide has so many programmes."""
    async with asyncio.timeout(60):
        while True:
            guide = await client.get("/xmltv.xml")
            if guide.text.count("<programme ") >= programmes:
                return guide
            await asyncio.sleep(0.2)


async def test_after_a_restart_everything_is_there_although_the_receiver_is_off() -> None:
    async with SimulatedReceiver(speed=4) as receiver, gateway(receiver) as client:
        # By then it is known, too, which channels have logos.
        await guide_of(client, programmes=100)
        playlist = (await client.get("/playlist.m3u")).raise_for_status()
        logo = re.findall(r'tvg-logo="http://gateway:8088([^"]*)"', playlist.text)[0]
        image = (await client.get(logo)).raise_for_status()
        assert image.content.startswith(b"\x89PNG")
    # Nobody listens where the receiver was.
    async with gateway(receiver) as client:
        again = await client.get("/playlist.m3u")
        assert (again.text, again.headers["etag"]) == (playlist.text, playlist.headers["etag"])
        unchanged = await client.get(
            "/playlist.m3u", headers={"If-None-Match": again.headers["etag"]}
        )
        assert unchanged.status_code == 304
        kept = await guide_of(client, programmes=100)
        assert (await client.get(logo)).content == image.content
        stream = re.findall(r"^http://gateway:8088(/stream/.*)$", again.text, re.MULTILINE)[0]
        assert (await client.get(stream)).status_code == 502
    tv = ET.fromstring(kept.content)
    listed = re.findall(r'tvg-id="([^"]*)"', playlist.text)
    assert [channel.get("id") for channel in tv.findall("channel")] == listed
    assert {programme.get("channel") for programme in tv.findall("programme")} <= set(listed)


async def test_a_full_disk_takes_no_television_away_and_is_written_when_it_has_room(
    tmp_path: Path,
) -> None:
    async with SimulatedReceiver(channels=40, bouquets=2) as receiver:
        daemon = DaemonProcess(
            *(*COMMAND, "serve", "--port", "0", "--data-dir", tmp_path),
            *("--receiver", receiver.base_url, "--stream-port", str(receiver.stream_port)),
            # No file of it grows beyond this: enough for channels, and not for a guide.
            before_start=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, -1)),
        )
        async with (
            daemon,
            httpx.AsyncClient(
                base_url=await daemon.address(), trust_env=False, timeout=30
            ) as client,
        ):

            async def guide(outcome: str) -> str:
                while True:
                    status = (await client.get("/api/v1/status")).json()
                    (told,) = [each for each in status["refreshes"] if each["name"] == "guide"]
                    if told[outcome]:
                        return str(told["trouble"])
                    await asyncio.sleep(0.1)

            async with asyncio.timeout(60):
                assert "data directory" in await guide("failed")
                assert (await client.get("/readyz")).status_code == 200
                assert len(numbers_in((await client.get("/playlist.m3u")).text)) > 40
                resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (-1, -1))
                await guide("succeeded")
                assert (await client.get("/xmltv.xml")).text.count("<programme ") > 1000
        assert daemon.exit_code == 0


async def test_a_guide_that_is_switched_off_is_gone() -> None:
    async with SimulatedReceiver() as receiver:
        async with gateway(receiver) as client:
            await guide_of(client, programmes=100)
        async with gateway(receiver, guide=False) as client:
            guide = (await client.get("/xmltv.xml")).raise_for_status()
            assert guide.text.count("<channel ") > 10
            assert "<programme " not in guide.text
            assert (await client.get("/api/v1/status")).json()["programmes"] == 0
        async with gateway(receiver) as client:
            await guide_of(client, programmes=100)


def numbers_in(playlist: str) -> dict[str, int]:
    found = re.findall(r'tvg-id="([^"]*)".*tvg-chno="([^"]*)"', playlist)
    return {channel_id: int(number) for channel_id, number in found}


async def test_the_first_start_asks_for_all_bouquets_at_once_and_for_logos_when_it_serves() -> None:
    async with SimulatedReceiver(channels=60, bouquets=10) as receiver, gateway(receiver) as client:
        first = await client.get("/playlist.m3u")
        asked = [request for request in receiver.gate.requests if "sRef" not in request]
        assert [request.split("?")[0] for request in asked[:2]] == ["/api/getallservices"] * 2
        # What is left are the bouquet within a bouquet and the alternatives.
        before = [r for r in receiver.gate.requests if "picon=1" in r and "many" not in r]
        assert len(before) <= 4
        await guide_of(client, programmes=100)
        assert sum("picon=1" in request for request in receiver.gate.requests) > 10
        later = await client.get("/playlist.m3u")
    assert numbers_in(first.text) == numbers_in(later.text)
    # By then it is known which channels have no logo at the receiver.
    assert first.text.count("tvg-logo") > later.text.count("tvg-logo") > 50


async def test_numbers_are_those_of_the_receiver_which_hides_some() -> None:
    async with SimulatedReceiver() as receiver, gateway(receiver) as client:
        found = numbers_in((await client.get("/playlist.m3u")).text)
        favourites = receiver.box.lineup.tv[0]
        query = {"sRef": favourites.reference}
        listed = (await client.get(f"{receiver.base_url}/api/getservices", params=query)).json()
    positions = {
        "_".join(entry["servicereference"].split(":")[:10]): entry["pos"]
        for entry in reversed(listed["services"])
        if entry["pos"] and ":7:" not in entry["servicereference"]
    }
    assert len(positions) == 6
    assert positions.items() <= found.items()
    assert set(range(1, 9)) - set(positions.values()) == {4, 6}


async def test_a_daemon_that_is_killed_again_and_again_keeps_every_number(tmp_path: Path) -> None:
    known: dict[str, int] = {}
    async with SimulatedReceiver(channels=40, bouquets=2) as receiver:
        command = ("serve", "--receiver", receiver.base_url, "--port", "0")
        for _ in range(KILLS):
            async with DaemonProcess(*COMMAND, *command, "--data-dir", tmp_path) as daemon:
                address = await daemon.address()
                async with httpx.AsyncClient(trust_env=False) as client:
                    answer = await client.get(f"{address}/playlist.m3u")
                # Somewhere while lineup, guide and picons are read and written.
                await asyncio.sleep(random.uniform(0, 1))
                await daemon.end(signal.SIGKILL)
            numbers = numbers_in(answer.raise_for_status().text)
            assert numbers.items() >= known.items()
            known = numbers
            # The next time another channel stands in front of all.
            entries = receiver.box.lineup.tv[0].entries
            entries.insert(0, entries.pop())  # type: ignore[attr-defined]
    assert len(known) > 40
    assert not (tmp_path / DAMAGED).exists()

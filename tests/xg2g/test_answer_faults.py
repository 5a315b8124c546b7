"""Lineup and guide of a receiver whose web interface sends faulty answers."""

import asyncio
import re
import time
import xml.etree.ElementTree as ET
from calendar import timegm
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.harness.daemon import client_of, settings_for
from xg2g.config.settings import (
    DataSettings,
    GuideSettings,
)
from xg2g.simulator import SimulatedReceiver
from xg2g.simulator.lineup import Entry
from xg2g.simulator.openwebif import answer_faults
from xg2g.simulator.openwebif.answer_faults import AnswerFault
from xg2g.simulator.options import Generation

pytestmark = pytest.mark.anyio

BOUQUET, ALL, GUIDE = "/api/getservices", "/api/getallservices", "/api/epgmulti"
NOW_S = time.time()
UMLAUT = Entry("1:0:19:1234:1:1:C00000:0:0:0:", "K\u00f6ln \x1aHD")


Known = tuple[list[tuple[str, ...]], set[tuple[str, ...]]]


@asynccontextmanager
async def daemon(receiver: SimulatedReceiver, data: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(receiver, guide=GuideSettings(days=2), data=DataSettings(dir=data))
    async with client_of(settings, keep_data=True) as client:
        yield client


async def read(client: httpx.AsyncClient, times: int = 1) -> None:
    """Wait until the guide was read so often, the lineup before it."""
    async with asyncio.timeout(60):
        while True:
            status = (await client.get("/api/v1/status")).json()
            (guide,) = [each for each in status["refreshes"] if each["name"] == "guide"]
            if guide["succeeded"] >= times:
                return
            await asyncio.sleep(0.05)


async def known(client: httpx.AsyncClient) -> Known:
    """Number and name of every channel; number, start and title of what is to come."""
    playlist = (await client.get("/playlist.m3u")).raise_for_status().text
    channels = re.findall(r'tvg-id="([^"]*)".*tvg-chno="([^"]*)".*tvg-name="([^"]*)"', playlist)
    number_of = {channel_id: number for channel_id, number, _ in channels}
    return [(number, name) for _, number, name in channels], {
        (number_of[it.get("channel", "")], it.get("start", ""), it.findtext("title", ""))
        for it in await programmes(client)
        if 3600 < seconds(it.get("start", "")) - NOW_S < 40 * 3600
    }


async def programmes(client: httpx.AsyncClient) -> list[ET.Element]:
    guide = (await client.get("/xmltv.xml")).raise_for_status()
    return ET.fromstring(guide.content).findall("programme")


def seconds(written: str) -> int:
    return timegm(time.strptime(written, "%Y%m%d%H%M%S +0000"))


@pytest.mark.parametrize(
    ("paths", "happens"),
    [
        ([BOUQUET, ALL], answer_faults.latin_1),
        ([BOUQUET, ALL, GUIDE], answer_faults.raw_control_characters),
        ([BOUQUET, ALL, GUIDE, "/api/about", "/api/statusinfo"], answer_faults.strings_and_nulls),
        ([ALL], answer_faults.cut_short),
        ([ALL], answer_faults.processing_failed_page),
        ([ALL], answer_faults.result_false),
        ([GUIDE], answer_faults.cut_short),
        ([GUIDE], answer_faults.processing_failed_page),
        ([GUIDE], answer_faults.result_false),
    ],
    ids=lambda value: value.__name__ if callable(value) else "+".join(value),
)
async def test_lineup_and_guide_are_the_same_as_without(
    paths: list[str], happens: AnswerFault, tmp_path: Path
) -> None:
    channels, guide = await without_faults(tmp_path / "without")
    assert "K\u00f6ln HD" in [name for _, name in channels]
    assert len(guide) > 100
    assert await found(dict.fromkeys(paths, happens), tmp_path / "with") == (channels, guide)


async def test_both_generations_of_the_web_interface_give_the_same(tmp_path: Path) -> None:
    assert await found({}, tmp_path / "old", Generation.E) == await without_faults(tmp_path / "new")


async def found(
    happens: dict[str, AnswerFault], data: Path, generation: Generation = Generation.O
) -> Known:
    async with SimulatedReceiver(generation=generation) as receiver:
        receiver.box.lineup.tv[0].entries.append(UMLAUT)  # type: ignore[attr-defined]
        receiver.gate.answer_faults = happens
        async with daemon(receiver, data) as client:
            await read(client)
            return await known(client)


_without_faults: list[Known] = []


async def without_faults(data: Path) -> Known:
    if not _without_faults:
        _without_faults.append(await found({}, data))
    return _without_faults[0]


async def test_a_tangled_guide_becomes_a_line_without_overlaps(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        receiver.gate.answer_faults = {GUIDE: answer_faults.tangled_guide}
        async with daemon(receiver, tmp_path) as client:
            await read(client)
            listed = await programmes(client)
    lines: dict[str, list[ET.Element]] = {}
    for programme in listed:
        lines.setdefault(programme.get("channel", ""), []).append(programme)
    assert len(listed) > 100
    for line in lines.values():
        for one, following in pairwise(line):
            begin, end = one.get("start", ""), one.get("stop", "")
            assert begin < end <= following.get("start", "")


@pytest.mark.parametrize(
    "happens",
    [answer_faults.processing_failed_page, answer_faults.cut_short, answer_faults.result_false],
)
async def test_lists_that_fail_later_take_nothing_away(
    happens: AnswerFault, tmp_path: Path
) -> None:
    async with SimulatedReceiver(channels=20) as receiver, daemon(receiver, tmp_path) as client:
        await read(client)
        before = await known(client)
        receiver.gate.answer_faults = {BOUQUET: happens, GUIDE: happens, "/api/epgservice": happens}
        assert (await client.post("/api/v1/refresh")).status_code == 202
        await until_asked(receiver, lambda request: request.startswith("/api/epgservice"))
        assert await known(client) == before


async def until_asked(receiver: SimulatedReceiver, wanted: Callable[[str], bool]) -> None:
    async with asyncio.timeout(30):
        while not any(map(wanted, receiver.gate.requests)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_channel_that_is_renamed_and_moved_is_the_same_channel(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver, daemon(receiver, tmp_path) as client:
        await read(client)
        before = (await client.get("/playlist.m3u")).text
        first, second = receiver.box.lineup.tv[:2]
        moved = next(entry for entry in first.entries if entry.name == "Card Five HD (scrambled)")
        first.entries.remove(moved)  # type: ignore[attr-defined]
        second.entries.insert(0, Entry(moved.reference, "Another name"))  # type: ignore[attr-defined]
        assert (await client.post("/api/v1/refresh")).status_code == 202
        await read(client, times=2)
        after = (await client.get("/playlist.m3u")).text
    assert urls_and_numbers(after) == urls_and_numbers(before)
    (line,) = [line for line in after.splitlines() if "Another name" in line]
    assert 'group-title="Faults"' in line


def urls_and_numbers(playlist: str) -> list[tuple[str, str]]:
    return re.findall(r'tvg-chno="(\d+)".*\n(?:#.*\n)*(http.*)', playlist)


async def test_a_bouquet_that_is_renamed_while_it_is_read_keeps_its_channels(
    tmp_path: Path,
) -> None:
    async with SimulatedReceiver(channels=20) as receiver:
        async with daemon(receiver, tmp_path) as client:
            await read(client)
            before, _ = await known(client)
            bouquets = receiver.box.lineup.tv
            asked = len(receiver.gate.requests)
            assert (await client.post("/api/v1/refresh")).status_code == 202
            await until_asked(receiver, lambda request: len(receiver.gate.requests) > asked + 3)
            object.__setattr__(bouquets[-1], "name", "Another name")
            await read(client, times=2)
            assert (await known(client))[0] == before
        async with daemon(receiver, tmp_path) as client:
            await read(client)
            assert (await known(client))[0] == before
            assert 'group-title="Another name"' in (await client.get("/playlist.m3u")).text


async def test_a_receiver_that_dies_in_the_middle_of_a_reading_leaves_all_as_it_was(
    tmp_path: Path,
) -> None:
    async with (
        SimulatedReceiver(channels=40, bouquets=8) as receiver,
        daemon(receiver, tmp_path) as client,
    ):
        await read(client)
        before = await known(client)
        asked = len(receiver.gate.requests)
        assert (await client.post("/api/v1/refresh")).status_code == 202
        await until_asked(receiver, lambda request: len(receiver.gate.requests) > asked + 6)
        await receiver.power_off()
        assert await known(client) == before
        await receiver.power_on()
        await read(client, times=2)
        assert await known(client) == before

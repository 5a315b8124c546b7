"""Viewers and what they share, as API, metrics, overview and `xg2g status` tell it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from tests.harness.command import xg2g
from tests.harness.daemon import client_of, settings_for
from xg2g.simulator import SimulatedReceiver
from xg2g.streaming import upstream
from xg2g.streaming.ring import Ring

pytestmark = pytest.mark.anyio

ONE = "1_0_19_65_1_1_C00000_0_0_0"
WITHIN_S = 20


class Player:
    """Plays a stream as it comes, unless it pauses."""

    def __init__(self, answer: httpx.Response) -> None:
        self.received = 0
        self.begun = asyncio.Event()
        self.plays = asyncio.Event()
        self.plays.set()
        self.playing = asyncio.create_task(self._play(answer))

    async def _play(self, answer: httpx.Response) -> None:
        async for piece in answer.aiter_raw():
            self.received += len(piece)
            self.begun.set()
            await self.plays.wait()

    async def receives_more(self) -> None:
        before = self.received
        async with asyncio.timeout(WITHIN_S):
            while self.received == before:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        self.playing.cancel()
        await asyncio.wait({self.playing})


class Household:
    """A daemon over a simulated receiver, and those who watch."""

    def __init__(self, client: httpx.AsyncClient, viewers: AsyncExitStack) -> None:
        self.client = client
        self._viewers = viewers
        self.ids: dict[str, str] = {}
        """Name -> id of each channel."""

    @property
    def address(self) -> str:
        return str(self.client.base_url)

    async def get(self, path: str) -> Any:
        return (await self.client.get(f"/api/v1/{path}")).raise_for_status().json()

    async def page(self) -> str:
        return (await self.client.get("/addresses")).text

    async def metrics(self) -> dict[str, float]:
        text = (await self.client.get("/metrics")).text
        return {
            series: float(value)
            for series, value in (line.rsplit(" ", 1) for line in text.splitlines())
            if series.startswith("xg2g_")
        }

    async def watch(self, channel: str) -> Player:
        """Begin to watch a channel, by its name or service reference, for as long as the household
        lasts."""
        url = f"/{channel}" if ":" in channel else f"/stream/{self.ids[channel]}.ts"
        answer = await self._viewers.enter_async_context(self.client.stream("GET", url))
        assert answer.status_code == 200
        player = Player(answer)
        self._viewers.push_async_callback(player.stop)
        await player.begun.wait()
        return player

    async def until(self, holds: Callable[[Any], bool]) -> Any:
        """Return what the API says of the streams once this holds for it."""
        async with asyncio.timeout(WITHIN_S):
            while not holds(told := await self.get("streams")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return told


@asynccontextmanager
async def household(
    *, linger_s: float = 60, speed: float = 1, tuners: int = 8
) -> AsyncIterator[Household]:
    async with (
        SimulatedReceiver(speed=speed, tuners=tuners) as receiver,
        client_of(settings_for(receiver, linger_s), timeout_s=WITHIN_S) as client,
        AsyncExitStack() as viewers,
    ):
        home = Household(client, viewers)
        channels = (await home.get("channels"))["channels"]
        home.ids = {each["name"]: each["id"] for each in channels}
        yield home


async def test_viewers_of_a_channel_share_an_upstream_and_its_tuner() -> None:
    async with household() as home:
        for channel in ("Card One HD", "Card One HD", "Card Three & Friends"):
            await home.watch(channel)
        told = await home.get("streams")
        status = await home.get("status")
        metrics = await home.metrics()
    first, second, third = told["streams"]
    one, three = told["upstreams"]
    assert [each["channel_name"] for each in (one, three)] == [
        "Card One HD",
        "Card Three & Friends",
    ]
    assert first["upstream"] == second["upstream"] == one["id"] != third["upstream"] == three["id"]
    assert [one["viewers"], three["viewers"]] == [2, 1]
    assert {one["state"], three["state"]} == {"running"}
    assert (one["channel"], one["transponder"]) == (ONE, "C00000:1:1")
    assert one["ring_bytes"] > 0
    assert one["remuxer"]["bytes_in"] > 0
    assert one["remuxer"]["tracks"]
    assert all(0 <= each["behind_s"] < 5 and each["skips"] == 0 for each in told["streams"])
    assert (status["streams"], status["upstreams"]) == (3, 2)
    needed = {each["transponder"] for each in told["upstreams"]}
    assert status["tuners"]["in_use"] == len(needed)
    assert metrics["xg2g_streams_active"] == 3
    assert metrics['xg2g_upstreams{state="running"}'] == 2
    assert metrics['xg2g_upstreams{state="lingering"}'] == 0
    assert metrics["xg2g_tuners_in_use"] == len(needed)
    assert metrics["xg2g_remuxers_open"] == 2
    assert metrics["xg2g_ring_bytes"] > 0
    assert metrics["xg2g_viewers_late"] == 0
    assert 0 <= metrics["xg2g_viewer_longest_lag_seconds"] < 5


async def test_ending_one_viewers_stream_leaves_the_others_alone() -> None:
    async with household() as home:
        ended, goes_on = await home.watch("Card One HD"), await home.watch("Card One HD")
        first, second = (await home.get("streams"))["streams"]
        answer = await home.client.delete(f"/api/v1/streams/{first['id']}")
        assert answer.status_code == 204
        await asyncio.wait_for(ended.playing, WITHIN_S)
        await goes_on.receives_more()
        told = await home.get("streams")
    assert [each["id"] for each in told["streams"]] == [second["id"]]
    assert [(each["id"], each["viewers"]) for each in told["upstreams"]] == [
        (second["upstream"], 1)
    ]


@pytest.mark.parametrize("channel", ["Card One HD", "Web Two"])
async def test_an_upstream_without_viewers_is_shown_as_lingering(channel: str) -> None:
    async with household() as home:
        await home.watch(channel)
        (viewer,) = (await home.get("streams"))["streams"]
        await home.client.delete(f"/api/v1/streams/{viewer['id']}")
        told = await home.until(lambda it: not it["streams"])
        status, metrics, page = await home.get("status"), await home.metrics(), await home.page()
        shown = await asyncio.to_thread(xg2g, "status", "--url", home.address)
    (shared,) = told["upstreams"]
    assert (shared["state"], shared["viewers"]) == ("lingering", 0)
    assert (shared["channel"], shared["channel_name"]) == (home.ids[channel], channel)
    assert (status["streams"], status["upstreams"], status["tuners"]["lingering"]) == (0, 1, 1)
    assert metrics['xg2g_upstreams{state="lingering"}'] == metrics["xg2g_streams_lingering"] == 1
    assert metrics["xg2g_streams_active"] == 0
    assert re.search(rf"<b>{channel}</b></span>\s*<ul[^>]*><li>nobody; ", page)
    assert "Nobody is watching" not in page
    assert re.search(
        r"^streams +1 from the receiver for 0 viewers, .*; 1 kept open", shown.stdout, re.MULTILINE
    ), shown.stdout
    assert re.search(r"^watching +nobody$", shown.stdout, re.MULTILINE)


async def test_the_overview_shows_each_channel_once_with_all_who_watch_it() -> None:
    async with household() as home:
        for channel in ("Card One HD", "Card Two HD", "Card One HD"):
            await home.watch(channel)
        page = await home.page()
    rows = re.findall(r"<b>(Card [^<]*)</b>.*?<ul[^>]*>(.*?)</ul>", page, re.DOTALL)
    assert [(name, said.count("<li>127.0.0.1, 0 min</li>")) for name, said in rows] == [
        ("Card One HD", 2),
        ("Card Two HD", 1),
    ]
    assert "<b>3</b><small>Viewers</small>" in page


async def test_status_tells_with_how_many_others_a_viewer_shares() -> None:
    async with household() as home:
        for channel in ("Card One HD", "Card One HD", "Card Two HD"):
            await home.watch(channel)
        shown = (await asyncio.to_thread(xg2g, "status", "--url", home.address)).stdout
    assert re.search(r"^streams +2 from the receiver for 3 viewers, \d+ MB in memory$", shown, re.M)
    watching = re.findall(r"^watching +127\.0\.0\.1: (Card \w+ HD), (.*)$", shown, re.MULTILINE)
    shared = [(name, "shared with 1 other" in said) for name, said in watching]
    assert shared == [("Card One HD", True), ("Card One HD", True), ("Card Two HD", False)]


async def test_a_lost_stream_of_the_receiver_that_comes_back_is_counted() -> None:
    async with household(speed=20) as home:
        await home.watch("Reset after 20 s")
        told = await home.until(lambda it: any(e["reconnections"] for e in it["upstreams"]))
        metrics = await home.metrics()
    (shared,) = told["upstreams"]
    assert metrics["xg2g_upstream_reconnections_total"] >= shared["reconnections"] > 0


async def test_how_far_behind_a_viewer_is_and_what_they_skipped_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upstream, "Ring", partial(Ring, kept_s=2, point_s=2))
    async with household(speed=40) as home:
        paused, _ = await home.watch("Card One HD"), await home.watch("Card One HD")
        paused.plays.clear()
        await home.until(lambda it: it["streams"][0]["behind_s"] > 1.5)
        metrics, page = await home.metrics(), await home.page()
        assert metrics["xg2g_viewers_late"] >= 1
        assert metrics["xg2g_viewer_longest_lag_seconds"] > 1
        first, _ = re.findall(r"<li>127.0.0.1, 0 min(.*?)</li>", page)
        assert re.fullmatch(r", \d+ s behind", first)
        behind = await asyncio.to_thread(xg2g, "status", "--url", home.address)
        assert re.search(r"^watching .*, \d+ s behind$", behind.stdout, re.MULTILINE)

        # What comes next for the paused player is no longer kept.
        await home.until(lambda it: _apart_bytes(it) > 2 * it["upstreams"][0]["ring_bytes"])
        paused.plays.set()
        told = await home.until(lambda it: it["streams"][0]["skips"] > 0)
        shown = await asyncio.to_thread(xg2g, "status", "--url", home.address)
        metrics, page = await home.metrics(), await home.page()
        await paused.receives_more()
    skipped, other = told["streams"]
    assert skipped["skipped_bytes"] > 0
    assert (other["skips"], other["skipped_bytes"]) == (0, 0)
    assert metrics["xg2g_viewer_skips_total"] >= skipped["skips"]
    assert metrics["xg2g_viewer_skipped_bytes_total"] >= skipped["skipped_bytes"]
    assert len(re.findall(r", skipped (?:once|\d+ times) \(\d+ MB\)</li>", page)) == 1
    assert len(re.findall(r", skipped \d+ times? \(\d+ MB\)$", shown.stdout, re.MULTILINE)) == 1


def _apart_bytes(told: Any) -> int:
    paused, other = told["streams"]
    return int(other["bytes_out"] - paused["bytes_out"])


async def test_who_waits_for_a_channel_to_open_is_shown() -> None:
    async with household() as home:
        url = f"/stream/{home.ids['No PAT (silent socket)']}.ts"
        waiting = asyncio.create_task(home.client.get(url))
        told = await home.until(lambda it: bool(it["streams"]))
        page = await home.page()
        waiting.cancel()
        await asyncio.wait({waiting})
    (stream,), (shared,) = told["streams"], told["upstreams"]
    assert (stream["upstream"], stream["behind_s"]) == (None, None)
    assert (shared["state"], shared["viewers"], shared["remuxer"]) == ("opening", 1, None)
    assert page.count("<b>No PAT (silent socket)</b>") == 1
    assert "<li>127.0.0.1, 0 min</li>" in page


async def test_a_service_reference_shares_the_upstream_of_its_channel() -> None:
    async with household() as home:
        await home.watch("Card One HD")
        await home.watch("1:0:19:65:1:1:C00000:0:0:0:")
        await home.watch("1:0:19:65:1:1:C00000:0:0:0::Card%20One%20HD")
        told = await home.get("streams")
    (shared,) = told["upstreams"]
    assert (shared["viewers"], shared["channel"]) == (3, ONE)
    assert {each["upstream"] for each in told["streams"]} == {shared["id"]}

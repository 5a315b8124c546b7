"""What becomes of an output of HTTP Live Streaming in a running daemon."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.harness.configured_daemon import ROOT, config, serving_file
from tests.xg2g.outputs.hls.house import WITHIN_S, Player, house
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

ONE, THREE = "Card One HD", "Card Three & Friends"


async def test_a_stream_that_the_api_ends_is_over_for_every_player() -> None:
    async with house() as home:
        player = await home.play(ONE)
        waiting = asyncio.create_task(player.reload(msn=player.hint[1] + 1))
        await asyncio.sleep(0.1)
        (viewer,) = (await home.api("streams"))["streams"]
        answer = await home.client.delete(f"/api/v1/streams/{viewer['id']}")
        assert answer.status_code == 204
        assert (await waiting).endswith("#EXT-X-ENDLIST\n")
        await home.until(lambda it: not it["streams"] and not it["upstreams"])
        assert (await player.file(player.parts[-1])).status_code == 200
        again = await home.play(ONE)
    assert again.media_url != player.media_url


async def test_the_end_of_the_daemon_answers_requests_that_wait() -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
        async with house() as home:
            player = await home.play(ONE)
            url = f"{player.media_url}?_HLS_msn={player.hint[1] + 1}"
            waiting = asyncio.create_task(client.get(url))
            await asyncio.sleep(0.1)
        assert (await waiting).text.endswith("#EXT-X-ENDLIST\n")


async def test_a_channel_that_lingers_makes_way_for_one_by_hls() -> None:
    async with house(tuners=1, linger_s=60) as home:
        async with home.client.stream("GET", f"/stream/{home.ids[ONE]}.ts") as stream:
            await anext(stream.aiter_raw())
        await home.until(lambda it: not it["streams"])
        await home.play(THREE)
        told = await home.api("streams")
    assert [each["channel_name"] for each in told["upstreams"]] == [THREE]


async def test_players_of_both_kinds_share_the_tuner_and_a_channel_that_runs_is_there_at_once() -> (
    None
):
    async with (
        house(tuners=1, speed=4) as home,
        home.client.stream("GET", f"/stream/{home.ids[ONE]}.ts") as stream,
    ):
        pieces, received = stream.aiter_raw(), 0
        while received < 4_000_000:
            received += len(await anext(pieces))
        player = await home.play(ONE)
        told = await home.api("streams")
    assert len(player.segments) > 1
    assert len(told["upstreams"]) == 1
    assert {each["format"] for each in told["streams"]} == {"mpegts", "hls"}


async def test_new_settings_are_for_new_players_and_the_others_play_on(
    tmp_path: Path,
) -> None:
    async with (
        SimulatedReceiver(api_credentials=ROOT, stream_credentials=ROOT) as receiver,
        serving_file(tmp_path, config(receiver, channels=2)) as daemon,
        httpx.AsyncClient(trust_env=False, base_url=daemon.url, timeout=WITHIN_S) as client,
    ):
        await daemon.entry(lambda entry: entry["event"] == "lineup read")
        playlist = (await client.get("/playlist.m3u?format=hls")).text
        path = re.findall(r"/hls/\S+", playlist)[0]
        answer = await client.get(path)
        player = Player(client, str(answer.url), answer.text)
        await player.reload()
        await daemon.hang_up(config(receiver, channels=1))
        assert await daemon.reloaded() == ["audio.channels"]
        for _ in range(6):
            uri, segment, part = player.hint
            await player.reload(msn=segment, part=part)
            assert uri in player.parts
        assert 'CHANNELS="2"' not in (await client.get(path)).text
        uri, segment, part = player.hint
        await player.reload(msn=segment, part=part)
        assert uri in player.parts

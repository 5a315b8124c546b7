"""HTTP Live Streaming as players get it from a running daemon."""

import asyncio
import subprocess

import pytest

from tests.xg2g.outputs.hls.house import WITHIN_S, house
from xg2g.config.settings import HlsSettings

pytestmark = pytest.mark.anyio

ONE, THREE, RADIO = "Card One HD", "Card Three & Friends", "Radio Four"


async def test_a_channel_plays_in_ffmpeg() -> None:
    async with house() as home:
        url = f"{home.client.base_url}{home.path(ONE)}"
        seen = await asyncio.to_thread(
            subprocess.run,
            ["ffmpeg", "-v", "error", "-i", url, "-t", "4", "-map", "0:v", "-map", "0:a:0"]
            + ["-f", "framecrc", "-"],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert seen.returncode == 0, seen.stderr
    frames = [line for line in seen.stdout.splitlines() if not line.startswith("#")]
    assert sum(line.startswith("0,") for line in frames) >= 190
    assert sum(line.startswith("1,") for line in frames) >= 150


async def test_simultaneous_players_share_one_output_and_one_tuner() -> None:
    async with house() as home:
        answers = await asyncio.gather(*(home.client.get(home.path(ONE)) for _ in range(50)))
        told = await home.api("streams")
    assert {it.status_code for it in answers} == {200}
    assert len({it.text for it in answers}) == 1
    (viewer,) = told["streams"]
    assert viewer["channel_name"] == ONE
    (shared,) = told["upstreams"]
    assert shared["viewers"] == 1


async def test_a_reload_that_asks_for_the_next_part_is_answered_when_it_is_there() -> None:
    async with house() as home:
        player = await home.play(ONE)
        for _ in range(8):
            uri, segment, part = player.hint
            assert uri not in player.parts
            await player.reload(msn=segment, part=part)
            assert uri in player.parts


async def test_a_part_can_be_asked_for_before_it_is_there() -> None:
    async with house() as home:
        player = await home.play(ONE)
        for _ in range(8):
            uri, segment, part = player.hint
            answer = await player.file(uri)
            assert answer.status_code == 200
            assert b"moof" in answer.content[:16]
            await player.reload()


async def test_a_player_that_sends_no_more_requests_frees_the_tuner() -> None:
    async with house() as home:
        await home.play(ONE)
        assert len((await home.api("streams"))["streams"]) == 1
        told = await home.until(lambda it: not it["streams"] and not it["upstreams"])
        status = await home.api("status")
    assert told["upstreams"] == []
    assert status["tuners"]["in_use"] == 0


async def test_a_part_is_a_piece_of_its_segment_and_never_changes() -> None:
    async with house(speed=4) as home:
        player = await home.play(ONE)
        async with asyncio.timeout(WITHIN_S):
            while not player.segments:
                await player.reload(msn=player.hint[1])
        segment = player.segments[-1]
        whole = await player.file(segment)
        names = [it for it in player.parts if it.startswith(segment.removesuffix("m4s"))]
        pieces = [await player.file(each) for each in names]
        header = await player.file(player.headers[0])
    assert b"".join(each.content for each in pieces) == whole.content
    for each in (whole, header, *pieces):
        assert each.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert each.headers["content-type"] == "video/mp4"
        assert each.headers["content-length"] == str(len(each.content))


async def test_with_one_tuner_a_player_changes_from_channel_to_channel() -> None:
    async with house(tuners=1) as home:
        for channel in (ONE, THREE, ONE):
            player = await home.play(channel)
            waiting = asyncio.create_task(player.reload(msn=player.hint[1] + 1))
            await asyncio.sleep(0.3)
            waiting.cancel()
            await asyncio.wait({waiting})
            await home.client.post(home.path(channel).replace("index.m3u8", "leave"))
        told = await home.api("streams")
    assert [each["channel_name"] for each in told["streams"]] == [ONE]


async def test_a_player_that_is_watched_keeps_its_tuner() -> None:
    async with house(tuners=1) as home:
        player = await home.play(ONE)
        waiting = asyncio.create_task(player.reload(msn=player.hint[1] + 1))
        await asyncio.sleep(0.2)
        refused = await home.client.get(home.path(THREE))
        await waiting
    assert refused.status_code == 503
    assert refused.headers["x-hdhomerun-error"] == "805 All Tuners In Use"


async def test_a_player_that_leaves_an_opening_channel_frees_the_tuner() -> None:
    async with house() as home:
        opening = asyncio.create_task(home.client.get(home.path("Late first byte (4 s)")))
        await home.until(lambda it: bool(it["streams"]))
        opening.cancel()
        await home.until(lambda it: not it["streams"] and not it["upstreams"])
        failures = await home.api("failures")
    assert failures["failures"] == []


async def test_api_metrics_and_pages_show_the_players() -> None:
    async with house() as home:
        player = await home.play(ONE)
        (channel,) = [
            each for each in (await home.api("channels"))["channels"] if each["name"] == ONE
        ]
        await home.client.get(channel["hls_url"], headers={"User-Agent": "another"})
        waiting = asyncio.create_task(player.reload(msn=player.hint[1] + 1))
        await asyncio.sleep(0.1)
        (viewer,) = (await home.api("streams"))["streams"]
        before = await home.metrics()
        page = (await home.client.get("/addresses")).text
        await waiting
        await player.file(player.headers[0])
        await player.file(player.segments[0])
        await player.file(player.parts[0])
        await player.file("video/99999.m4s")
        after = await home.metrics()
    assert channel["hls_url"].endswith(home.path(ONE))
    assert (viewer["format"], viewer["players"], viewer["address"]) == ("hls", 2, "127.0.0.1")
    assert viewer["bytes_out"] > 0
    assert (before["xg2g_hls_outputs"], before["xg2g_hls_players"]) == (1, 2)
    assert (before["xg2g_hls_waiting_requests"], before["xg2g_streams_active"]) == (1, 1)
    assert before["xg2g_hls_held_bytes"] > 0
    assert "HLS, 2 players" in page
    assert after["xg2g_hls_blocked_seconds_count"] >= 1
    assert after['xg2g_hls_parts_total{kind="video"}'] > 0
    assert after['xg2g_hls_parts_total{kind="sound"}'] > 0
    answers = {
        tuple(name.split('"')[1::2]): count
        for name, count in after.items()
        if name.startswith("xg2g_hls_requests_total")
    }
    assert answers == {
        ("index", "200"): 2,
        ("playlist", "200"): 2,
        ("header", "200"): 1,
        ("segment", "200"): 1,
        ("part", "200"): 1,
        ("segment", "404"): 1,
    }


async def test_a_playlist_of_channels_by_hls_is_played() -> None:
    async with house() as home:
        for playlist in ("/playlist.m3u?format=hls", "/bouquets/Favourites (TV).m3u?format=hls"):
            text = (await home.client.get(playlist)).raise_for_status().text
            urls = [line for line in text.splitlines() if not line.startswith("#")]
            assert f"{home.client.base_url}{home.path(ONE)}" in urls
            assert all(url.endswith("/index.m3u8") for url in urls)
        plain = (await home.client.get("/playlist.m3u?format=ts")).text
        assert plain == (await home.client.get("/playlist.m3u")).text
        answer = await home.client.get(urls[0])
        other = await home.client.get("/playlist.m3u?format=dash")
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert other.status_code == 400


async def test_where_hls_is_off_nothing_names_it() -> None:
    async with house(hls=HlsSettings(enabled=False)) as home:
        answer = await home.client.get(home.path(ONE))
        playlist = await home.client.get("/playlist.m3u?format=hls")
        channels = (await home.api("channels"))["channels"]
        streams = await home.api("streams")
    assert (answer.status_code, playlist.status_code) == (404, 404)
    assert {each["hls_url"] for each in channels} == {None}
    assert streams == {"streams": [], "upstreams": []}

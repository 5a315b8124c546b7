"""What requests for playlists and files of HTTP Live Streaming get from a running daemon."""

import asyncio
import gzip
import re

import httpx
import pytest

from tests.harness.scripted_daemon import BOUQUETS, daemon
from tests.harness.transcoder import transcoder
from tests.xg2g.outputs.hls.house import WITHIN_S, house
from tests.xg2g.web.test_playlists import DASH, HLS, PLAYS
from xg2g.config.secret import Secret
from xg2g.config.settings import HlsSettings, ServerSettings
from xg2g.lineup.arrangement import Bouquet

pytestmark = pytest.mark.anyio

ONE, THREE, RADIO = "Card One HD", "Card Three & Friends", "Radio Four"
JSON = {"Accept": "application/json"}


async def test_requests_that_make_no_sense_are_refused_and_nothing_is_lost() -> None:
    async with house() as home:
        player = await home.play(ONE)
        run = player.media_url.rsplit("/", 1)[0]
        channel = run.rsplit("/", 1)[0]
        number = player.hint[1]
        expected = {
            f"{run}/video.m3u8?_HLS_msn=seven": 400,
            f"{run}/video.m3u8?_HLS_msn=-1": 400,
            f"{run}/video.m3u8?_HLS_msn=1.5": 400,
            f"{run}/video.m3u8?_HLS_msn=": 400,
            f"{run}/video.m3u8?_HLS_msn=\N{ARABIC-INDIC DIGIT ZERO}": 400,
            f"{run}/video.m3u8?_HLS_msn={'9' * 5000}": 400,
            f"{run}/video.m3u8?_HLS_part=1": 400,
            f"{run}/video.m3u8?_HLS_msn={number}&_HLS_part=x": 400,
            f"{run}/video.m3u8?_HLS_msn={number}&_HLS_part=999": 400,
            f"{run}/video.m3u8?_HLS_skip=MAYBE": 400,
            f"{run}/video.m3u8?_HLS_msn={number + 9}": 400,
            f"{run}/sound-8191.m3u8": 404,
            f"{run}/video/99999.m4s": 404,
            f"{run}/video/{number}.99.m4s": 404,
            f"{run}/video/header-99999.mp4": 404,
            f"{run}/video/{number}.0.vtt": 404,
            f"{run}/audio/1.m4s": 404,
            f"{channel}/0badcafe/video.m3u8": 404,
            f"{channel}/0badcafe/video/1.m4s": 404,
            run.replace("1_0_19_65", "1_0_19_66") + "/video.m3u8": 404,
            "/hls/no_such_channel/index.m3u8": 404,
        }
        got = {url: await home.client.get(url) for url in expected}
        assert {url: each.status_code for url, each in got.items()} == expected
        assert {each.headers["cache-control"] for each in got.values()} == {"no-store"}
        escaping = await home.client.get(f"{run}/video/..%2f..%2fsecret")
        assert escaping.status_code == 404
        unknown = got["/hls/no_such_channel/index.m3u8"]
        assert unknown.headers["x-hdhomerun-error"] == "801 Unknown Channel"
        uri = player.hint[0]
        await player.reload(msn=player.hint[1], part=player.hint[2])
        assert uri in player.parts
        (viewer,) = (await home.api("streams"))["streams"]
        assert viewer["channel_name"] == ONE


async def test_head_and_pages_of_other_sites_open_nothing() -> None:
    async with house() as home:
        head = await home.client.head(home.path(ONE))
        foreign = [
            await home.client.get(home.path(ONE), headers=headers)
            for headers in (
                {"Origin": "https://evil.example"},
                {"Sec-Fetch-Dest": "image"},
                {"Referer": "https://evil.example/page"},
            )
        ]
        told = await home.api("streams")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert "content-length" not in head.headers
    assert {each.status_code for each in foreign} == {403}
    assert told == {"streams": [], "upstreams": []}


async def test_local_pages_and_cast_receivers_may_read_streams() -> None:
    async with house() as home:
        player = await home.play(ONE)
        await player.reload(msn=player.hint[1])
        urls = [home.path(ONE), player.media_url, player.segments[-1], player.headers[0]]
        for origin in ("http://192.168.1.7:8080", "https://www.gstatic.com"):
            for url in urls:
                answer = await home.client.get(
                    httpx.URL(player.media_url).join(url), headers={"Origin": origin}
                )
                assert answer.status_code == 200
                assert answer.headers["access-control-allow-origin"] == origin
        preflight = await home.client.options(
            player.media_url,
            headers={
                "Origin": "http://192.168.1.7:8080",
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "range",
            },
        )
        stranger = await home.client.get(
            player.media_url, headers={"Origin": "https://evil.example"}
        )
    assert preflight.status_code == 204
    assert "access-control-allow-origin" not in stranger.headers


async def test_playlists_are_compressed_on_request_and_revalidated() -> None:
    async with house() as home:
        player = await home.play(ONE)
        for url in (home.path(ONE), player.media_url):
            async with home.client.stream(
                "GET", url, headers={"Accept-Encoding": "gzip"}
            ) as answer:
                raw = b"".join([piece async for piece in answer.aiter_raw()])
            plain = await home.client.get(url, headers={"Accept-Encoding": "identity"})
            assert answer.headers["content-encoding"] == "gzip"
            assert int(answer.headers["content-length"]) == len(raw)
            assert gzip.decompress(raw).startswith(b"#EXTM3U\n")
            assert len(raw) < len(plain.content)
            assert "content-encoding" not in plain.headers
            for each in (answer, plain):
                assert "Accept-Encoding" in each.headers["vary"]
                assert each.headers["cache-control"] == "no-cache"
                assert "set-cookie" not in each.headers


async def test_head_requests_are_not_counted_as_sent_bytes() -> None:
    async with house() as home:
        player = await home.play(ONE)
        await home.client.get(player.media_url)
        (before,) = (await home.api("streams"))["streams"]
        url = httpx.URL(player.media_url).join(player.headers[0])
        await home.client.head(url)
        (asked,) = (await home.api("streams"))["streams"]
        got = await home.client.get(url)
        (sent,) = (await home.api("streams"))["streams"]
    assert asked["bytes_out"] == before["bytes_out"]
    assert sent["bytes_out"] == before["bytes_out"] + len(got.content)


async def test_files_have_a_length_and_a_tag_and_are_not_sent_twice() -> None:
    async with house() as home:
        player = await home.play(ONE)
        await player.reload(msn=player.hint[1])
        for uri in (player.headers[0], player.segments[-1], player.parts[0]):
            url = httpx.URL(player.media_url).join(uri)
            got, head = await home.client.get(url), await home.client.head(url)
            again = await home.client.get(url, headers={"If-None-Match": got.headers["etag"]})
            assert head.content == b""
            assert head.headers["content-length"] == str(len(got.content))
            assert head.headers["etag"] == got.headers["etag"]
            assert (again.status_code, again.content) == (304, b"")
            for each in (got, head, again):
                assert each.headers["cache-control"] == "public, max-age=31536000, immutable"
        sound = await home.client.get(player.renditions[0])
        uri = re.findall(r'#EXT-X-MAP:URI="([^"]*)"', sound.text)[0]
        header = await home.client.get(httpx.URL(player.renditions[0]).join(uri))
    assert header.headers["content-type"] == "audio/mp4"


async def test_files_that_left_the_window_are_410() -> None:
    async with house(speed=20, hls=HlsSettings(window_s=10)) as home:
        player = await home.play(ONE)
        await player.reload(msn=player.hint[1])
        first = player.segments[-1]
        assert (await player.file(first)).status_code == 200
        async with asyncio.timeout(2 * WITHIN_S):
            while (answer := await player.file(first)).status_code == 200:
                await player.reload(msn=player.hint[1])
    assert answer.status_code == 410
    assert answer.headers["cache-control"] == "no-store"


async def test_a_channel_of_mpeg2_video_is_refused_with_the_reason() -> None:
    async with house() as home:
        plain = await home.client.get(home.path("MPEG-2"))
        problem = await home.client.get(home.path("MPEG-2"), headers=JSON)
        page = await home.client.get(home.path("MPEG-2"), headers={"Accept": "text/html"})
        told = await home.until(lambda it: not it["upstreams"])
        (failure,) = (await home.api("failures"))["failures"]
        channels = (await home.api("channels"))["channels"]
    assert {each["name"] for each in channels if each["hls_refusal"]} == {"MPEG-2"}
    assert (plain.status_code, plain.text) == (406, f"{failure['reason']}\n")
    assert "x-hdhomerun-error" not in plain.headers
    assert problem.headers["content-type"] == "application/problem+json"
    said = problem.json()
    assert (said["status"], said["outcome"]) == (406, "not_offered")
    assert "MPEG-2" in said["detail"]
    assert "MPEG-2" in page.text
    assert (failure["outcome"], failure["status"]) == ("not_offered", 406)
    assert told["streams"] == []


async def test_a_refusal_for_want_of_a_tuner_names_its_users() -> None:
    async with house(tuners=1) as home:
        player = await home.play(ONE)
        waiting = asyncio.create_task(player.reload(msn=player.hint[1] + 1))
        await asyncio.sleep(0.1)
        answer = await home.client.get(home.path(THREE), headers=JSON)
        (viewer,) = (await home.api("streams"))["streams"]
        await waiting
    said = answer.json()
    assert (answer.status_code, said["code"], said["outcome"]) == (503, "805", "no_tuner")
    (user,) = said["users"]
    assert user.pop("since")
    assert user == {
        "stream_id": viewer["id"],
        "channel": home.ids[ONE],
        "channel_name": ONE,
        "address": "127.0.0.1",
        "is_own": True,
    }


async def test_with_a_token_players_play_and_refusals_name_no_users() -> None:
    server = ServerSettings(port=0, token=Secret("swordfish"), token_for_reading=True)
    async with house(tuners=1, server=server) as home:
        player = await home.play(ONE)
        waiting = asyncio.create_task(player.reload(msn=player.hint[1] + 1))
        await asyncio.sleep(0.1)
        answer = await home.client.get(home.path(THREE), headers=JSON)
        await waiting
    assert "swordfish" not in player.multivariant + player.playlist
    assert answer.status_code == 503
    assert answer.json()["users"] == []


async def test_radio_plays_as_sound_alone() -> None:
    async with house() as home:
        player = await home.play(RADIO)
        assert "RESOLUTION" not in player.multivariant
        assert "sound-" in player.media_url
        for _ in range(3):
            await player.reload(msn=player.hint[1], part=player.hint[2])
        answer = await player.file(player.parts[-1])
    assert answer.headers["content-type"] == "audio/mp4"


async def test_a_lost_stream_that_comes_back_is_a_discontinuity_of_the_same_run() -> None:
    async with house(speed=20) as home:
        player = await home.play("Reset after 20 s")
        async with asyncio.timeout(3 * WITHIN_S):
            while "#EXT-X-DISCONTINUITY\n" not in player.playlist:
                await player.reload(msn=player.hint[1])
        told = await home.api("streams")
        assert (await player.file(player.headers[-1])).status_code == 200
    assert told["upstreams"][0]["reconnections"] > 0
    assert len(player.headers) > 1


async def test_a_channel_that_comes_in_segments_is_fetched_at_its_source() -> None:
    bouquets = [*BOUQUETS, Bouquet("Web", (HLS, DASH))]
    async with daemon(PLAYS, bouquets=bouquets, hls=True) as gateway:
        lineup = gateway.gateway.lineup_keeper.lineup
        assert lineup is not None
        paths = [f"/hls/{each.id}/index.m3u8" for each in lineup.channels]
        hls, dash = [await gateway.get(path) for path in paths[1:]]
    assert (hls[0], hls[1]["location"]) == (302, "https://tv.example/u/secret/1.M3U8?a=b")
    assert dash[0] == 406
    assert gateway.upstream.connections == []


async def test_a_transcoder_service_makes_no_difference() -> None:
    with transcoder() as service:
        async with house(transcoder=str(service.address)) as home:
            player = await home.play(ONE)
            for _ in range(4):
                uri = player.hint[0]
                await player.reload(msn=player.hint[1], part=player.hint[2])
                assert uri in player.parts
            assert len(player.renditions) == 5


async def test_a_request_that_waits_is_freed_when_its_client_goes() -> None:
    async with house() as home:
        player = await home.play(ONE)
        for _ in range(5):
            waiting = asyncio.create_task(player.reload(msn=player.hint[1] + 1))
            await asyncio.sleep(0.05)
            waiting.cancel()
            await asyncio.wait({waiting})
        async with asyncio.timeout(1):
            while (await home.metrics())["xg2g_hls_waiting_requests"]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

"""The API without its guide, on real sockets."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.harness.scripted_daemon import REFERENCE, daemon, until
from tests.harness.stream_server import plays_endlessly
from tests.xg2g.web.api_client import BOUQUETS, FIRST, PLAYS, RADIO, change, fill, get, pages
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.metrics import Outcome
from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.service_reference import ServiceReference

pytestmark = pytest.mark.anyio


async def test_the_status_tells_numbers_and_the_results_of_refreshes() -> None:
    async with daemon(PLAYS, tuner_limit=4) as gateway:
        status = await get(gateway, "/api/v1/status")
        assert status == await get(gateway, "/api/status")
    assert (status["ready"], status["receiver"], status["channels"]) == (True, "ok", 1)
    assert status["tuners"] == {"in_use": 0, "limit": 4, "lingering": 0}
    (lineup,) = status["refreshes"]
    assert (lineup["name"], lineup["succeeded"], lineup["failed"]) == ("lineup", 1, 0)
    assert lineup["succeeded_at"].endswith("Z")


async def test_channels_are_listed_and_filtered_as_in_the_playlist() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        every = (await get(gateway, "/api/v1/channels"))["channels"]
        radio = (await get(gateway, "/api/v1/channels?radio=true"))["channels"]
        music = (await get(gateway, "/api/v1/channels?bouquet=music"))["channels"]
        await get(gateway, "/api/v1/channels?bouquet=none", status=404)
        wrong = await get(gateway, "/api/v1/channels?radio=perhaps", status=400)
        unknown = await get(gateway, "/api/v1/channels?bouqet=music", status=400)
    assert [channel["number"] for channel in every] == [1, 2, 3]
    assert [channel["id"] for channel in radio] == [RADIO]
    assert [channel["name"] for channel in music] == ["Bayern 3", "Web"]
    assert wrong["detail"].startswith("radio: ")
    assert unknown["detail"] == "bouqet: unknown parameter"
    first = every[0]
    assert (first["service"], first["bouquets"]) == (REFERENCE, ["Television"])
    assert first["stream_url"] == f"http://gateway:8088/stream/{FIRST}.ts"
    assert (every[2]["service"], "secret" in json.dumps(every)) == (None, False)


async def test_a_channel_has_its_current_and_next_programme() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    async with daemon(PLAYS) as gateway:
        await fill(gateway, FIRST, [now - timedelta(minutes=30), now + timedelta(minutes=30)])
        channel = await get(gateway, f"/api/v1/channels/{FIRST}")
        await get(gateway, "/api/v1/channels/none", status=404)
    assert (channel["now"]["title"], channel["next"]["title"]) == ("Title 0", "Title 1")
    assert channel["now"]["episode"] == "S02E03"
    assert channel["now"]["begin"] == f"{now - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"


async def test_one_answer_has_the_current_and_next_programmes_of_all_channels() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    begins = [now + timedelta(minutes=minutes) for minutes in (-90, -30, 30, 90)]
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, FIRST, begins)
        await fill(gateway, RADIO, [now + timedelta(hours=3), now + timedelta(hours=4)])
        every = (await get(gateway, "/api/v1/now"))["channels"]
        music = (await get(gateway, "/api/v1/now?bouquet=music"))["channels"]
        by_page = await pages(gateway, "/api/v1/now?limit=1", "channels")
        one = await get(gateway, f"/api/v1/channels/{FIRST}")
        await get(gateway, "/api/v1/now?bouquet=none", status=404)
    first, radio, web = every
    assert (first["channel"], first["now"]["title"], first["next"]["title"]) == (
        FIRST,
        "Title 1",
        "Title 2",
    )
    assert (radio["now"], radio["next"]["title"]) == (None, "Title 0")
    assert (web["now"], web["next"]) == (None, None)
    assert first["now"]["begin"] == one["now"]["begin"]
    assert music == [radio, web]
    assert by_page == every


@pytest.mark.parametrize("path", ["channels", "now", "guide?from=2026-11-24T00:00:00Z"])
async def test_an_answer_that_the_client_has_is_not_sent_again(path: str) -> None:
    day = datetime(2026, 11, 24, tzinfo=UTC)
    bouquets = [*BOUQUETS]
    async with daemon(PLAYS, bouquets=bouquets) as gateway:
        await fill(gateway, FIRST, [day + timedelta(hours=hour) for hour in range(10)])
        _, plain, body = await gateway.get(f"/api/v1/{path}")
        ask = f"GET /api/v1/{path} HTTP/1.0\nHost: gateway:8088\n"
        status, kept, rest = await gateway.ask(f"{ask}If-None-Match: {plain['etag']}\n\n")
        _, coded, packed = await gateway.ask(f"{ask}Accept-Encoding: gzip\n\n")
        other = ServiceReference.parse("1:0:19:2B5C:41B:1:C00000:0:0:0:")
        bouquets.append(Bouquet("More", (Service(other, "Another"),)))
        await gateway.gateway.lineup_keeper.load()
        after, _, _ = await gateway.ask(f"{ask}If-None-Match: {plain['etag']}\n\n")
    assert plain["cache-control"] == "private, no-cache"
    for headers in (plain, coded):
        assert {"Accept-Encoding", "Authorization"} <= set(headers["vary"].split(", "))
    assert (status, rest, kept["etag"]) == (304, b"", plain["etag"])
    if len(body) >= 1024:
        assert (coded["content-encoding"], gzip.decompress(packed)) == ("gzip", body)
        assert coded["etag"] != plain["etag"]
    assert after == (304 if path.startswith("guide") else 200)


async def test_answers_about_the_moment_are_never_cached() -> None:
    async with daemon(PLAYS) as gateway:
        for path in ("status", "streams", "failures", "access", f"channels/{FIRST}"):
            _, headers, _ = await gateway.get(f"/api/v1/{path}")
            assert headers["cache-control"] == "no-store", path
            assert "etag" not in headers, path


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("query", ["", "&bouquet=Music", "&radio=false"])
async def test_channels_are_read_page_by_page_without_gap_or_repetition(
    limit: int, query: str
) -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        whole = (await get(gateway, f"/api/v1/channels?limit=5000{query}"))["channels"]
        found = await pages(gateway, f"/api/v1/channels?limit={limit}{query}", "channels")
    assert found == whole != []


@pytest.mark.parametrize("path", ["guide", "channels"])
@pytest.mark.parametrize("after", ["", "x", "1", "1_", "_x", "9" * 40 + "_x", "1%0A_x", "%00"])
async def test_a_cursor_that_no_answer_gave_is_refused(path: str, after: str) -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        problem = await get(gateway, f"/api/v1/{path}?after={after}", status=400)
    assert problem["detail"].startswith("after: ")


async def test_a_stream_is_listed_with_its_viewer_and_counters_until_it_is_ended() -> None:
    async with daemon(plays_endlessly) as gateway:
        assert await get(gateway, "/api/v1/streams") == {"streams": [], "upstreams": []}
        _, writer = await gateway.watch()
        told = await get(gateway, "/api/v1/streams")
        (stream,), (upstream,) = told["streams"], told["upstreams"]
        assert (stream["channel"], stream["channel_name"]) == (FIRST, "Das Erste HD")
        assert (stream["address"], stream["bytes_out"] > 0) == ("127.0.0.1", True)
        assert stream["upstream"] == upstream["id"]
        assert upstream["remuxer"]["bytes_in"] > 0
        status, _, body = await change(gateway, "DELETE", f"/api/v1/streams/{stream['id']}")
        assert (status, body) == (204, b"")
        await gateway.ended(Outcome.TERMINATED)
        assert (await change(gateway, "DELETE", f"/api/v1/streams/{stream['id']}"))[0] == 404
        assert await get(gateway, "/api/v1/streams") == {"streams": [], "upstreams": []}
        writer.close()


async def test_a_refresh_begins_at_once_and_a_second_one_is_refused() -> None:
    async with daemon(PLAYS) as gateway:
        assert (await change(gateway, "POST", "/api/v1/refresh"))[0] == 202
        status, headers, body = await change(gateway, "POST", "/api/refresh")
        assert (status, 1 <= int(headers["retry-after"]) <= 30) == (409, True)
        assert json.loads(body)["title"] == "Conflict"
        await until(lambda: gateway.refresher.progress()[0].succeeded == 2)
        (lineup,) = (await get(gateway, "/api/v1/status"))["refreshes"]
    assert (lineup["failed"], lineup["trouble"], lineup["running"]) == (0, None, False)
    assert lineup["succeeded_at"].endswith("Z")


async def test_an_unknown_path_of_the_api_is_a_problem() -> None:
    async with daemon(PLAYS) as gateway:
        for path in ("nothing", "status/nothing", "channels/a/b", "", "//nothing//"):
            await get(gateway, f"/api/v1/{path}", status=404)
        await get(gateway, "/api/v1/refresh", status=405)
        status, headers, _ = await change(gateway, "POST", "/api/v1/status")
        assert (status, set(headers["allow"].split(", "))) == (405, {"GET", "HEAD", "OPTIONS"})


async def test_a_daemon_with_a_lineup_is_ready_and_one_without_tells_why_not() -> None:
    async with daemon(PLAYS) as gateway:
        assert (await gateway.get("/readyz"))[0] == 200
        for path in ("/readyz", "/healthz"):
            status, _, body = await gateway.get(path, method="HEAD")
            assert (status, body) == (200, b"")
    async with daemon(PLAYS, bouquets=UnreachableError("the box is off")) as gateway:
        await until(lambda: gateway.gateway.lineup_keeper.trouble is not None)
        status, _, body = await gateway.get("/readyz")
        assert (status, json.loads(body)["reason"]) == (503, "the box is off")
        assert (await gateway.get("/healthz"))[0] == 200
        problem = await get(gateway, "/api/v1/channels", status=503)
        assert problem["detail"] == "the box is off"


async def test_without_a_channel_it_is_not_ready() -> None:
    async with daemon(PLAYS, bouquets=[]) as gateway:
        status, _, body = await gateway.get("/readyz")
    assert status == 503
    assert "lineup.bouquets" in json.loads(body)["reason"]

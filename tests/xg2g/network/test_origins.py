"""Which web pages of other servers may read what (CORS), as a browser decides it."""

from __future__ import annotations

import pytest

from tests.harness.scripted_daemon import STREAM, Daemon, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.config.load import ConfigurationError, load
from xg2g.network.hosts import ANY, AllowedHosts
from xg2g.network.origins import CAST_RECEIVER, AllowedOrigins, origin_of

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
PLAYED = (
    "/playlist.m3u",
    "/files/playlist.m3u",
    "/bouquets/TV.m3u",
    "/xmltv.xml",
    "/xmltv.xml.gz",
    "/logos/1_0_19_283D_3FB_1_C00000_0_0_0.png",
    "/lineup.json",
    "/lineup.m3u",
    STREAM,
    "/auto/v1",
    "/tuner0/v1",
)
API = ("/api/v1/status", "/api/v1/channels", "/api/status", "/openapi.json")
HOUSEHOLD = "http://192.168.1.5:8123"
STRANGER = "https://stranger.example"
NAMED = "https://dash.example.org"


async def read(gateway: Daemon, path: str, origin: str, method: str = "HEAD") -> dict[str, str]:
    """Headers of the answer to a page of this origin."""
    lines = f"{method} {path} HTTP/1.0\nHost: gateway:8088\nOrigin: {origin}\n"
    if method == "OPTIONS":
        lines += "Access-Control-Request-Method: GET\nAccess-Control-Request-Headers: range\n"
        lines += "Access-Control-Request-Private-Network: true\n"
    status, headers, _ = await gateway.ask(lines + "\n")
    assert status < 300 or status in (404, 405), (path, status)
    return headers


async def is_let_in(gateway: Daemon, path: str, origin: str) -> bool:
    """Whether the browser shows such a page the answer, and whether a preflight says the same."""
    method = "GET" if path.startswith(("/api", "/openapi")) else "HEAD"
    answer, preflight = [
        (await read(gateway, path, origin, each)).get("access-control-allow-origin")
        for each in (method, "OPTIONS")
    ]
    assert answer == preflight
    assert answer in (None, origin)
    return answer == origin


async def test_pages_of_the_household_and_cast_receivers_read_what_players_use() -> None:
    async with daemon(PLAYS) as gateway:
        for path in PLAYED:
            for origin in (HOUSEHOLD, "http://nas", "http://tv.fritz.box", CAST_RECEIVER):
                assert await is_let_in(gateway, path, origin), (path, origin)
            assert not await is_let_in(gateway, path, STRANGER), path
            assert not await is_let_in(gateway, path, "null"), path


async def test_only_the_pages_in_the_setting_read_the_api() -> None:
    async with daemon(PLAYS, web_origins=(NAMED,)) as gateway:
        for path in API:
            assert await is_let_in(gateway, path, NAMED), path
            for origin in (HOUSEHOLD, CAST_RECEIVER, STRANGER, f"{NAMED}.evil.example"):
                assert not await is_let_in(gateway, path, origin), (path, origin)
        assert await is_let_in(gateway, "/playlist.m3u", NAMED)


async def test_the_setting_may_allow_every_page() -> None:
    async with daemon(PLAYS, web_origins=(ANY,)) as gateway:
        assert await is_let_in(gateway, "/api/v1/status", STRANGER)
        assert await is_let_in(gateway, STREAM, STRANGER)
        assert not await is_let_in(gateway, "/api/v1/status", "null")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/status.json", "/", "/discover.json"])
async def test_no_page_reads_the_metrics_and_status_of_the_household(path: str) -> None:
    async with daemon(PLAYS, web_origins=(ANY,)) as gateway:
        assert not await is_let_in(gateway, path, HOUSEHOLD)


async def test_a_page_may_read_and_change_nothing() -> None:
    async with daemon(PLAYS, web_origins=(ANY,)) as gateway:
        allowed = await read(gateway, "/api/v1/refresh", NAMED, "OPTIONS")
        assert allowed["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
        request = f"POST /api/v1/refresh HTTP/1.0\nHost: localhost\nOrigin: {NAMED}\n\n"
        assert (await gateway.ask(request))[0] == 403


async def test_a_preflight_allows_what_players_in_a_page_send() -> None:
    async with daemon(PLAYS) as gateway:
        allowed = await read(gateway, STREAM, HOUSEHOLD, "OPTIONS")
        assert "Range" in allowed["access-control-allow-headers"]
        assert allowed["access-control-allow-private-network"] == "true"
        assert not gateway.upstream.connections


async def test_a_cache_keeps_the_answers_for_different_pages_apart() -> None:
    async with daemon(PLAYS) as gateway:
        for path in PLAYED:
            for origin in (HOUSEHOLD, STRANGER):
                assert "Origin" in (await read(gateway, path, origin))["vary"], path
            _, headers, _ = await gateway.get(path, method="HEAD")
            assert "Origin" in headers["vary"], path
            assert "access-control-allow-origin" not in headers
        assert (await read(gateway, "/xmltv.xml", HOUSEHOLD))["vary"] == "Accept-Encoding, Origin"


@pytest.mark.parametrize(
    ("origin", "plays"),
    [
        ("http://10.0.0.7", True),
        ("http://[fd00::1]:8080", True),
        ("http://127.0.0.1:3000", True),
        ("http://localhost", True),
        ("https://HOME.lan", True),
        ("http://tv.example.net", True),
        ("http://8.8.8.8", False),
        ("http://[2001:4860:4860::8888]", False),
        ("http://0.0.0.0", False),
        ("https://www.gstatic.com.evil.example", False),
        ("http://www.gstatic.com", False),
        ("https://user@nas", False),
        ("https://nas/path", False),
        ("ftp://nas", False),
        ("null", False),
        ("", False),
        ("http://[::1", False),
    ],
)
def test_an_origin_is_judged_by_who_can_own_it(origin: str, plays: bool) -> None:
    assert AllowedOrigins(AllowedHosts(["tv.example.net"])).may_play(origin) is plays


def test_any_host_name_does_not_mean_any_page() -> None:
    assert not AllowedOrigins(AllowedHosts([ANY])).may_play(STRANGER)


@pytest.mark.parametrize(
    "value", ["dash.example.org", "https://dash.example.org/", "null", "https://"]
)
def test_an_invalid_origin_in_the_setting_is_refused(value: str) -> None:
    environment = {"XG2G_SERVER_WEB_ORIGINS": value}
    assert origin_of(value) is None
    with pytest.raises(ConfigurationError, match="without a path"):
        load(environment=environment)

"""Access to the API, on real sockets."""

import json

import pytest

from tests.harness.scripted_daemon import STREAM, Daemon, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.web.http.access import WRONG_TOKENS_ALLOWED, Access

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
REFRESH = "/api/v1/refresh"
FOR_PLAYERS = [
    "/",
    "/playlist.m3u",
    "/xmltv.xml",
    "/discover.json",
    "/lineup.json",
    "/lineup_status.json",
    "/device.xml",
    "/healthz",
    "/readyz",
    "/openapi.json",
    STREAM,
]


async def ask(
    gateway: Daemon, path: str, *lines: str, method: str = "POST", host: str = "127.0.0.1:8088"
) -> tuple[int, dict[str, str], bytes]:
    head = "\n".join((f"{method} {path} HTTP/1.0", f"Host: {host}", *lines))
    return await gateway.ask(f"{head}\n\n")


async def test_without_a_token_a_program_on_this_computer_may_change_something() -> None:
    async with daemon(PLAYS) as gateway:
        for host in ("127.0.0.1:8088", "localhost", "[::1]:8088"):
            assert (await ask(gateway, "/api/v1/streams/x", method="DELETE", host=host))[0] == 404
        assert (await ask(gateway, REFRESH))[0] == 202


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("attacker.example", "Accept: */*"),
        ("192.168.1.20:8088", "Accept: */*"),
        ("", "Accept: */*"),
        ("127.0.0.1:8088", "Origin: http://attacker.example"),
        ("127.0.0.1:8088", "Origin: null"),
        ("127.0.0.1:8088", "X-Forwarded-For: 192.168.1.7"),
        ("127.0.0.1:8088", "Forwarded: for=192.168.1.7"),
        ("127.0.0.1:8088", "Via: 1.1 proxy"),
        ("127.0.0.1:8088", "X-Forwarded-Host: tv.example.org"),
        ("127.0.0.1:8088", "X-Forwarded-Proto: https"),
    ],
)
async def test_without_a_token_no_request_through_this_computer_is_allowed(
    host: str, line: str
) -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, body = await ask(gateway, REFRESH, line, host=host)
    assert (status, headers["content-type"]) == (403, "application/problem+json")
    assert "server.token" in json.loads(body)["detail"]


@pytest.mark.parametrize("host", ["127.0.0.1:8088", "localhost:8088", "[::1]:8088"])
async def test_without_a_token_xg2gs_own_page_on_this_computer_may_change_something(
    host: str,
) -> None:
    async with daemon(PLAYS) as gateway:
        assert (await ask(gateway, REFRESH, f"Origin: http://{host}", host=host))[0] == 202


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8088", "http://localhost:3000"),
        ("localhost:8088", "http://localhost"),
        ("localhost:8088", "http://127.0.0.1:8088"),
        ("localhost:8088", "https://localhost:8088"),
        ("localhost:8088", "http://localhost:8088.attacker.example"),
        ("localhost:8088", ""),
        ("192.168.1.20:8088", "http://192.168.1.20:8088"),
        ("attacker.example", "http://attacker.example"),
    ],
)
async def test_without_a_token_another_page_on_this_computer_is_refused(
    host: str, origin: str
) -> None:
    async with daemon(PLAYS) as gateway:
        assert (await ask(gateway, REFRESH, f"Origin: {origin}", host=host))[0] == 403
        lines = (f"Origin: http://{host}", f"Origin: {origin}")
        assert (await ask(gateway, REFRESH, *lines, host=host))[0] == 403


async def access_told(gateway: Daemon, *lines: str, host: str = "localhost:8088") -> object:
    status, _, body = await ask(gateway, "/api/v1/access", *lines, method="GET", host=host)
    return json.loads(body) if status == 200 else status


async def test_a_client_is_told_what_it_may_do() -> None:
    shown = "Authorization: Bearer swordfish"
    async with daemon(PLAYS) as gateway:
        here = await access_told(gateway)
        afar = await access_told(gateway, host="192.168.1.20:8088")
    async with daemon(PLAYS, access=Access("swordfish")) as gateway:
        asked = await access_told(gateway)
        given = await access_told(gateway, shown)
    async with daemon(PLAYS, access=Access("swordfish", for_reading=True)) as gateway:
        assert await access_told(gateway) == 401
        assert await access_told(gateway, shown) == given
    async with daemon(PLAYS, access=Access(behind_proxy=True)) as gateway:
        proxied = await access_told(gateway)
    assert here == {"may_change": True, "has_token": False, "detail": None}
    assert given == {"may_change": True, "has_token": True, "detail": None}
    for told, has_token in ((afar, False), (asked, True), (proxied, False)):
        assert isinstance(told, dict)
        assert (told["may_change"], told["has_token"]) == (False, has_token)
        assert "server.token" in told["detail"]


async def test_a_wrong_token_is_counted_when_a_client_asks_for_its_permissions() -> None:
    async with daemon(PLAYS, access=Access("swordfish")) as gateway:
        for guess in range(WRONG_TOKENS_ALLOWED):
            assert await access_told(gateway, f"Authorization: Bearer {guess}") == 401
        assert await access_told(gateway, "Authorization: Bearer swordfis") == 429
        told = await access_told(gateway, "Authorization: Bearer swordfish")
    assert isinstance(told, dict)
    assert told["may_change"]


async def test_behind_a_proxy_no_request_counts_as_from_this_computer() -> None:
    """nginx, if nothing is said to it, asks for whomever as this computer would."""
    async with daemon(PLAYS, access=Access(behind_proxy=True)) as gateway:
        status, _, body = await ask(gateway, REFRESH)
        assert (status, "server.token" in json.loads(body)["detail"]) == (403, True)
        assert (await ask(gateway, "/api/v1/status", method="GET"))[0] == 200
    access = Access("swordfish", behind_proxy=True)
    async with daemon(PLAYS, access=access) as gateway:
        assert (await ask(gateway, REFRESH, "Authorization: Bearer swordfish"))[0] == 202


@pytest.mark.parametrize("line", ["Authorization: Bearer swordfish", "X-API-Token: swordfish"])
async def test_a_client_with_the_token_may_change_something_from_anywhere(line: str) -> None:
    async with daemon(PLAYS, access=Access("swordfish")) as gateway:
        assert (await ask(gateway, REFRESH, line, host="tv.example.org"))[0] == 202


@pytest.mark.parametrize(
    "line",
    [
        "Accept: */*",
        "Authorization: Basic c3dvcmRmaXNo",
        "Authorization: Bearer",
        "Authorization: Bearer swordfis",
        "Authorization: Bearer swordfish2",
        "Authorization: Bearer schwertfi\xdfch",
        "X-API-Token: SWORDFISH",
    ],
)
async def test_with_a_token_set_every_change_needs_it(line: str) -> None:
    async with daemon(PLAYS, access=Access("swordfish")) as gateway:
        status, headers, body = await ask(gateway, REFRESH, line)
    assert (status, headers["content-type"]) == (401, "application/problem+json")
    assert headers["www-authenticate"].startswith('Bearer realm="xg2g"')
    assert b"swordfish" not in body


async def test_after_many_wrong_tokens_only_the_right_one_is_accepted() -> None:
    """Behind a proxy all of them come from one address."""
    async with daemon(PLAYS, access=Access("swordfish")) as gateway:
        for guess in range(WRONG_TOKENS_ALLOWED):
            assert (await ask(gateway, REFRESH, f"Authorization: Bearer {guess}"))[0] == 401
        for line in ("Authorization: Bearer swordfis", "Accept: */*"):
            status, headers, _ = await ask(gateway, REFRESH, line)
            assert (status, headers["retry-after"]) == (429, "60")
        assert (await ask(gateway, REFRESH, "Authorization: Bearer swordfish"))[0] == 202
        assert (await ask(gateway, REFRESH, "Authorization: Bearer swordfis"))[0] == 429
        assert (await gateway.get("/playlist.m3u"))[0] == 200


async def test_a_token_in_a_url_is_ignored_since_urls_are_logged() -> None:
    async with daemon(PLAYS, access=Access("swordfish")) as gateway:
        for name in ("token", "access_token", "api_key"):
            status, _, body = await ask(gateway, f"{REFRESH}?{name}=swordfish")
            assert status == 401
            assert b"swordfish" not in body


async def test_a_browser_shows_no_answer_to_the_page_of_a_stranger() -> None:
    async with daemon(PLAYS) as gateway:
        for method, path in (
            ("OPTIONS", REFRESH),
            ("OPTIONS", "/api/v1/streams/x"),
            ("GET", "/api/v1/streams"),
            ("GET", "/metrics"),
        ):
            _, headers, _ = await ask(
                gateway,
                path,
                "Origin: http://attacker.example",
                "Access-Control-Request-Method: DELETE",
                method=method,
            )
            assert not [name for name in headers if name.startswith("access-control")]


async def test_reading_needs_no_token() -> None:
    async with daemon(PLAYS, access=Access("swordfish")) as gateway:
        for path in ("/api/v1/status", "/api/v1/streams", "/metrics", *FOR_PLAYERS):
            assert (await gateway.get(path))[0] == 200, path


async def test_reading_needs_the_token_if_configured_but_players_need_none() -> None:
    async with daemon(PLAYS, access=Access("swordfish", for_reading=True)) as gateway:
        for path in ("/api/v1/status", "/api/v1/streams", "/api/status", "/metrics"):
            assert (await gateway.get(path))[0] == 401, path
            line = "Authorization: Bearer swordfish"
            assert (await ask(gateway, path, line, method="GET"))[0] == 200, path
        for path in FOR_PLAYERS:
            assert (await gateway.get(path))[0] == 200, path

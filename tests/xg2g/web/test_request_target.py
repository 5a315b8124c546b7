"""Forms of a request target, and methods of a path."""

from collections.abc import Iterable, Iterator

import pytest
from starlette.routing import BaseRoute, Mount, Route

from tests.harness.scripted_daemon import STREAM, Daemon, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.app.asgi import ROUTES
from xg2g.web.http.methods import allow

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
CHANNEL = STREAM.removeprefix("/stream/").removesuffix(".ts")

EXAMPLES = {
    "/": "/",
    "/assets/{name}": "/assets/app.js",
    "/manifest.webmanifest": "/manifest.webmanifest",
    "/licenses.txt": "/licenses.txt",
    "/addresses": "/addresses",
    "/playlist.m3u": "/playlist.m3u",
    "/hls/{channel_id}/index.m3u8": f"/hls/{CHANNEL}/index.m3u8",
    "/hls/{channel_id}/leave": f"/hls/{CHANNEL}/leave",
    "/hls/{channel_id}/{run}/{rendition}.m3u8": f"/hls/{CHANNEL}/1a2b3c4d/video.m3u8",
    "/hls/{channel_id}/{run}/{rendition}/{name}": f"/hls/{CHANNEL}/1a2b3c4d/video/7.m4s",
    "/files/playlist.m3u": "/files/playlist.m3u?radio=0",
    "/bouquets/{bouquet:path}.m3u": "/bouquets/TV.m3u",
    "/xmltv.xml": "/xmltv.xml",
    "/xmltv.xml.gz": "/xmltv.xml.gz",
    "/files/xmltv.xml": "/files/xmltv.xml",
    "/logos/{channel_id}.png": f"/logos/{CHANNEL}.png",
    "/stream/{channel_id}.ts": STREAM,
    "/stream/{channel_id}.m3u8": f"/stream/{CHANNEL}.m3u8",
    "/stream/{channel_id}.mpd": f"/stream/{CHANNEL}.mpd",
    "/discover.json": "/discover.json",
    "/lineup.json": "/lineup.json",
    "/lineup.xml": "/lineup.xml",
    "/lineup.m3u": "/lineup.m3u",
    "/lineup_status.json": "/lineup_status.json",
    "/lineup.post": "/lineup.post?scan=start",
    "/status.json": "/status.json",
    "/device.xml": "/device.xml",
    "/auto": "/auto",
    "/auto/{wanted:path}": "/auto/v1",
    "/tuner{tuner}": "/tuner0",
    "/tuner{tuner}/{wanted:path}": "/tuner0/v1",
    "/healthz": "/healthz",
    "/readyz": "/readyz",
    "/metrics": "/metrics",
    "/favicon.ico": "/favicon.ico",
    "/openapi.json": "/openapi.json",
    "/api": "/api",
    "/api/v1/status": "/api/v1/status",
    "/api/v1/channels": "/api/v1/channels?limit=1",
    "/api/v1/channels/{channel_id}": f"/api/v1/channels/{CHANNEL}",
    "/api/v1/guide": "/api/v1/guide",
    "/api/v1/now": "/api/v1/now",
    "/api/v1/access": "/api/v1/access",
    "/api/v1/streams": "/api/v1/streams",
    "/api/v1/streams/{stream_id}": "/api/v1/streams/x",
    "/api/v1/failures": "/api/v1/failures",
    "/api/v1/refresh": "/api/v1/refresh",
    "/api/status": "/api/status",
    "/api/refresh": "/api/refresh",
    "/{reference:service}": f"/{CHANNEL.replace('_', ':')}:",
}
"""A request for each route of the daemon."""


def routes_of(routes: Iterable[BaseRoute], at: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every path of the application with its methods."""
    for route in routes:
        if isinstance(route, Mount):
            yield from routes_of(route.routes, at + route.path)
        elif isinstance(route, Route):
            yield at + route.path, set(route.methods or ())


def variants(target: str) -> Iterator[str]:
    path, mark, query = target.partition("?")
    yield f"http://gateway:8088{target}"
    yield f"HTTP://user@gateway:8088{target}"
    yield f"{path}/{mark}{query}"
    yield f"{path}//{mark}{query}"
    yield f"/{target}"
    yield f"{path.replace('/', '//')}{mark}{query}"
    yield f"http://gateway:8088//{path}/{mark}{query}"


async def answer(gateway: Daemon, method: str, target: str) -> tuple[int, dict[str, str], bytes]:
    status, headers, body = await gateway.get(target, method=method)
    for changing in ("date", "x-hdhomerun-resource"):
        headers.pop(changing, None)
    return status, headers, body


CHANGING = {"/", "/metrics", "/api/v1/status", "/api/status", "/api/v1/guide"}
"""Paths whose bodies depend on the moment."""


def test_every_route_of_the_daemon_is_tried_here() -> None:
    assert {path for path, _ in routes_of(ROUTES)} == set(EXAMPLES)


@pytest.mark.parametrize("route", EXAMPLES)
async def test_absolute_forms_and_doubled_slashes_find_the_same_resource(route: str) -> None:
    target = EXAMPLES[route]
    async with daemon(PLAYS, linger_s=0) as gateway:
        plain = await answer(gateway, "GET", target)
        for variant in variants(target):
            other = await answer(gateway, "GET", variant)
            assert other[0] == plain[0], variant
            if route not in CHANGING:
                assert other == plain, variant


@pytest.mark.parametrize("route", EXAMPLES)
async def test_options_and_refusals_list_the_methods_and_head_is_a_get_without_body(
    route: str,
) -> None:
    target = EXAMPLES[route]
    async with daemon(PLAYS, linger_s=0) as gateway:
        methods = dict(routes_of(ROUTES))[route]
        told = allow(methods)
        for variant in (target, *variants(target)):
            status, headers, body = await answer(gateway, "OPTIONS", variant)
            assert (status, headers.get("allow"), body) == (204, told, b""), variant
        for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "BREW"} - methods:
            status, headers, body = await answer(gateway, method, target)
            assert (status, headers.get("allow")) == (405, told), method
        if "HEAD" in methods:
            got, had = await answer(gateway, "GET", target), await answer(gateway, "HEAD", target)
            assert (had[0], had[2]) == (got[0], b"")
            assert had[1].get("content-type") == got[1].get("content-type")


async def test_the_authority_of_an_absolute_form_replaces_the_host() -> None:
    """RFC 9112, 3.2.2."""
    async with daemon(PLAYS) as gateway:
        request = "GET http://tv.local:80/discover.json HTTP/1.1\nHost: other.example\n"
        _, _, body = await gateway.ask(f"{request}Connection: close\n\n")
    assert b"http://tv.local:80/" in body
    assert b"other.example" not in body


async def test_an_absolute_form_without_a_path_is_the_front_page() -> None:
    async with daemon(PLAYS) as gateway:
        assert (await gateway.get("http://gateway:8088"))[0] == 200
        assert (await gateway.get("http:///playlist.m3u"))[0] == 400


async def test_encoded_slashes_stay() -> None:
    async with daemon(PLAYS) as gateway:
        assert (await gateway.get("/stream%2f%2f" + CHANNEL + ".ts"))[0] == 404
        assert (await gateway.get("/bouquets/A%2F%2FB.m3u"))[0] == 404


async def test_an_unknown_path_is_404_with_every_method() -> None:
    async with daemon(PLAYS) as gateway:
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW"):
            for path in ("/robots.txt", "/a/b/c", "/api/v1/nothing", "/api/nothing", "/stream"):
                assert (await gateway.get(path, method=method))[0] == 404, (method, path)


async def test_options_of_the_server_lists_every_method() -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, _ = await gateway.get("*", method="OPTIONS")
        assert (status, headers["allow"]) == (204, "GET, HEAD, POST, DELETE, OPTIONS")
        assert (await gateway.get("*"))[0] == 404

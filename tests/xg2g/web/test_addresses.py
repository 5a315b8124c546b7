"""The pages without scripts: /addresses and /api, and the icon."""

import html
import re

import pytest

from tests.harness.scripted_daemon import REFERENCE, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, plays_endlessly, says
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.service_reference import ServiceReference
from xg2g.web.api.routes import openapi
from xg2g.web.http.access import Access

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
SERVICE = Service(ServiceReference.parse(REFERENCE), "Das Erste HD")


async def test_a_browser_shows_the_addresses_to_copy_and_the_state() -> None:
    async with daemon(PLAYS, tuner_limit=4) as gateway:
        status, headers, body = await gateway.get("/addresses")
    page = body.decode()
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    for address in ("/playlist.m3u", "/xmltv.xml", ""):
        assert f"<code>http://gateway:8088{address}</code>" in page
    assert "<b>1</b><small>Channels</small>" in page
    assert "<b>0 of 4</b><small>Tuners in use</small>" in page
    assert "Nobody is watching" in page
    assert ">ready<" in page
    assert "this computer only" not in page
    assert 'class="trouble"' not in page
    assert "<script" not in page


async def test_viewers_are_shown() -> None:
    async with daemon(plays_endlessly) as gateway:
        _, writer = await gateway.watch()
        _, _, body = await gateway.get("/addresses")
        writer.close()
    assert b"<b>Das Erste HD</b>" in body
    assert b"127.0.0.1, 0 min" in body
    assert b"Nobody is watching" not in body


@pytest.mark.parametrize("host", ["127.0.0.1:8088", "localhost", "[::1]:8088"])
async def test_addresses_that_only_this_computer_can_use_are_marked_as_such(host: str) -> None:
    async with daemon(PLAYS) as gateway:
        _, _, body = await gateway.ask(f"GET /addresses HTTP/1.0\nHost: {host}\n\n")
    assert b"this computer only" in body


async def test_the_page_says_what_is_wrong() -> None:
    async with daemon(PLAYS, bouquets=UnreachableError("the box is <off>")) as gateway:
        _, _, body = await gateway.get("/addresses")
    assert body.count(b"the box is &lt;off&gt;") == 1
    assert b">not ready<" in body


async def test_the_page_warns_of_more_channels_than_plex_accepts() -> None:
    services = tuple(
        Service(ServiceReference.parse(f"1:0:19:{number:X}:3FB:1:C00000:0:0:0:"), f"C{number}")
        for number in range(1, 482)
    )
    for count, is_wrong in ((480, False), (481, True)):
        async with daemon(PLAYS, bouquets=[Bouquet("TV", services[:count])]) as gateway:
            _, _, body = await gateway.get("/addresses")
        assert (b"Plex accepts at most 480 channels" in body) == is_wrong


async def test_bouquets_chosen_for_plex_end_the_warning_and_missing_ones_are_named() -> None:
    services = [
        Service(ServiceReference.parse(f"1:0:19:{number:X}:3FB:1:C00000:0:0:0:"), f"C{number}")
        for number in range(1, 600)
    ]
    bouquets = [Bouquet("All", tuple(services)), Bouquet("Few", tuple(services[:9]))]
    async with daemon(PLAYS, bouquets=bouquets, tuner_bouquets=("few", "Gone")) as gateway:
        _, _, body = await gateway.get("/addresses")
    assert b"Plex accepts" not in body
    line = 'hdhomerun.bouquets: no bouquet is called "Gone"; there are: "All", "Few"'
    assert line in html.unescape(body.decode())
    assert b">degraded<" in body


async def test_names_and_addresses_from_outside_are_escaped() -> None:
    evil = '<img src=x onerror="alert(1)">'
    service = Service(ServiceReference.parse(REFERENCE), f"</b>{evil}")
    async with daemon(plays_endlessly, bouquets=[Bouquet(evil, (service,))]) as gateway:
        _, writer = await gateway.watch()
        status, _, refusal = await gateway.ask("GET / HTTP/1.0\nHost: <script>alert(1)\n\n")
        assert (status, b"<script" in refusal) == (400, False)
        _, headers, body = await gateway.get("/addresses")
        writer.close()
    assert b"<img" not in body
    assert b"<script" not in body
    assert b"&lt;/b&gt;&lt;img" in body
    assert b"bouquet=%3Cimg+src%3Dx" in body
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_with_a_token_for_reading_the_page_shows_addresses_only() -> None:
    async with daemon(plays_endlessly, access=Access("swordfish", for_reading=True)) as gateway:
        _, writer = await gateway.watch()
        status, _, body = await gateway.get("/addresses")
        writer.close()
    assert (status, b"/playlist.m3u" in body) == (200, True)
    for told in (b"Watching now", b"127.0.0.1", b"Das Erste", b"Tuners"):
        assert told not in body


async def test_every_link_of_a_page_leads_somewhere() -> None:
    async with daemon(PLAYS) as gateway:
        for path, least in (("/addresses", 2), ("/api", 6)):
            _, _, body = await gateway.get(path)
            links = set(re.findall(r'href="(?:http://gateway:8088)?/?([^"]*)"', body.decode()))
            assert len(links) >= least
            for link in links:
                assert (await gateway.get(f"/{link}"))[0] == 200, link


async def test_the_page_of_the_api_shows_every_operation() -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, body = await gateway.get("/api/")
        assert (await gateway.get("/api"))[2] == body
    described = openapi()
    page = html.unescape(body.decode())
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    paths = described["paths"]
    assert isinstance(paths, dict)
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert f"<h3>{method.upper()} {path}</h3>" in page
            assert operation["summary"] in page
            for parameter in operation["parameters"]:
                assert f"<b>{parameter['name']}</b>" in page
    assert "curl -X POST -H 'Authorization: Bearer" in page
    assert "curl http://gateway:8088/api/v1/status" in page
    assert "<script" not in page


async def test_a_browser_gets_an_icon() -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, icon = await gateway.get("/favicon.ico")
        _, page_headers, _ = await gateway.get("/addresses")
    assert (status, headers["content-type"]) == (200, "image/vnd.microsoft.icon")
    assert "max-age" in headers["cache-control"]
    # ICONDIR with three images, each a PNG.
    assert icon[:6] == bytes((0, 0, 1, 0, 3, 0))
    assert icon.count(b"\x89PNG\r\n") == 3
    assert "img-src 'self'" in page_headers["content-security-policy"]

"""What a browser shows."""

import pytest

from tests.xg2g.daemon import daemon
from tests.xg2g.upstream import CRLF_ANSWER, PACKET, says
from xg2g.api.access import Access
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.service_reference import ServiceReference

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
SERVICE = Service(ServiceReference.parse("1:0:19:283D:3FB:1:C00000:0:0:0:"), "Das Erste HD")


async def test_a_browser_shows_the_addresses_to_copy_and_the_state() -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, body = await gateway.get("/")
    page = body.decode()
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    for address in ("/playlist.m3u", "/xmltv.xml", ""):
        assert f"<code>http://gateway:8088{address}</code>" in page
    assert "<dt>Channels</dt><dd>1</dd>" in page
    assert "<script" not in page


async def test_the_page_says_what_is_wrong() -> None:
    async with daemon(PLAYS, bouquets=UnreachableError("the box is <off>")) as gateway:
        _, _, body = await gateway.get("/")
    assert b"the box is &lt;off&gt;" in body


async def test_names_and_addresses_from_outside_are_text_and_nothing_else() -> None:
    bouquets = [Bouquet('<img src=x onerror="alert(1)">', (SERVICE,))]
    async with daemon(PLAYS, bouquets=bouquets) as gateway:
        _, headers, body = await gateway.ask("GET / HTTP/1.0\nHost: <script>alert(1)\n\n")
    assert b"<img" not in body
    assert b"<script" not in body
    assert b"%3Cimg+src%3Dx" in body
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_with_a_token_for_reading_the_page_tells_addresses_alone() -> None:
    async with daemon(PLAYS, access=Access("swordfish", for_reading=True)) as gateway:
        status, _, body = await gateway.get("/")
    assert (status, b"/playlist.m3u" in body, b"Streams now" in body) == (200, True, False)

"""A page of another site takes no tuner; pages of this one, links and players do."""

import pytest

from tests.harness.scripted_daemon import STREAM, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
IMAGES = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FOREIGN = "http://attacker.example/page"


def fetched(site: str, destination: str, mode: str = "no-cors") -> list[str]:
    return [f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {destination}"]


REFUSED = {
    "image": fetched("cross-site", "image"),
    "video": fetched("cross-site", "video"),
    "audio": fetched("cross-site", "audio"),
    "script": fetched("cross-site", "script"),
    "style": fetched("cross-site", "style"),
    "frame": fetched("cross-site", "iframe", "navigate"),
    "object": fetched("cross-site", "object", "navigate"),
    "blind fetch": fetched("cross-site", "empty"),
    "navigation by script": fetched("cross-site", "document", "navigate"),
    "image of the own page": fetched("same-origin", "image"),
    "image over plain HTTP": [f"Accept: {IMAGES}"],
    "style over plain HTTP": ["Accept: text/css,*/*;q=0.1"],
    "video over plain HTTP": ["Accept: */*", f"Referer: {FOREIGN}", "Range: bytes=0-"],
    "fetch that CORS keeps from it": [
        "Origin: http://attacker.example",
        *fetched("cross-site", "empty", "cors"),
    ],
    "script over plain HTTP": [f"Referer: {FOREIGN}", "Origin: http://attacker.example"],
    "odd referer": ["Referer: http://[::1"],
}
ANSWERED = {
    "player": ["User-Agent: VLC/3.0.20 LibVLC/3.0.20", "Range: bytes=0-"],
    "media server": ["User-Agent: Mozilla/5.0 Chrome/120", "Accept: */*", "Icy-MetaData: 1"],
    "own video": fetched("same-origin", "video"),
    "own script": fetched("same-origin", "empty", "cors"),
    "neighbour on this host": fetched("same-site", "video"),
    "address bar": fetched("none", "document", "navigate"),
    "link": [*fetched("cross-site", "document", "navigate"), "Sec-Fetch-User: ?1"],
    "script that CORS judges": fetched("cross-site", "empty", "cors"),
    "own video over plain HTTP": ["Accept: */*", "Referer: http://gateway:8088/"],
    "neighbour's over plain HTTP": ["Accept: */*", "Referer: http://gateway:8123/lovelace"],
    "link over plain HTTP": ["Accept: text/html,*/*;q=0.8", f"Referer: {FOREIGN}"],
    "script of the household": ["Origin: http://192.168.1.5:8123"],
    "script of a Cast receiver": ["Origin: https://www.gstatic.com"],
    "app that is no page": ["Origin: file://"],
}


@pytest.mark.parametrize("path", [STREAM, "/auto/v1", "/1:0:19:283D:3FB:1:C00000:0:0:0:"])
@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED)
async def test_a_stream_that_a_foreign_page_embeds_takes_no_tuner(
    path: str, lines: list[str]
) -> None:
    async with daemon(PLAYS) as gateway:
        head = "\n".join((f"GET {path} HTTP/1.0", "Host: gateway:8088", *lines))
        status, _, body = await gateway.ask(f"{head}\n\n")
        assert (status, body) == (403, b"")
        assert not gateway.upstream.connections


@pytest.mark.parametrize("lines", ANSWERED.values(), ids=ANSWERED)
async def test_players_own_pages_and_links_play(lines: list[str]) -> None:
    async with daemon(PLAYS) as gateway:
        head = "\n".join((f"GET {STREAM} HTTP/1.0", "Host: gateway:8088", *lines))
        status, _, body = await gateway.ask(f"{head}\n\n")
    assert (status, body) == (200, PACKET * 10)


async def test_a_foreign_page_may_show_logos() -> None:
    async with daemon(PLAYS) as gateway:
        lines = "\n".join(fetched("cross-site", "image"))
        head = "GET /logos/1_0_19_283D_3FB_1_C00000_0_0_0.png HTTP/1.0\nHost: gateway"
        assert (await gateway.ask(f"{head}\n{lines}\n\n"))[0] == 404

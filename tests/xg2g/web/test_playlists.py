"""The playlist over HTTP."""

import re

import pytest

from tests.harness.scripted_daemon import LISTED, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.receiver.service_reference import ServiceReference

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)


def service(sid: int, name: str, kind: str = "19") -> Service:
    return Service(ServiceReference.parse(f"1:0:{kind}:{sid:X}:3FB:1:C00000:0:0:0:"), name)


SPORT = service(1, "Sport 1")
BOUQUETS = [
    Bouquet("TV", (LISTED, SPORT), "tv"),
    Bouquet("Sport & Spaß/HD", (SPORT, service(2, "Sport 2")), "sport"),
    Bouquet("Radio", (service(3, "Bayern 3", "2"),), "radio", radio=True),
]


def names(playlist: bytes) -> list[str]:
    return re.findall(r"^#EXTINF.*,(.*)$", playlist.decode(), re.MULTILINE)


async def test_the_playlist_names_the_requested_host() -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, body = await gateway.get("/playlist.m3u")
        _, _, old_address = await gateway.get("/files/playlist.m3u")
    assert status == 200
    assert headers["content-type"] == "audio/x-mpegurl; charset=utf-8"
    assert body.startswith(b'#EXTM3U url-tvg="http://gateway:8088/xmltv.xml"')
    assert body.endswith(b"\nhttp://gateway:8088/stream/1_0_19_283D_3FB_1_C00000_0_0_0.ts\n")
    assert old_address == body


async def test_without_a_host_the_playlist_names_the_address_of_the_connection() -> None:
    async with daemon(PLAYS) as gateway:
        for head in ("Host:\n", ""):
            _, _, body = await gateway.ask(f"GET /playlist.m3u HTTP/1.0\n{head}\n")
            assert f"http://127.0.0.1:{gateway.port}/stream/".encode() in body


async def test_an_ipv6_host_is_a_host() -> None:
    async with daemon(PLAYS) as gateway:
        _, _, body = await gateway.ask("GET /playlist.m3u HTTP/1.0\nHost: [::1]:8088\n\n")
    assert b"\nhttp://[::1]:8088/stream/" in body


async def test_headers_of_proxies_are_ignored() -> None:
    forged = "X-Forwarded-Host: evil\nX-Forwarded-Proto: https\nForwarded: host=evil\n"
    async with daemon(PLAYS) as gateway:
        _, _, body = await gateway.ask(
            f"GET /playlist.m3u HTTP/1.0\nHost: gateway:8088\n{forged}\n"
        )
    assert b"\nhttp://gateway:8088/stream/" in body
    assert b"evil" not in body


async def test_all_urls_begin_with_the_public_url() -> None:
    async with daemon(PLAYS, public_url="https://tv.example.org/xg2g") as gateway:
        _, _, body = await gateway.get("/playlist.m3u")
    assert b'url-tvg="https://tv.example.org/xg2g/xmltv.xml"' in body
    assert b"\nhttps://tv.example.org/xg2g/stream/" in body
    assert b"gateway" not in body


async def test_a_bouquet_is_a_playlist_in_its_own_order() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        for path in (
            "/bouquets/Sport%20%26%20Spa%C3%9F%2FHD.m3u",
            "/bouquets/sport%20%26%20spa%C3%9F/hd.m3u",
            "/playlist.m3u?bouquet=Sport+%26+Spa%C3%9F%2FHD",
        ):
            status, _, body = await gateway.get(path)
            assert (status, names(body)) == (200, ["Sport 1", "Sport 2"])
            query = "?bouquet=sport" if "spa%C3" in path else "?bouquet=Sport"
            assert f"/xmltv.xml{query}+%26+".encode() in body
        assert (await gateway.get("/bouquets/none.m3u"))[0] == 404
        assert (await gateway.get("/playlist.m3u?bouquet=none"))[0] == 404


async def test_a_channel_has_the_same_url_and_number_in_every_playlist() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        _, _, whole = await gateway.get("/playlist.m3u")
        _, _, part = await gateway.get("/bouquets/TV.m3u")
    entries = part.split(b"#EXTINF")[1:]
    assert len(entries) == 2
    assert all(entry in whole for entry in entries)


HLS = Service(
    ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:https%3a//tv.example/u/secret/1.M3U8?a=b#U=x:W"),
    "Web",
)
DASH = Service(
    ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//tv.example/2/live.mpd"), "Dash"
)


async def test_segmented_streams_are_fetched_by_the_player_itself() -> None:
    async with daemon(PLAYS, bouquets=[Bouquet("TV", (LISTED, HLS, DASH))]) as gateway:
        _, _, body = await gateway.get("/playlist.m3u")
        assert b"secret" not in body, "an IPTV URL is its owner's account"
        entries = body.decode().split("#EXTINF")[1:]
        paths = [entry.splitlines()[-1].removeprefix("http://gateway:8088") for entry in entries]
        endings = [path.partition(".")[2] for path in paths]
        assert endings == ["ts", "m3u8", "mpd"]
        # Kodi would take it for a transport stream.
        assert ["video/mp2t" in entry for entry in entries] == [True, False, False]
        for method in ("GET", "HEAD"):
            status, headers, _ = await gateway.get(paths[1], method=method)
            assert (status, headers["location"]) == (302, "https://tv.example/u/secret/1.M3U8?a=b")
        status, headers, _ = await gateway.get(paths[2])
        assert (status, headers["location"]) == (302, "http://tv.example/2/live.mpd")
        # A client that has the URL of a transport stream finds it as well.
        assert (await gateway.get(paths[1].replace("m3u8", "ts")))[0] == 302
        status, headers, _ = await gateway.get(paths[0].replace("ts", "m3u8"))
        assert (status, headers["x-hdhomerun-error"][:3]) == (404, "801")
        for document in ("lineup.json", "lineup.xml", "lineup.m3u"):
            _, _, body = await gateway.get(f"/{document}")
            assert (b"Das Erste HD" in body, b"Web" in body, b"Dash" in body) == (True, 0, 0)
    assert gateway.upstream.connections == []


async def test_alternatives_of_which_one_is_a_transport_stream_are_played_here() -> None:
    both = Service(
        ServiceReference.parse('1:134:1:0:0:0:0:0:0:0:FROM BOUQUET "alternatives.a.tv"'),
        "Both",
        (HLS.reference, LISTED.reference),
    )
    own = ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//127.0.0.1%3a88/1.m3u8")
    async with daemon(PLAYS, bouquets=[Bouquet("TV", (both, Service(own, "Own")))]) as gateway:
        _, _, body = await gateway.get("/playlist.m3u")
    urls = re.findall(r"^http.*", body.decode(), re.MULTILINE)
    assert [url[-3:] for url in urls] == [".ts", ".ts"]


async def test_radio_can_be_selected_or_left_out() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        assert names((await gateway.get("/playlist.m3u?radio=1"))[2]) == ["Bayern 3"]
        television = names((await gateway.get("/playlist.m3u?radio=0"))[2])
        assert television == ["Das Erste HD", "Sport 1", "Sport 2"]
        status, _, body = await gateway.get("/playlist.m3u?radio=loud")
    assert (status, body) == (
        400,
        b"invalid radio; use 1 (radio only) or 0 (television only)\n",
    )


async def test_a_playlist_that_the_client_has_is_not_sent_again() -> None:
    async with daemon(PLAYS) as gateway:
        _, headers, _ = await gateway.get("/playlist.m3u")
        tag = headers["etag"]
        for given, status in (
            (tag, 304),
            (f'"other", W/{tag}', 304),
            ("*", 304),
            ('"other"', 200),
        ):
            answer = await gateway.ask(
                f"GET /playlist.m3u HTTP/1.0\nHost: gateway:8088\nIf-None-Match: {given}\n\n"
            )
            assert (answer[0], answer[1]["etag"]) == (status, tag)
            assert bool(answer[2]) == (status == 200)
        other_host = await gateway.ask("GET /playlist.m3u HTTP/1.0\nHost: other\n\n")
        assert other_host[1]["etag"] != tag


async def test_head_has_the_headers_of_get() -> None:
    async with daemon(PLAYS) as gateway:
        _, got, body = await gateway.get("/playlist.m3u")
        status, headers, nothing = await gateway.get("/playlist.m3u", method="HEAD")
    assert (status, nothing) == (200, b"")
    assert headers["etag"] == got["etag"]
    assert headers["content-length"] == str(len(body))

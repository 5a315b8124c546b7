"""The guide over HTTP, and as clients read it."""

import asyncio
import gc
import gzip
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.harness.scripted_daemon import Daemon, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.app import server
from xg2g.clients.xmltv import PIECE_BYTES, document
from xg2g.guide import programme_table
from xg2g.guide.programme import Programme
from xg2g.lineup import Channel
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.receiver.openwebif import Event
from xg2g.receiver.service_reference import ServiceReference
from xg2g.store.database import Database
from xg2g.web.http import incremental

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
DTD = Path("/usr/share/xmltv/xmltv.dtd")
BEGIN_S = 1_795_000_000


def service(sid: int, name: str, kind: str = "19") -> Service:
    return Service(ServiceReference.parse(f"1:0:{kind}:{sid:X}:3FB:1:C00000:0:0:0:"), name)


def id_of(sid: int, kind: str = "19") -> str:
    return f"1_0_{kind}_{sid:X}_3FB_1_C00000_0_0_0"


BOUQUETS = [
    Bouquet("TV", (service(1, "Das Erste & Co <HD>"), service(2, 'Zweites "HD"')), "tv"),
    Bouquet("Radio", (service(3, "Bayern 3", "2"),), "radio", radio=True),
]
TEXTS = [
    ("Tagesschau", "", "", 0x20),
    ("Die Brücke", "Staffel 2, Folge 3", "Ein Mord & <mehr>.\nFortsetzung folgt.", 0x11),
    ("Der Film", "Spielfilm, Deutschland 2015", "Lang und breit.", 0x10),
    ("Kinder", "Ein ganzer Satz, der den Inhalt beschreibt.", "", 0x50),
    ("]]> 😀 \x00\x0b\x1a\ufffe\ud800 'q' \"q\"", "\u0086x\u0087", "\x08", None),
    ("Tatort", "Tatort", "Tatort\nIn Köln.", 0x11),
    ("Fußball", "Live", "Ein Spiel.", 0x43),
    ("New: Drama", "TV-Premiere", "", 0x15),
    ("Krimi (Wh.)", "", "", 0x11),
]


def week(count: int = 48) -> list[Programme]:
    """Programmes as the receiver's events become them."""
    return [
        Programme.from_event(
            Event(
                service=ServiceReference.parse("1:0:19:1:3FB:1:C00000:0:0:0:"),
                id=n,
                begin=datetime.fromtimestamp(BEGIN_S, UTC) + n * timedelta(minutes=90),
                duration=timedelta(minutes=90),
                title=title,
                short=short,
                long=long,
                genre_id=genre,
            )
        )
        for n in range(count)
        for title, short, long, genre in [TEXTS[n % len(TEXTS)]]
    ]


async def fill(gateway: Daemon, *sids: int, count: int = 48) -> None:
    line = week(count)
    await gateway.gateway.database.write(
        lambda c: programme_table.put(c, {id_of(sid): line for sid in sids})
    )


async def guide(gateway: Daemon, path: str = "/xmltv.xml") -> ET.Element:
    status, _, body = await gateway.get(path)
    assert status == 200
    return ET.fromstring(body)


def text(programme: ET.Element, name: str) -> str | None:
    found = programme.find(name)
    return None if found is None else found.text


@pytest.mark.skipif(
    not (DTD.exists() and shutil.which("xmllint") and shutil.which("tv_validate_file")),
    reason="xmllint and xmltv's tv_validate_file are not installed",
)
async def test_the_guide_is_valid_by_the_dtd_and_for_xmltvs_own_validator(tmp_path: Path) -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1, 2)
        _, _, body = await gateway.get("/xmltv.xml?bouquet=TV")
    file = tmp_path / "guide.xml"
    assert body.count(b"<live/>") > 0
    # The one element that the DTD does not have; it stands behind all that the DTD orders before.
    file.write_bytes(body.replace(b"<live/>", b""))
    assert await judge("xmllint", "--noout", "--dtdvalid", str(DTD), str(file)) == []
    complaints = await judge("tv_validate_file", str(file))
    # It wants domain names (RFC 2838). Ours are the ids of playlist and streams; no client minds.
    assert [line for line in complaints if "channel-id" not in line and "found" not in line] == []


async def judge(*command: str) -> list[str]:
    """What a validator complains of."""
    # Without the variable XMLTV's validator asks the web for the DTD.
    judged = await asyncio.create_subprocess_exec(
        *command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"XMLTV_SUPPLEMENT": str(DTD.parent)},
    )
    said, _ = await judged.communicate()
    complaints = [line for line in said.decode().splitlines() if line]
    assert bool(complaints) == bool(judged.returncode)
    return complaints


async def test_ids_names_and_numbers_are_those_of_the_playlist() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        tv = await guide(gateway)
        playlist = (await gateway.get("/playlist.m3u"))[2].decode()
    attributes = re.findall(r'tvg-id="([^"]*)".* tvg-chno="([^"]*)"', playlist)
    channels = tv.findall("channel")
    assert [(c.get("id"), c.findall("display-name")[1].text) for c in channels] == attributes
    assert text(channels[0], "display-name") == "Das Erste & Co <HD>"
    assert {p.get("channel") for p in tv.findall("programme")} == {channels[0].get("id")}
    icon = channels[0].find("icon")
    assert icon is not None
    assert icon.get("src") == f"http://gateway:8088/logos/{id_of(1)}.png"
    # Kodi and Jellyfin want all channels before the first programme.
    assert [element.tag for element in tv] == ["channel"] * 3 + ["programme"] * 48


async def test_times_are_utc_in_the_form_that_jellyfin_reads() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        programme = (await guide(gateway)).findall("programme")[0]
    assert programme.get("start") == f"{datetime.fromtimestamp(BEGIN_S, UTC):%Y%m%d%H%M%S} +0000"
    for moment in (programme.get("start"), programme.get("stop")):
        assert moment is not None
        assert re.fullmatch(r"\d{14} [+]\d{4}", moment)


@pytest.mark.parametrize("begin", ["2026-03-29T00:30", "2026-10-25T00:30"])
async def test_daylight_saving_changes_nothing(begin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    begin_s = int(datetime.fromisoformat(f"{begin}+00:00").timestamp())
    line = [
        Programme(begin_s + n * 1800, begin_s + (n + 1) * 1800, n, f"Part {n}", "", "", None)
        for n in range(4)
    ]
    try:
        async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
            await gateway.gateway.database.write(lambda c: programme_table.put(c, {id_of(1): line}))
            shown = (await guide(gateway)).findall("programme")
    finally:
        monkeypatch.undo()
        time.tzset()
    starts = [(programme.get("start") or "")[8:] for programme in shown]
    assert starts == ["003000 +0000", "010000 +0000", "013000 +0000", "020000 +0000"]


async def test_a_download_that_a_refresh_overtakes_is_of_one_state() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        # 12 MB for each channel: more than socket buffers hold. The server makes one ahead.
        await put_on_all(gateway, [replace(each, long="x" * 6000) for each in week(2000)])
        before = (await gateway.get("/xmltv.xml"))[2]
        with socket.socket() as narrow:
            # Or all of it would be on its way at once.
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            narrow.connect(("127.0.0.1", gateway.port))
            narrow.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=narrow.dup())
        writer.write(b"GET /xmltv.xml HTTP/1.0\r\nHost: gateway:8088\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        slowly = await reader.readexactly(10_000)
        await put_on_all(gateway, [replace(each, title="Other") for each in week(2000)])
        slowly += await reader.read()
        writer.close()
        assert slowly == before
        assert b"<title>Tatort</title>" not in (await gateway.get("/xmltv.xml"))[2]


async def put_on_all(gateway: Daemon, line: list[Programme]) -> None:
    await gateway.gateway.database.write(
        lambda c: programme_table.put(c, dict.fromkeys((id_of(1), id_of(2), id_of(3, "2")), line))
    )


async def test_texts_become_sub_title_description_episode_and_categories() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        shown = (await guide(gateway)).findall("programme")
    news, series, film, children, odd, again, match, first, repeat = shown[: len(TEXTS)]
    assert (text(news, "sub-title"), text(news, "desc"), text(news, "category")) == (
        None,
        None,
        "News",
    )
    assert text(series, "desc") == "Ein Mord & <mehr>.\nFortsetzung folgt."
    assert text(series, "sub-title") == "Staffel 2, Folge 3"
    assert [(n.get("system"), n.text) for n in series.findall("episode-num")] == [
        ("xmltv_ns", "1.2."),
        ("onscreen", "S02E03"),
    ]
    assert [word.text for word in series.findall("category")] == [
        "Series",
        "Detective / Thriller",
    ]
    assert text(film, "category") == "Movie"
    assert film.find("episode-num") is None
    assert text(children, "sub-title") is None
    assert text(children, "desc") == "Ein ganzer Satz, der den Inhalt beschreibt."
    assert text(odd, "title") == "]]> 😀  'q' \"q\""
    assert text(odd, "sub-title") == "x"
    assert (text(again, "sub-title"), text(again, "desc")) == (None, "Tatort\nIn Köln.")
    kinds = {"previously-shown", "premiere", "new", "live"}
    assert [[element.tag for element in each if element.tag in kinds] for each in shown[:9]] == [
        *([[]] * 6),
        ["live"],
        ["premiere", "new"],
        ["previously-shown"],
    ]
    assert (text(match, "title"), text(first, "title")) == ("Fußball", "New: Drama")
    assert text(repeat, "title") == "Krimi (Wh.)"


async def test_a_bouquets_guide_has_its_channels_only() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1, 2)
        tv = await guide(gateway, "/xmltv.xml?bouquet=tv")
        radio = await guide(gateway, "/xmltv.xml?radio=1")
        assert (await gateway.get("/xmltv.xml?bouquet=none"))[0] == 404
        assert (await gateway.get("/xmltv.xml?radio=loud"))[0] == 400
    assert len(tv.findall("channel")) == 2
    assert len(tv.findall("programme")) == 96
    assert (len(radio.findall("channel")), len(radio.findall("programme"))) == (1, 0)


@pytest.mark.parametrize("path", ["/xmltv.xml", "/xmltv.xml.gz", "/xmltv.xml?bouquet=TV"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_no_guide_is_served_before_it_was_read_completely(path: str, method: str) -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS, has_guide=True) as gateway:
        # A piece of it is there already: media servers would keep a guide without the rest.
        await fill(gateway, 1)
        status, headers, body = await ask(gateway, path, "If-None-Match: *", method)
        assert (status, headers["retry-after"]) == (503, "10")
        assert method == "HEAD" or b"being read for the first time" in body
        assert "etag" not in headers
        await gateway.gateway.database.write(lambda c: programme_table.mark_read(c, 1))
        assert (await gateway.get(path, method=method))[0] == 200
        await gateway.gateway.database.write(programme_table.clear)
        assert (await gateway.get(path, method=method))[0] == 503


async def test_an_unchanged_programme_gives_the_same_bytes() -> None:
    def of_first(body: bytes) -> list[bytes]:
        return [line for line in body.splitlines() if id_of(1).encode() in line]

    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        before = (await gateway.get("/xmltv.xml"))[2]
        await fill(gateway, 2)
        await fill(gateway, 1)
        after = (await gateway.get("/xmltv.xml"))[2]
    async with daemon(PLAYS, bouquets=BOUQUETS) as other:
        await fill(other, 1)
        assert (await other.get("/xmltv.xml"))[2] == before
    assert len(of_first(before)) == 49
    assert of_first(after) == of_first(before)
    assert after != before


async def ask(
    gateway: Daemon, path: str, header: str, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    return await gateway.ask(f"{method} {path} HTTP/1.0\nHost: gateway:8088\n{header}\n\n")


async def test_the_guide_is_compressed_only_for_clients_that_request_it() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        _, plain_headers, plain = await gateway.get("/xmltv.xml")
        for accepted in ("gzip", "deflate, gzip;q=0.5", "*"):
            _, headers, packed = await ask(gateway, "/xmltv.xml", f"Accept-Encoding: {accepted}")
            assert headers["content-encoding"] == "gzip"
            assert gzip.decompress(packed) == plain
            assert headers["etag"] != plain_headers["etag"]
            assert headers["vary"] == plain_headers["vary"] == "Accept-Encoding, Origin"
        for refused in ("identity", "gzip;q=0", "br", "*;q=0"):
            _, headers, body = await ask(gateway, "/xmltv.xml", f"Accept-Encoding: {refused}")
            assert "content-encoding" not in headers
            assert body == plain


async def test_the_gz_file_has_no_content_encoding_for_any_accept_encoding() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        _, _, plain = await gateway.get("/xmltv.xml")
        _, headers, packed = await ask(gateway, "/xmltv.xml.gz", "Accept-Encoding: gzip")
        _, _, alias = await gateway.get("/files/xmltv.xml")
    assert headers["content-type"] == "application/gzip"
    assert "content-encoding" not in headers
    assert gzip.decompress(packed) == plain == alias


@pytest.mark.parametrize("path", ["/xmltv.xml", "/xmltv.xml.gz"])
async def test_a_guide_that_the_client_has_is_not_sent_again_until_it_changes(path: str) -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        _, headers, first = await gateway.get(path)
        tag = f"If-None-Match: {headers['etag']}"
        assert (await ask(gateway, path, tag))[::2] == (304, b"")
        # The same guide read again is no change.
        await fill(gateway, 1)
        assert (await ask(gateway, path, tag))[0] == 304
        await fill(gateway, 2)
        status, headers, body = await ask(gateway, path, tag)
        assert status == 200
        assert body != first
        assert f"If-None-Match: {headers['etag']}" != tag
        other = await gateway.ask(f"GET {path} HTTP/1.0\nHost: other\n{tag}\n\n")
        assert other[0] == 200


async def test_head_has_the_headers_of_get_and_makes_no_document() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1)
        _, got, _ = await gateway.get("/xmltv.xml")
        status, headers, body = await gateway.get("/xmltv.xml", method="HEAD")
    assert (status, body, headers["etag"]) == (200, b"", got["etag"])
    assert headers["content-type"] == "application/xml"


async def test_a_client_that_reads_nothing_gets_no_end_and_blocks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(incremental, "STALL_S", 0.3)
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1, 2, count=30_000)
        reader, writer = await gateway.connect()
        reader._limit = 1024  # type: ignore[attr-defined]
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /xmltv.xml HTTP/1.1\r\nHost: x\r\n\r\n")
        downloads = gateway.gateway.downloads
        async with asyncio.timeout(20):
            while downloads._value == 8:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            while downloads._value < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        writer.transport.abort()
        assert (await gateway.get("/xmltv.xml", method="HEAD"))[0] == 200


async def test_a_stop_waits_for_no_download_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(server, "SHUTDOWN_S", 1)
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        await fill(gateway, 1, 2, count=30_000)
        reader, writer = await gateway.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /xmltv.xml HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(20):
            while gateway.gateway.downloads._value == 8:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
    await asyncio.sleep(0.1)
    writer.transport.abort()
    gc.collect()
    assert not troubles
    assert not recwarn.list


@pytest.mark.parametrize("compressed", [False, True])
async def test_the_document_of_thousands_of_channels_comes_in_pieces(
    tmp_path: Path, compressed: bool
) -> None:
    channels = [
        Channel(id_of(number), number, "x" * 200, (service(number, "").reference,))
        for number in range(1, 1501)
    ]
    texts = [replace(line, title=os.urandom(100).hex()) for line in week(4)]

    def store(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO channel VALUES (?, ?, '', 0, '[]', '', 1, '')",
            ((channel.id, channel.number) for channel in channels),
        )
        programme_table.put(connection, dict.fromkeys([it.id for it in channels], texts))

    async with Database.open(tmp_path) as database:
        await database.write(store)
        async with database.snapshot() as snapshot:
            pieces = [
                piece
                async for piece in document(
                    snapshot, channels, logo_url=lambda _: None, compressed=compressed
                )
            ]
    whole = gzip.decompress(b"".join(pieces)) if compressed else b"".join(pieces)
    assert len(ET.fromstring(whole).findall("channel")) == 1500
    assert len(ET.fromstring(whole).findall("programme")) == 4 * 1500
    assert max(map(len, pieces)) < 1.3 * PIECE_BYTES


async def test_a_guide_without_programmes_is_valid() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        tv = await guide(gateway)
    assert [element.tag for element in tv] == ["channel"] * 3

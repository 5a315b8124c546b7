"""Documents of a big lineup delay no other request, and are not kept in memory as a whole."""

import asyncio
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from tests.harness.scripted_daemon import Daemon, daemon
from tests.harness.stream_server import plays_endlessly
from xg2g.clients.m3u import logo_path
from xg2g.lineup import Channel
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.receiver.service_reference import ServiceReference
from xg2g.web.http import incremental

pytestmark = pytest.mark.anyio

CHANNELS = 4000
BIG = [
    Bouquet(
        "TV",
        tuple(
            Service(
                ServiceReference.parse(f"1:0:19:{sid:X}:{sid // 4:X}:1:C00000:0:0:0:"), f"C {sid}"
            )
            for sid in range(1, CHANNELS + 1)
        ),
    )
]
DOCUMENTS = (
    "/playlist.m3u",
    "/lineup.json",
    "/lineup.xml",
    "/lineup.m3u",
    "/xmltv.xml",
    "/api/v1/channels?limit=4000",
)


async def longest_work(gateway: Daemon, path: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Channels that are written between two turns of the loop, at most."""
    written = {"now": 0, "most": 0}

    def counted(channel: Channel) -> str:
        written["now"] += 1
        written["most"] = max(written["most"], written["now"])
        return logo_path(channel)

    for module in ("xg2g.clients.m3u.logo_path", "xg2g.web.api.channels.logo_path"):
        monkeypatch.setattr(module, counted)
    monkeypatch.setattr(
        "xg2g.hdhomerun.documents.stream_path",
        lambda channel: f"/auto/v{channel.number}" if counted(channel) else "",
    )

    async def reset() -> None:
        while True:
            written["now"] = 0
            await asyncio.sleep(0)

    task = asyncio.create_task(reset())
    status, _, body = await gateway.get(path)
    task.cancel()
    await asyncio.wait({task})
    assert (status, len(body) > CHANNELS * 50) == (200, True)
    return written["most"]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if "xmltv" not in path])
async def test_the_event_loop_serves_others_while_a_document_of_thousands_of_channels_is_made(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with daemon(plays_endlessly, bouquets=BIG) as gateway:
        most = await longest_work(gateway, path, monkeypatch)
    assert 0 < most <= 500


async def test_the_guides_channels_are_written_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop_thread: set[bool] = set()

    def watched(channel: Channel) -> str:
        try:
            asyncio.get_running_loop()
            loop_thread.add(True)
        except RuntimeError:
            loop_thread.add(False)
        return logo_path(channel)

    monkeypatch.setattr("xg2g.web.routes.xmltv.logo_path", watched)
    async with daemon(plays_endlessly, bouquets=BIG) as gateway:
        status, _, body = await gateway.get("/xmltv.xml")
    assert (status, loop_thread) == (200, {False})
    assert len(ET.fromstring(body).findall("channel")) == CHANNELS


async def test_every_document_of_the_tuner_names_every_channel() -> None:
    async with daemon(plays_endlessly, bouquets=BIG) as gateway:
        rows = json.loads((await gateway.get("/lineup.json"))[2])
        programs = ET.fromstring((await gateway.get("/lineup.xml"))[2]).findall("Program")
        lines = (await gateway.get("/lineup.m3u"))[2].decode().splitlines()
        _, headers, playlist = await gateway.get("/playlist.m3u")
    assert [row["GuideNumber"] for row in rows] == [str(n + 1) for n in range(CHANNELS)]
    assert [p.findtext("URL") for p in programs] == [row["URL"] for row in rows]
    assert lines[2::2] == [row["URL"] for row in rows]
    assert int(headers["content-length"]) == len(playlist)


async def test_an_unchanged_document_keeps_its_tag_and_is_not_sent_again() -> None:
    async with daemon(plays_endlessly, bouquets=BIG) as gateway:
        for path in ("/playlist.m3u", "/lineup.json"):
            _, headers, _ = await gateway.get(path)
            tag = headers["etag"]
            status, again, body = await gateway.ask(
                f"GET {path} HTTP/1.0\nHost: gateway:8088\nIf-None-Match: {tag}\n\n"
            )
            assert (status, again["etag"], body) == (304, tag, b"")
            _, other, _ = await gateway.ask(f"GET {path} HTTP/1.0\nHost: other:8088\n\n")
            assert other["etag"] != tag
            status, _, body = await gateway.get(path, method="HEAD")
            assert (status, body) == (200, b"")


async def test_an_empty_lineup_is_an_empty_list() -> None:
    async with daemon(plays_endlessly, bouquets=[]) as gateway:
        assert json.loads((await gateway.get("/lineup.json"))[2]) == []
        assert list(ET.fromstring((await gateway.get("/lineup.xml"))[2])) == []


@pytest.mark.parametrize(("rows", "made"), [(50, 1), (5000, 2)])
async def test_a_long_document_is_made_twice_and_never_kept_in_memory(rows: int, made: int) -> None:
    calls, sizes = [0], list[int]()

    def texts() -> Iterator[str]:
        calls[0] += 1
        for number in range(rows):
            yield f"{number:>999}\n"

    async def send(message: Any) -> None:
        sizes.append(len(message.get("body", b"")))

    async def receive() -> Any:
        return await asyncio.Future()

    app = SimpleNamespace(state=SimpleNamespace())
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "app": app}
    request = Request(scope, receive)
    response = incremental.DocumentResponse(request, texts, media_type="text/plain")
    await response(scope, receive, send)
    assert (calls[0], sum(sizes)) == (made, rows * 1000)
    assert max(sizes) < incremental.PIECE_BYTES + 1000

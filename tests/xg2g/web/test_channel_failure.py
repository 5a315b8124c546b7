"""Why a channel does not open: on the page, in the API, on the overview and in the log."""

import html
import json
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from tests.harness.daemon import client_of, settings_for
from tests.harness.scripted_daemon import REFERENCE, STREAM, Daemon, daemon, until
from tests.harness.stream_server import (
    CRLF_ANSWER,
    PACKET,
    Connection,
    plays_endlessly,
    says,
    says_then_stays_silent,
)
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.metrics import Outcome
from xg2g.outputs.failures import KEPT, Failures
from xg2g.outputs.refusals import REFUSALS
from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.service_reference import ServiceReference
from xg2g.simulator import SimulatedReceiver
from xg2g.web.channel_failure import ADVICE
from xg2g.web.http.access import Access

pytestmark = pytest.mark.anyio

OTHER = Service(ServiceReference.parse("1:0:19:1:FFF:1:C00000:0:0:0:"), "<b>Other</b>")
OTHER_STREAM = "/stream/1_0_19_1_FFF_1_C00000_0_0_0.ts"
TWO = [Bouquet("TV", (Service(ServiceReference.parse(REFERENCE), "Das Erste HD"), OTHER))]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def browse(
    gateway: Daemon, path: str, accept: str = BROWSER
) -> tuple[int, dict[str, str], str]:
    status, headers, body = await gateway.ask(
        f"GET {path} HTTP/1.0\nHost: gateway:8088\nAccept: {accept}\n\n"
    )
    return status, headers, body.decode()


async def failures(gateway: Daemon) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads((await gateway.get("/api/v1/failures"))[2])["failures"]
    return told


@pytest.mark.parametrize(
    ("script", "status", "reason", "advice"),
    [
        (says(CRLF_ANSWER), 503, "found no signal", "Try the channel on the television"),
        (says_then_stays_silent(CRLF_ANSWER), 504, "sent nothing for 0.1 s", "dish may still be"),
        (says(b"HTTP/1.0 401 Unauthorized\r\n\r\n"), 502, "stream server", "receiver.user"),
    ],
    ids=["no lock", "silence", "credentials"],
)
async def test_a_browser_gets_the_reason_and_a_player_an_empty_body(
    script: Any, status: int, reason: str, advice: str
) -> None:
    async with daemon(script, first_byte_s=0.1) as gateway:
        got, headers, page = await browse(gateway, STREAM)
        assert (got, headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-hdhomerun-error"]
        assert "Das Erste HD does not open" in page
        assert reason in page
        assert advice in page
        for accept in ("*/*", "video/mp2t, */*;q=0.5", "video/*,audio/*"):
            got, headers, page = await browse(gateway, STREAM, accept)
            assert (got, page, headers["content-length"]) == (status, "", "0")


async def test_the_page_shows_who_uses_the_tuners_and_since_when() -> None:
    async with daemon(plays_endlessly, bouquets=TWO, tuner_limit=1) as gateway:
        _, writer = await gateway.watch()
        status, _, page = await browse(gateway, OTHER_STREAM)
        writer.close()
    assert status == 503
    assert "the receiver's only tuner is in use" in html.unescape(page)
    assert "Who uses the tuners" in page
    assert "<b>Das Erste HD</b>" in page
    assert "127.0.0.1, since " in page
    assert page.count("does not open") == 2
    assert "&lt;b&gt;Other&lt;/b&gt; does not open" in page


async def test_a_channel_uses_a_tuner_once_for_all_its_viewers_and_a_web_stream_none() -> None:
    async with (
        SimulatedReceiver(tuners=1) as receiver,
        client_of(settings_for(receiver)) as client,
        AsyncExitStack() as viewers,
    ):
        channels = (await client.get("/api/v1/channels")).json()["channels"]
        urls = {each["name"]: each["stream_url"] for each in channels}
        for name in ("Card One HD", "Card One HD", "Web Three"):
            stream = await viewers.enter_async_context(client.stream("GET", urls[name]))
            assert stream.status_code == 200
        answer = await client.get(urls["Card Three & Friends"], headers={"Accept": BROWSER})
    assert answer.status_code == 503
    _, users = answer.text.split("Who uses the tuners")
    assert re.findall(r"<b>([^<]*)</b>", users) == ["Card One HD"]
    assert users.count("<li>127.0.0.1, since ") == 2


async def test_viewers_are_hidden_if_reading_needs_a_token() -> None:
    access = Access("swordfish", for_reading=True)
    async with daemon(plays_endlessly, bouquets=TWO, tuner_limit=1, access=access) as gateway:
        _, writer = await gateway.watch()
        status, _, page = await browse(gateway, OTHER_STREAM)
        writer.close()
        assert (await gateway.get("/api/v1/failures"))[0] == 401
    assert (status, "127.0.0.1" in page, "Das Erste" in page) == (503, False, False)


async def test_one_line_of_the_log_names_channel_viewer_and_reason() -> None:
    async with daemon(says(CRLF_ANSWER)) as gateway:
        with structlog.testing.capture_logs() as logs:
            await gateway.get(STREAM)
            await gateway.ended(Outcome.NO_SIGNAL)
            await gateway.get("/stream/gone.ts")
    about = [line for line in logs if "channel" in line]
    assert [line["event"] for line in about] == ["channel not opened"] * 2
    first, second = about
    assert (first["name"], first["viewer"], first["status"]) == ("Das Erste HD", "127.0.0.1", 503)
    assert first["reason"] == "the receiver found no signal for this service"
    assert (second["channel"], second["viewer"]) == ("gone", "127.0.0.1")
    assert second["reason"] == "there is no such channel; load the playlist again"


async def test_the_last_failures_are_in_the_api_and_on_the_front_page() -> None:
    async with daemon(says(CRLF_ANSWER)) as gateway:
        assert await failures(gateway) == []
        assert b"Latest failures" not in (await gateway.get("/addresses"))[2]
        await gateway.get("/stream/gone.ts")
        for _ in range(3):
            await gateway.get(STREAM)
        latest, before = await failures(gateway)
        page = (await gateway.get("/addresses"))[2].decode()
    assert (latest["channel_name"], latest["times"], latest["status"]) == ("Das Erste HD", 3, 503)
    assert (latest["viewer"], latest["outcome"]) == ("127.0.0.1", "no_signal")
    assert (before["channel"], before["channel_name"], before["status"]) == ("gone", None, 404)
    assert page.index("Latest failures") < page.index("<b>Das Erste HD</b>") < page.index("gone")
    assert ", 3 times" in page


async def test_a_stream_that_breaks_is_a_failure_without_a_status() -> None:
    async def breaks(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER + PACKET * 10)
        connection.reset()

    async with daemon(breaks) as gateway:
        await gateway.get(STREAM)
        await until(lambda: len(gateway.gateway.failures) == 1)
        [failure] = await failures(gateway)
    assert (failure["status"], failure["outcome"]) == (None, "receiver_unreachable")


@pytest.mark.parametrize(
    "path",
    ["/stream/gone.ts", "/auto/v9999", "/tuner0/v9999", "/1:0:0:0:0:0:0:0:0:0:%2fetc%2fpasswd"],
)
async def test_the_page_explains_an_unknown_channel(path: str) -> None:
    async with daemon(says(CRLF_ANSWER)) as gateway:
        status, headers, page = await browse(gateway, path)
        assert (status, headers["x-hdhomerun-error"]) == (404, "801 Unknown Channel")
        assert "Load the playlist again" in page
        assert (await browse(gateway, path, "*/*"))[2] == ""


async def test_the_page_tells_why_there_is_no_lineup() -> None:
    async with daemon(says(CRLF_ANSWER), bouquets=UnreachableError("the box is <off>")) as gateway:
        await until(lambda: gateway.gateway.lineup_keeper.trouble is not None)
        status, _, page = await browse(gateway, STREAM)
    assert status == 502
    assert "the box is &lt;off&gt;" in page
    assert "Switch the receiver on" in page


async def test_a_browser_gets_a_page_about_an_unknown_bouquet() -> None:
    async with daemon(says(CRLF_ANSWER), bouquets=TWO) as gateway:
        status, headers, page = await browse(gateway, "/bouquets/Vt.m3u")
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert 'there are: "TV"' in html.unescape(page)


async def test_the_requested_name_is_escaped_and_shortened() -> None:
    async with daemon(says(CRLF_ANSWER)) as gateway:
        _, _, page = await browse(gateway, f"/stream/%3Cscript%3E{'x' * 5000}.ts")
        [failure] = await failures(gateway)
    assert "<script" not in page
    assert len(page) < 10_000
    assert len(failure["channel"]) <= 64


def test_the_latest_failures_are_kept_and_repeated_ones_counted() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    kept = Failures(lambda: now)

    def fail(channel: str) -> None:
        kept.add(
            channel_id=channel,
            channel_name=None,
            viewer="v",
            status=404,
            outcome="unknown_service",
            reason="gone",
        )

    for number in range(KEPT * 3):
        fail(str(number))
    assert [each.channel_id for each in kept] == [
        str(number) for number in reversed(range(KEPT * 2, KEPT * 3))
    ]
    fail(str(KEPT * 2))
    first = next(iter(kept))
    assert (first.channel_id, first.times, len(kept)) == (str(KEPT * 2), 2, KEPT)


def test_every_refusal_has_advice() -> None:
    assert {refusal.outcome for refusal in REFUSALS.values()} <= set(ADVICE)

"""IPTV entries, played from where they point."""

import asyncio

import pytest

from tests.harness.scripted_daemon import daemon, until
from tests.harness.stream_server import (
    CRLF_ANSWER,
    PACKET,
    Connection,
    Script,
    plays_at_leisure,
    says,
    says_then_stays_silent,
    upstream,
)
from tests.xg2g.streaming.provider import PLAYS, address, entry, play
from xg2g.lineup.arrangement import Bouquet, Service, arrange
from xg2g.metrics import Outcome
from xg2g.receiver import read_pacing
from xg2g.receiver.address import StreamDeadlines
from xg2g.receiver.errors import UnexpectedAnswerError
from xg2g.receiver.service_reference import ServiceReference
from xg2g.streaming.iptv import IptvClient

pytestmark = pytest.mark.anyio


async def test_an_entry_is_played_from_its_own_address_and_no_tuner_is_used(names: None) -> None:
    async with upstream(PLAYS) as web:
        status, _, body, receiver = await play(entry(address(web)))
        assert web.connections[0].request.startswith(b"GET /live/user/secret/1.ts?a=b&c=d HTTP")
    assert (status, body) == (200, PACKET * 10)
    assert not receiver.connections


async def test_the_receivers_relay_is_asked_at_the_receiver(names: None) -> None:
    async with upstream(PLAYS) as relay:
        url = address(relay, "127.0.0.1")
        status, _, body, _ = await play(entry(url, "1:0:19:283D:3FB:1:C00000:0:0:0"))
        assert f"Host: box:{relay.port}".encode().lower() in relay.connections[0].request.lower()
    assert (status, body) == (200, PACKET * 10)


@pytest.mark.parametrize(
    ("script", "status", "error"),
    [
        (says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), 503, "805"),
        (says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), 502, "806"),
        (says(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), 502, "806"),
        (
            says(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-mpegURL\r\n\r\n#EXTM3U\n"),
            502,
            "8",
        ),
        (says(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"), 502, "806"),
        (says(b"garbage\r\n\r\n"), 502, "806"),
        (says(CRLF_ANSWER), 503, "806"),
        (says_then_stays_silent(CRLF_ANSWER), 504, "807"),
        (says_then_stays_silent(), 504, "807"),
    ],
    ids=[
        "unknown",
        "refused",
        "broken",
        "hls",
        "to a file",
        "no http",
        "empty",
        "silent body",
        "silent",
    ],
)
async def test_an_entry_that_cannot_be_played_is_a_status_without_secrets_in_the_log(
    script: Script, status: int, error: str, names: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with upstream(script) as web:
        answer = await play(entry(address(web)))
    assert (answer[0], answer[2]) == (status, b"")
    assert answer[1].startswith(error)
    assert "secret" not in capsys.readouterr().out


async def test_a_redirect_of_the_provider_is_followed(names: None) -> None:
    async with upstream(PLAYS) as second:
        there = address(second).encode()
        redirect = says(
            b"HTTP/1.1 302 Found\r\nLocation: " + there + b"\r\nContent-Length: 0\r\n\r\n"
        )
        async with upstream(redirect) as first:
            status, _, body, _ = await play(entry(address(first)))
    assert (status, body) == (200, PACKET * 10)


async def test_a_redirect_that_is_not_followed_says_where_to(names: None) -> None:
    """Of a softcam's relay, which the entry names as this machine."""
    redirect = says(b"HTTP/1.1 302 Found\r\nLocation: http://other.example/live?key=secret\r\n\r\n")
    async with upstream(redirect) as relay:
        web = IptvClient("box", StreamDeadlines(connect_s=30, first_byte_s=30, stall_s=30))
        with pytest.raises(UnexpectedAnswerError) as raised:
            async with web.open(entry(f"http://127.0.0.1:{relay.port}/1").reference):
                pass
    error = raised.value
    assert "redirects to other.example" in str(error)
    assert "secret" not in str(error)


async def test_the_next_alternative_plays_when_one_cannot() -> None:
    refusals = 0

    async def first_refuses(connection: Connection) -> None:
        nonlocal refusals
        if b":1:3FB:" in connection.request:
            refusals += 1
            await says(CRLF_ANSWER, b"HTTP/1.0 400 Bad Request\r\n\r\n")(connection)
        else:
            await PLAYS(connection)

    text = '1:134:1:0:0:0:0:0:0:0:FROM BOUQUET "alternatives.a.tv" ORDER BY bouquet'
    members = tuple(ServiceReference.parse(f"1:0:19:{sid}:3FB:1:C00000:0:0:0:") for sid in (1, 2))
    group = Service(ServiceReference.parse(text), "Das Erste", members)
    async with daemon(first_refuses, bouquets=[Bouquet("TV", (group,))]) as gateway:
        status, _, body = await gateway.get("/stream/1_0_19_1_3FB_1_C00000_0_0_0.ts")
        assert [remuxer.options.program for remuxer in gateway.backend.remuxers] == [2]
    assert (status, body, refusals) == (200, PACKET * 10, 1)


async def test_a_server_that_looks_first_and_then_plays_asks_the_provider_once(
    names: None,
) -> None:
    async with upstream(plays_at_leisure) as provider:
        entries = [Bouquet("Web", (entry(address(provider)),))]
        (channel,) = arrange(entries).candidates
        path = f"/stream/{channel.id}.ts"
        async with daemon(PLAYS, bouquets=entries, linger_s=5) as gateway:
            for _ in range(3):
                reader, writer = await gateway.watch(path)
                await reader.readexactly(188 * 20)
                writer.close()
                await until(lambda: gateway.gateway.hub.lingering == 1)
        assert len(provider.connections) == 1


async def test_a_file_begins_anew_for_a_viewer_who_comes_back(names: None) -> None:
    """Nothing lingers that would rush by meanwhile."""

    async def script(connection: Connection) -> None:
        await connection.send(
            CRLF_ANSWER.replace(b"\r\n\r\n", b"\r\nContent-Length: 1880000\r\n\r\n")
        )
        while True:
            await connection.send(PACKET)
            await asyncio.sleep(0.005)

    async with upstream(script) as provider:
        entries = [Bouquet("Web", (entry(address(provider)),))]
        (channel,) = arrange(entries).candidates
        async with daemon(PLAYS, bouquets=entries, linger_s=60) as gateway:
            for _ in range(3):
                _, writer = await gateway.watch(f"/stream/{channel.id}.ts")
                writer.close()
                await until(lambda: not gateway.gateway.hub.upstreams)
        assert len(provider.connections) == 3


async def test_a_web_stream_in_small_pieces_is_left_to_the_kernel_for_a_while(
    names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_pacing, "PROMPT_S", 0.0)
    monkeypatch.setattr(read_pacing, "GATHER_S", 0.5)
    pieces = 100

    async def script(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER)
        for _ in range(pieces):
            await connection.send(PACKET)
            await asyncio.sleep(0.001)

    deadlines = StreamDeadlines(connect_s=5, first_byte_s=5, stall_s=5)
    sizes = []
    async with (
        upstream(script) as web,
        IptvClient("box", deadlines).open(entry(address(web)).reference) as stream,
        asyncio.timeout(10),
    ):
        while chunk := await stream.read():
            sizes.append(len(chunk))
    assert sum(sizes) == pieces * len(PACKET)
    assert len(sizes) <= pieces / 10


async def test_a_file_that_is_over_is_not_played_again(names: None) -> None:
    body = PACKET * 10
    told = CRLF_ANSWER.replace(b"\r\n\r\n", f"\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    async with upstream(says(told, body)) as provider:
        entries = [Bouquet("Web", (entry(address(provider)),))]
        (channel,) = arrange(entries).candidates
        async with daemon(PLAYS, bouquets=entries, reconnect_s=12) as gateway:
            status, _, played = await gateway.get(f"/stream/{channel.id}.ts")
            await gateway.ended(Outcome.RECEIVER_ENDED)
        assert len(provider.connections) == 1
    assert (status, played) == (200, body)

"""The routes of streams."""

import asyncio
import json

import pytest

from tests.harness.scripted_daemon import REFERENCE, STREAM, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says, says_then_stays_silent
from xg2g.metrics import Outcome
from xg2g.outputs.refusals import REFUSALS, refusal_for
from xg2g.receiver.errors import ReceiverError, UnknownServiceError, UnreachableError
from xg2g_backends.errors import BackendError, InternalError, UnavailableError

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)


async def test_a_channel_is_a_transport_stream_without_length() -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, body = await gateway.get(STREAM)
        remuxers = gateway.backend.remuxers
    assert status == 200
    assert headers["content-type"] == "video/mp2t"
    assert "content-length" not in headers
    assert body == PACKET * 10
    assert [remuxer.options.program for remuxer in remuxers] == [0x283D]
    assert all(remuxer.closed for remuxer in remuxers)


@pytest.mark.parametrize("suffix", ["", ":Das%20Erste%20HD"])
async def test_a_service_reference_is_a_path_so_that_the_receivers_urls_work(suffix: str) -> None:
    async with daemon(PLAYS) as gateway:
        status, _, body = await gateway.get(f"/{REFERENCE}{suffix}")
        assert gateway.upstream.connections[0].request.startswith(f"GET /{REFERENCE} ".encode())
    assert (status, body) == (200, PACKET * 10)


async def test_a_service_that_is_in_no_bouquet_is_asked_from_the_receiver() -> None:
    async with daemon(PLAYS) as gateway:
        status, _, _ = await gateway.get("/1:0:1:99:3FB:1:C00000:0:0:0:")
    assert status == 200


async def test_a_service_that_neither_bouquets_nor_receiver_know_is_an_unknown_channel() -> None:
    async with daemon(says(CRLF_ANSWER, b"HTTP/1.0 400 Bad Request\r\n\r\n")) as gateway:
        status, headers, body = await gateway.get("/1:0:1:99:3FB:1:C00000:0:0:0:")
    assert (status, body) == (404, b"")
    assert headers["x-hdhomerun-error"] == "801 Unknown Channel"


@pytest.mark.parametrize(
    "path",
    [
        "/stream/1_0_1_99_3FB_1_C00000_0_0_0.ts",
        "/stream/nonsense.ts",
        "/1:0:0:0:0:0:0:0:0:0:%2fetc%2fpasswd",
        "/4097:0:1:0:0:0:0:0:0:0:http%253a%252f%252fexample.org",
    ],
)
async def test_an_unknown_channel_is_404_without_touching_the_receiver(path: str) -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, body = await gateway.get(path)
        assert not gateway.upstream.connections
    assert (status, body) == (404, b"")
    assert headers["x-hdhomerun-error"] == "801 Unknown Channel"


async def test_head_says_the_type_without_touching_a_tuner() -> None:
    async with daemon(PLAYS) as gateway:
        for path in (STREAM, f"/{REFERENCE}"):
            status, headers, body = await gateway.get(path, method="HEAD")
            assert (status, body) == (200, b"")
            assert headers["content-type"] == "video/mp2t"
            assert "content-length" not in headers
        assert not gateway.upstream.connections


async def test_a_range_from_the_beginning_gets_the_whole_stream_with_200() -> None:
    async with daemon(PLAYS) as gateway:
        status, _, body = await gateway.ask(
            f"GET {STREAM} HTTP/1.0\nHost: x\nRange: bytes=0-\nIcy-MetaData: 1\n\n"
        )
    assert (status, body) == (200, PACKET * 10)


@pytest.mark.parametrize(
    ("script", "status", "error"),
    [
        (says(CRLF_ANSWER, b"HTTP/1.0 400 Bad Request\r\n\r\n"), 503, "805 All Tuners In Use"),
        (says(CRLF_ANSWER), 503, "806 Tune Failed"),
        (says(CRLF_ANSWER, b"\x47"), 503, "806 Tune Failed"),
        (says_then_stays_silent(CRLF_ANSWER), 504, "807 No Video Data"),
        (says_then_stays_silent(CRLF_ANSWER, b"\x47"), 504, "807 No Video Data"),
        (says(b"HTTP/1.0 401 Unauthorized\r\n\r\n"), 502, "806 Tune Failed"),
        (says(b"220 ftp ready\r\n"), 502, "806 Tune Failed"),
    ],
    ids=[
        "no tuner",
        "no lock",
        "nothing to show",
        "silence",
        "less than a packet",
        "wrong credentials",
        "no stream server",
    ],
)
async def test_a_failure_before_the_first_byte_is_a_status_with_an_empty_body(
    script: object, status: int, error: str
) -> None:
    async with daemon(script, first_byte_s=0.1) as gateway:  # type: ignore[arg-type]
        answer = await gateway.get(STREAM)
        assert all(remuxer.closed for remuxer in gateway.backend.remuxers)
    assert (answer[0], answer[1]["x-hdhomerun-error"], answer[2]) == (status, error, b"")
    assert answer[1]["content-length"] == "0"


async def test_an_unreachable_stream_server_is_502() -> None:
    async with daemon(PLAYS) as gateway:
        await gateway.upstream.stop_listening()
        status, _, body = await gateway.get(STREAM)
    assert (status, body) == (502, b"")


async def test_a_backend_that_cannot_be_used_is_503_and_one_that_fails_is_500() -> None:
    async with daemon(PLAYS) as gateway:
        gateway.backend.open_error = UnavailableError("full")
        assert (await gateway.get(STREAM))[0] == 503
        gateway.backend.open_error = InternalError("a defect")
        assert (await gateway.get(STREAM))[0] == 500
        for connection in gateway.upstream.connections:
            await asyncio.wait_for(connection.closed_by_client.wait(), 2)


def test_every_error_of_receiver_and_backend_has_its_refusal() -> None:
    for base in (ReceiverError, BackendError):
        for kind in base.__subclasses__():
            unknown = kind is UnknownServiceError
            assert refusal_for(kind("text")).status in ({404} if unknown else range(500, 505))
    assert set(REFUSALS) >= set(ReceiverError.__subclasses__())


async def test_while_the_receiver_is_off_the_daemon_serves_and_says_why_nothing_plays() -> None:
    async with daemon(PLAYS, bouquets=UnreachableError("the box is off")) as gateway:
        status, _, body = await gateway.get("/playlist.m3u")
        assert (status, body) == (503, b"the box is off\n")
        assert (await gateway.get(STREAM))[0] == 502
        status, _, body = await gateway.get("/healthz")
    assert status == 200
    assert json.loads(body)["receiver"] == "the box is off"


async def test_health_says_that_the_daemon_serves_and_with_how_many_channels() -> None:
    async with daemon(PLAYS) as gateway:
        status, _, body = await gateway.get("/healthz")
    assert status == 200
    health = json.loads(body)
    assert (health["status"], health["channels"], health["receiver"]) == ("ready", 1, "ok")


async def test_metrics_count_streams_under_a_bounded_set_of_labels() -> None:
    async with daemon(PLAYS) as gateway:
        await gateway.get(STREAM)
        await gateway.get("/stream/nobody-knows-this.ts")
        await gateway.ended(Outcome.RECEIVER_ENDED)
        _, _, body = await gateway.get("/metrics")
    lines = body.decode().splitlines()
    assert "xg2g_channels 1.0" in lines
    assert "xg2g_streams_active 0.0" in lines
    assert f"xg2g_stream_output_bytes_total {len(PACKET) * 10}.0" in lines
    outcomes = [line for line in lines if line.startswith("xg2g_streams_total{")]
    assert len(outcomes) == len(Outcome)
    assert 'xg2g_streams_total{outcome="receiver_ended"} 1.0' in outcomes


async def test_other_paths_and_methods_are_refused() -> None:
    async with daemon(PLAYS) as gateway:
        assert (await gateway.get("/robots.txt"))[0] == 404
        assert (await gateway.get("/a/b/c"))[0] == 404
        assert (await gateway.get(STREAM, method="POST"))[0] == 405
        assert not gateway.upstream.connections

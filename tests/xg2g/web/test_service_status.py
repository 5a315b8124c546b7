"""The daemon reports "ready" exactly while a new viewer would get a stream."""

import asyncio
import json
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

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
from xg2g.readiness import Part, State, readiness
from xg2g.receiver.service_reference import ServiceReference
from xg2g_backends.base import BackendHealth
from xg2g_backends.errors import UnavailableError

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe without delays, which have tests of their own."""
    monkeypatch.setattr(readiness, "PROBE_DELAYS_S", (0.02,))


async def states(gateway: Daemon) -> tuple[int, list[str], list[str]]:
    """Return the HTTP status of /readyz, the state in each place, and the reasons."""
    ready, _, body = await gateway.get("/readyz")
    told = json.loads(body)
    health = json.loads((await gateway.get("/healthz"))[2])
    status = json.loads((await gateway.get("/api/v1/status"))[2])
    metrics = (await gateway.get("/metrics"))[2].decode().splitlines()
    page = unescape((await gateway.get("/"))[2].decode())
    assert told["reasons"] == health["reasons"] == status["reasons"]
    assert status["ready"] is (ready == 200)
    assert f"xg2g_ready {float(ready == 200)}" in metrics
    for state in State:
        is_it = state.value == told["status"]
        assert f'xg2g_state{{state="{state.value.replace(" ", "_")}"}} {float(is_it)}' in metrics
        assert (f">{state.value}</span>" in page) is is_it
    for reason in told["reasons"]:
        assert reason in page
    return ready, [told["status"], health["status"], status["state"]], told["reasons"]


async def test_all_places_report_the_same_state_while_there_is_no_problem() -> None:
    async with daemon(PLAYS) as gateway:
        assert await states(gateway) == (200, ["ready"] * 3, [])


async def test_a_closed_stream_port_is_reported_even_if_nobody_watches() -> None:
    async with daemon(PLAYS) as gateway:
        await gateway.upstream.stop_listening()
        status, told, [reason] = await states(gateway)
        assert (status, told) == (503, ["not ready"] * 3)
        assert reason.startswith("cannot reach the receiver's stream server at 127.0.0.1:")
        health = json.loads((await gateway.get("/healthz"))[2])
        assert health["receiver"] == reason


async def test_a_failed_stream_counts_at_once_despite_a_recent_good_finding() -> None:
    async with daemon(PLAYS) as gateway:
        assert (await gateway.get("/readyz"))[0] == 200
        await gateway.upstream.stop_listening()
        assert (await gateway.get(STREAM))[0] == 502
        assert (await gateway.get("/readyz"))[0] == 503


async def test_a_stream_port_that_comes_back_is_noticed_without_a_viewer() -> None:
    async with daemon(PLAYS) as gateway:
        listening = gateway.upstream.port
        await gateway.upstream.stop_listening()
        assert (await gateway.get(STREAM))[0] == 502
        find = gateway.gateway.readiness.finding
        assert find(Part.STREAM_SERVER).state is State.NOT_READY
        again = await asyncio.start_server(gateway.upstream.accepted, "127.0.0.1", listening)
        async with again:
            await until(lambda: find(Part.STREAM_SERVER).state is State.READY)
            assert (await gateway.get("/readyz"))[0] == 200


async def test_a_forwarded_port_without_a_server_is_reported() -> None:
    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with daemon(PLAYS) as gateway:
        await gateway.upstream.stop_listening()
        async with await asyncio.start_server(closes, "127.0.0.1", gateway.upstream.port):
            status, _, [reason] = await states(gateway)
    assert status == 503
    assert "closes connections at once" in reason


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 401 Unauthorized\r\n\r\n", b"220 ftp ready\r\n"], ids=["401", "ftp"]
)
async def test_a_server_that_refuses_every_service_is_probed_with_the_refused_one(
    answer: bytes,
) -> None:
    async with daemon(says(answer)) as gateway:
        assert (await gateway.get(STREAM))[0] == 502
        for _ in range(2):
            assert (await gateway.get("/readyz"))[0] == 503
            asked = len(gateway.upstream.connections)
            await until(lambda asked=asked: len(gateway.upstream.connections) > asked + 2)  # type: ignore[misc]
        gateway.upstream.script = PLAYS
        find = gateway.gateway.readiness.finding
        await until(lambda: find(Part.STREAM_SERVER).state is State.READY)


@pytest.mark.parametrize(
    "script",
    [says(CRLF_ANSWER, b"HTTP/1.0 400 Bad Request\r\n\r\n"), says(CRLF_ANSWER)],
    ids=["no tuner", "no signal"],
)
async def test_a_problem_of_one_channel_marks_no_part(script: Any) -> None:
    async with daemon(script) as gateway:
        assert (await gateway.get(STREAM))[0] == 503
        assert (await states(gateway))[:2] == (200, ["ready"] * 3)


async def test_a_silent_stream_marks_a_receiver_that_answers_nothing_else_either() -> None:
    async def answers() -> None:
        pass

    silent = says_then_stays_silent(CRLF_ANSWER)
    async with daemon(silent, first_byte_s=0.1, ask=answers) as gateway:
        assert (await gateway.get(STREAM))[0] == 504
        assert (await gateway.get("/readyz"))[0] == 200
    async with daemon(silent, first_byte_s=0.1) as gateway:
        assert (await gateway.get(STREAM))[0] == 504
        find = gateway.gateway.readiness.finding
        await until(lambda: find(Part.STREAM_SERVER).state is State.NOT_READY)
        assert (await states(gateway))[2] == ["the receiver does not answer"]


async def test_a_broken_stream_has_the_server_probed() -> None:
    async def breaks(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER + PACKET * 10)
        await gateway.upstream.stop_listening()
        connection.reset()

    async with daemon(breaks) as gateway:
        assert (await gateway.get(STREAM))[0] == 200
        find = gateway.gateway.readiness.finding
        await until(lambda: find(Part.STREAM_SERVER).state is State.NOT_READY)


async def test_a_lost_transcoder_is_reported_before_and_after_a_viewer_came() -> None:
    for comes in (False, True):
        async with daemon(PLAYS) as gateway:
            assert (await gateway.get("/readyz"))[0] == 200
            gateway.backend.open_error = UnavailableError("no transcoder answers")
            if comes:
                assert (await gateway.get(STREAM))[0] == 503
            else:
                gateway.gateway.readiness.suspect(Part.TRANSCODER)
                find = gateway.gateway.readiness.finding
                await until(lambda: find(Part.TRANSCODER).state is State.NOT_READY)  # noqa: B023
            assert await states(gateway) == (503, ["not ready"] * 3, ["no transcoder answers"])
            gateway.backend.open_error = None
            assert (await gateway.get(STREAM))[0] == 200
            await until(lambda: gateway.gateway.readiness.finding(Part.TRANSCODER).reason == "")


async def test_a_lost_transcoder_that_another_one_replaces_is_degraded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with daemon(PLAYS) as gateway:
        well = await gateway.backend.check()

        async def check() -> BackendHealth:
            return replace(well, warnings=("one of two is gone",))

        monkeypatch.setattr(gateway.backend, "check", check)
        assert (await gateway.get(STREAM))[0] == 200
        assert await states(gateway) == (200, ["degraded"] * 3, ["one of two is gone"])


async def test_all_tuners_in_use_is_not_a_problem() -> None:
    other = Service(ServiceReference.parse("1:0:19:1:FFF:1:C00000:0:0:0:"), "Other")
    bouquets = [Bouquet("TV", (Service(ServiceReference.parse(REFERENCE), "One"), other))]
    async with daemon(plays_endlessly, bouquets=bouquets, tuner_limit=1) as gateway:
        _, writer = await gateway.watch()
        assert (await gateway.get("/stream/1_0_19_1_FFF_1_C00000_0_0_0.ts"))[0] == 503
        assert (await states(gateway))[:2] == (200, ["ready"] * 3)
        assert b"<b>1 of 1</b><small>Tuners in use</small>" in (await gateway.get("/"))[2]
        writer.close()


async def test_a_lineup_of_iptv_alone_needs_no_stream_server() -> None:
    entry = ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//tv.example/one.ts:One")
    async with daemon(PLAYS, bouquets=[Bouquet("Web", (Service(entry, "One"),))]) as gateway:
        await gateway.upstream.stop_listening()
        assert (await gateway.get("/readyz"))[0] == 200


async def test_a_failed_refresh_keeps_the_channels_and_is_reported() -> None:
    async with daemon(PLAYS) as gateway:
        job = gateway.refresher._lineup
        await until(lambda: job.succeeded > 0)
        job.trouble = "the receiver's web interface does not answer"
        assert await states(gateway) == (200, ["degraded"] * 3, [job.trouble])

"""The exported metrics, the dashboard that shows them, and their reference."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.harness.scripted_daemon import STREAM, Daemon, daemon, until
from tests.harness.stream_server import CRLF_ANSWER, PACKET, plays_endlessly, says
from xg2g.app.collectors import ReceiverCollector
from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.openwebif import BreakerState, Traffic

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "deploy" / "grafana" / "xg2g.json"
PLAYS = says(CRLF_ANSWER, PACKET * 10)
NAME = re.compile(r"\b(?:xg2g|process)_\w+")


async def metrics(gateway: Daemon) -> list[str]:
    status, _, body = await gateway.get("/metrics")
    assert status == 200
    return body.decode().splitlines()


async def value_of(gateway: Daemon, name: str) -> float:
    lines = await metrics(gateway)
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def types(lines: list[str]) -> dict[str, str]:
    """Return the type of every exported metric by name, with or without samples."""
    return {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE ")}


async def test_responses_are_counted_by_template_and_never_by_path() -> None:
    async with daemon(PLAYS) as gateway:
        for path in ("/stream/a.ts", "/stream/b.ts", STREAM, "/x/y", "/z"):
            await gateway.get(path)
        await gateway.get("/api/v1/channels/a")
        for path in ("/api/v1/nowhere", "/api/nowhere", "/api/v1/a/b"):
            await gateway.get(path)
        lines = await metrics(gateway)
    counted = {line for line in lines if line.startswith("xg2g_http_requests_total{")}
    assert counted == {
        'xg2g_http_requests_total{route="/stream/{channel_id}.ts",status="404"} 2.0',
        'xg2g_http_requests_total{route="/stream/{channel_id}.ts",status="200"} 1.0',
        'xg2g_http_requests_total{route="none",status="404"} 2.0',
        'xg2g_http_requests_total{route="/api/v1/channels/{channel_id}",status="404"} 1.0',
        'xg2g_http_requests_total{route="/api/v1",status="404"} 2.0',
        'xg2g_http_requests_total{route="/api",status="404"} 1.0',
    }


async def test_tuners_and_streams_are_those_of_the_moment() -> None:
    async with daemon(plays_endlessly, tuner_limit=4, linger_s=60) as gateway:
        _, writer = await gateway.watch()
        lines = await metrics(gateway)
        assert {"xg2g_tuners_in_use 1.0", "xg2g_tuners_limit 4.0"} <= {*lines}
        assert {"xg2g_streams_active 1.0", "xg2g_streams_lingering 0.0"} <= {*lines}
        writer.close()
        await until(lambda: gateway.gateway.hub.lingering == 1)
        await until(lambda: not gateway.gateway.viewers)
        lines = await metrics(gateway)
        assert {"xg2g_streams_active 0.0", "xg2g_streams_lingering 1.0"} <= {*lines}


async def test_a_stream_leaves_neither_a_task_nor_a_remuxer_behind() -> None:
    async with daemon(plays_endlessly, linger_s=0) as gateway:
        await gateway.gateway.readiness.examine(within_s=2)
        await until(lambda: all(task.done() for task in gateway.upstream._tasks))
        before = await value_of(gateway, "xg2g_tasks")
        _, writer = await gateway.watch()
        assert await value_of(gateway, "xg2g_tasks") > before
        assert await value_of(gateway, "xg2g_remuxers_open") == 1
        writer.close()
        await until(lambda: not gateway.gateway.viewers)
        assert await value_of(gateway, "xg2g_tasks") == before
        assert await value_of(gateway, "xg2g_remuxers_open") == 0


async def test_an_unknown_number_of_tuners_is_nan() -> None:
    async with daemon(PLAYS) as gateway:
        assert "xg2g_tuners_limit NaN" in await metrics(gateway)


async def test_refreshes_are_counted_by_outcome() -> None:
    last = 'xg2g_refresh_last_success_timestamp_seconds{part="lineup"}'
    async with daemon(PLAYS) as gateway:
        await gateway.refresher.refresh_now()
        lines = await metrics(gateway)
    assert "xg2g_ready 1.0" in lines
    assert 'xg2g_refreshes_total{outcome="success",part="lineup"} 2.0' in lines
    assert any(line.startswith(last) for line in lines)
    async with daemon(PLAYS, bouquets=UnreachableError("off")) as gateway:
        await until(lambda: gateway.refresher.progress()[0].failed > 0)
        lines = await metrics(gateway)
    assert "xg2g_ready 0.0" in lines
    assert 'xg2g_refreshes_total{outcome="failure",part="lineup"} 1.0' in lines
    assert not any(line.startswith(last) for line in lines)


async def test_the_circuit_breaker_has_one_state_at_a_time() -> None:
    traffic = Traffic()
    registry = CollectorRegistry()
    registry.register(ReceiverCollector(lambda: traffic))
    for traffic in (Traffic(breaker=state) for state in BreakerState):
        said = generate_latest(registry).decode()
        values = dict(re.findall(r'xg2g_receiver_breaker{state="(\w+)"} (\S+)', said))
        assert values == {it: str(float(it == traffic.breaker)) for it in BreakerState}


async def test_the_metrics_include_the_process() -> None:
    async with daemon(PLAYS) as gateway:
        there = types(await metrics(gateway))
    assert {"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"} <= {
        *there
    }


def exported_as(kind: str, name: str) -> set[str]:
    """Return the names of a metric's series in queries."""
    return {name, f"{name}_bucket", f"{name}_sum"} if kind == "histogram" else {name}


def used_by_the_dashboard() -> set[str]:
    board = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    queries += [it["query"]["query"] for it in board["templating"]["list"] if it["type"] == "query"]
    return {name for query in queries for name in NAME.findall(query)}


async def test_the_dashboard_uses_only_metrics_that_there_are() -> None:
    async with daemon(PLAYS) as gateway:
        there = types(await metrics(gateway))
    names = {each for name, kind in there.items() for each in exported_as(kind, name)}
    used = used_by_the_dashboard()
    assert len(used) > 15
    assert used - names == set()


async def test_the_dashboard_shows_every_metric_of_the_daemon() -> None:
    async with daemon(PLAYS) as gateway:
        there = types(await metrics(gateway))
    used = used_by_the_dashboard()
    own = {name: kind for name, kind in there.items() if name.startswith("xg2g_")}
    missing = {name for name, kind in own.items() if not exported_as(kind, name) & used}
    assert {name for name in missing if not name.endswith("_created")} == {"xg2g_backend_info"}


def test_no_panel_of_the_dashboard_hides_another() -> None:
    board = json.loads(DASHBOARD.read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in board["panels"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24, "the width of a dashboard"


async def test_every_metric_of_the_daemon_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "http.md").read_text()
    async with daemon(PLAYS) as gateway:
        there = types(await metrics(gateway))
    own = {name for name in there if name.startswith("xg2g_") and not name.endswith("_created")}
    assert {name for name in own if f"`{name}" not in page} == set()

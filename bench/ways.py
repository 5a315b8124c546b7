"""The ways to the remuxer beside each other: the library in this process, the service on a Unix
socket, the service on TCP."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Final

from bench.clips import DURATION_S, MULTIPLEX_BPS
from bench.process import run
from bench.progress import Steps
from bench.report import Judged, WayFigure
from bench.sound import WrongOutputError
from bench.way import Cost

RUNS: Final = 3
NAMES: Final = ("embedded", "Unix socket", "TCP")
SERVICE: Final = Path(sys.executable).with_name("xg2g-transcoder")
READY_WITHIN_S: Final = 10

CHUNK_MS: Final = (1.0, 5 / 3, 10 / 3)
"""The best of 1 ms, and a third of the most that a socket (2 to 5 ms) and HTTP (5 to 10 ms) may
take."""
MBPS_PER_CORE: Final = (1_500.0, 600.0, 300.0)
"""Three times 500, 200 and 100 Mbit/s."""


def figures(clip: Path, folder: Path, steps: Steps) -> list[WayFigure]:
    """Measure all ways, in alternating runs. Raises `WrongOutputError` when they give different
    outputs."""
    ways: list[list[Cost]] = [[] for _ in NAMES]
    for number in range(RUNS):
        for name, costs, service in zip(NAMES, ways, _services(folder), strict=True):
            steps.begin(f"{name}: run {number + 1} of {RUNS}")
            with service as arguments:
                command = (sys.executable, "-m", "bench.way", str(clip), *arguments)
                costs.append(Cost(**json.loads(run(command).stdout)))
    if len({cost.digest for costs in ways for cost in costs}) != 1:
        raise WrongOutputError("the ways to the remuxer have given different outputs")
    return list(_figures(ways))


def _services(folder: Path) -> list[AbstractContextManager[tuple[str, ...]]]:
    """In the order of `NAMES`; each gives what `bench.way` has to know of it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = folder / "transcoder.sock"
    return [
        nullcontext(()),
        _service(f"unix:{path}", f"unix://{path}"),
        _service(f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"),
    ]


def _figures(ways: list[list[Cost]]) -> Iterator[WayFigure]:
    chunks_ms = [[s * 1000 for cost in costs for s in cost.chunk_s] for costs in ways]
    live_ms = [[s * 1000 for cost in costs for s in cost.live_chunk_s] for costs in ways]
    cpu_s = [median(cost.daemon_cpu_s + cost.service_cpu_s for cost in costs) for costs in ways]
    megabits = DURATION_S * MULTIPLEX_BPS / 1e6
    yield WayFigure("chunk of 188 KiB, median", "ms", [*map(median, chunks_ms)], CHUNK_MS)
    yield WayFigure("chunk of 188 KiB, p99", "ms", [*map(_p99, chunks_ms)])
    yield WayFigure(
        "on one core, in such chunks",
        "Mbit/s",
        [megabits / each for each in cpu_s],
        MBPS_PER_CORE,
        Judged.AT_LEAST,
    )
    yield WayFigure("live chunk of 125 kB, median", "ms", [*map(median, live_ms)])
    yield WayFigure("live chunk of 125 kB, p99", "ms", [*map(_p99, live_ms)])
    for name, attribute, unit, scale in (
        ("CPU of a live stream, daemon", "live_daemon_cpu", "%", 100),
        ("CPU of a live stream, service", "live_service_cpu", "%", 100),
        ("memory of one more, daemon", "daemon_bytes", "MB", 1e-6),
        ("memory of one more, service", "service_bytes", "MB", 1e-6),
    ):
        values = [median(getattr(cost, attribute) * scale for cost in costs) for costs in ways]
        yield WayFigure(name, unit, values)


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98] if len(values) > 1 else mean(values)


@contextmanager
def _service(listen: str, url: str) -> Iterator[tuple[str, ...]]:
    """A service of its own for one run, so that it has no memory to use again."""
    command = (SERVICE, "--listen", listen)
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_service(listen)
        yield url, str(service.pid)
    finally:
        service.terminate()
        service.wait()


def _await_service(listen: str) -> None:
    command = (SERVICE, "healthcheck", "--listen", listen)
    give_up_s = time.monotonic() + READY_WITHIN_S
    while subprocess.run(command, capture_output=True, check=False).returncode:
        if time.monotonic() > give_up_s:
            raise TimeoutError(f"{SERVICE.name} is not ready after {READY_WITHIN_S} s")
        time.sleep(0.02)

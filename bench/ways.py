"""The ways to the remuxer beside each other: the library in this process, the service on a Unix
socket, the service on TCP."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Final

from bench.clips import DURATION_S, MULTIPLEX_BPS
from bench.process import run
from bench.progress import Steps
from bench.report import Judged, WayFigure
from bench.sound import WrongOutputError
from bench.way import Cost
from tests.harness.ports import free_address
from tests.harness.transcoder import Transcoder

RUNS: Final = 3
NAMES: Final = ("embedded", "Unix socket", "TCP")

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
            with service as transcoder:
                command = [sys.executable, "-m", "bench.way", str(clip)]
                if transcoder is not None:
                    command += [str(transcoder.address), str(transcoder.pid)]
                costs.append(Cost(**json.loads(run(command).stdout)))
    if len({cost.digest for costs in ways for cost in costs}) != 1:
        raise WrongOutputError("the ways to the remuxer have given different outputs")
    return list(_figures(ways))


def _services(folder: Path) -> list[AbstractContextManager[Transcoder | None]]:
    """In the order of `NAMES`, for one run: each service has no memory to use again."""
    return [
        nullcontext(),
        Transcoder(f"unix://{folder}/transcoder.sock"),
        Transcoder(free_address()),
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

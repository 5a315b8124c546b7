"""One way to the remuxer: in this process, or through a service; run as a process of its own.

    python -m bench.way INPUT [URL SERVICE_PID]

Prints a `Cost` as JSON. CPU time is read from Linux's /proc.
"""

import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from bench.clips import MULTIPLEX_BPS
from bench.stream import CHUNK_BYTES
from tests.harness.process import resident_bytes
from xg2g.app import event_loop
from xg2g.receiver.read_pacing import GATHER_S
from xg2g_backends.base import Backend, RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend
from xg2g_backends.external.address import ServiceAddress
from xg2g_backends.external.backend import ExternalBackend

LIVE_INTERVAL_S: Final = GATHER_S
LIVE_CHUNK_BYTES: Final = round(MULTIPLEX_BPS * LIVE_INTERVAL_S / 8)
"""What the daemon gathers of such a service before it crosses."""
LIVE_S: Final = 6.0
STREAMS: Final = 20
FED_S: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a stream takes in the daemon's process, on its event loop, and in the service's.
    CPU is user and system time of all threads."""

    digest: str
    """Of the whole output."""
    chunk_s: list[float]
    """From handing 188 KiB over to having their output in hand."""
    daemon_cpu_s: float
    service_cpu_s: float
    live_chunk_s: list[float]
    """The same of a stream at its own pace, in the chunks in which the daemon gathers it."""
    live_daemon_cpu: float
    """Share of a core."""
    live_service_cpu: float
    daemon_bytes: float
    """Memory of one more stream."""
    service_bytes: float


class Processes:
    """This process and the service, if there is one."""

    def __init__(self, service_pid: int | None) -> None:
        self._pids = (os.getpid(), service_pid)

    def cpu_s(self) -> tuple[float, float]:
        daemon, service = map(_cpu_s, self._pids)
        return daemon, service

    def rss_bytes(self) -> tuple[int, int]:
        service = self._pids[1]
        return resident_bytes(), psutil.Process(service).memory_info().rss if service else 0


def _cpu_s(pid: int | None) -> float:
    """Of all threads in nanoseconds; psutil rounds to ticks, which is much for a live stream."""
    if pid is None:
        return 0.0
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


async def measure(backend: Backend, source: bytes, processes: Processes) -> Cost:
    """Convert several streams side by side, while neither process has memory to use again; then
    one as fast as possible, and one at its own pace."""
    grown_bytes = await _side_by_side(backend, source, processes)
    digest, chunk_s, cpu_s = await _as_fast_as_possible(backend, source, processes)
    live_chunk_s, live_cpu = await _live(backend, source, processes)
    return Cost(
        digest=digest,
        chunk_s=chunk_s,
        daemon_cpu_s=cpu_s[0],
        service_cpu_s=cpu_s[1],
        live_chunk_s=live_chunk_s,
        live_daemon_cpu=live_cpu[0],
        live_service_cpu=live_cpu[1],
        daemon_bytes=grown_bytes[0],
        service_bytes=grown_bytes[1],
    )


async def _as_fast_as_possible(
    backend: Backend, source: bytes, processes: Processes
) -> tuple[str, list[float], tuple[float, float]]:
    output, chunk_s = hashlib.sha256(), list[float]()
    chunks = list(_chunks(source, CHUNK_BYTES))
    outputs = []
    began = processes.cpu_s()
    async with await backend.open(RemuxOptions()) as remuxer:
        for chunk in chunks:
            before_s = time.perf_counter()
            outputs.append((await remuxer.process(chunk)).data)
            chunk_s.append(time.perf_counter() - before_s)
        outputs.append((await remuxer.finish()).data)
    ended = processes.cpu_s()
    for piece in outputs:
        output.update(piece)
    return output.hexdigest(), chunk_s, (ended[0] - began[0], ended[1] - began[1])


async def _live(
    backend: Backend, source: bytes, processes: Processes
) -> tuple[list[float], tuple[float, float]]:
    chunk_s = []
    chunks = list(_chunks(source[: round(LIVE_S * MULTIPLEX_BPS / 8)], LIVE_CHUNK_BYTES))
    async with await backend.open(RemuxOptions()) as remuxer:
        began, began_s = processes.cpu_s(), time.perf_counter()
        for number, chunk in enumerate(chunks):
            await asyncio.sleep(began_s + number * LIVE_INTERVAL_S - time.perf_counter())
            before_s = time.perf_counter()
            await remuxer.process(chunk)
            chunk_s.append(time.perf_counter() - before_s)
        ended, took_s = processes.cpu_s(), len(chunks) * LIVE_INTERVAL_S
    return chunk_s, ((ended[0] - began[0]) / took_s, (ended[1] - began[1]) / took_s)


async def _side_by_side(
    backend: Backend, source: bytes, processes: Processes
) -> tuple[float, float]:
    chunks = list(_chunks(source[: FED_S * MULTIPLEX_BPS // 8], LIVE_CHUNK_BYTES))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(await backend.open(RemuxOptions()))
        for chunk in chunks:
            await first.process(chunk)
        began = processes.rss_bytes()
        remuxers = [
            await stack.enter_async_context(await backend.open(RemuxOptions()))
            for _ in range(STREAMS)
        ]
        for chunk in chunks:
            await asyncio.gather(*(remuxer.process(chunk) for remuxer in remuxers))
        ended = processes.rss_bytes()
    return (ended[0] - began[0]) / STREAMS, (ended[1] - began[1]) / STREAMS


def _chunks(source: bytes, size: int) -> Iterator[bytes]:
    return (source[at : at + size] for at in range(0, len(source), size))


async def _measure(source: bytes, url: str | None, service_pid: int | None) -> None:
    backend: Backend = (
        EmbeddedBackend() if url is None else ExternalBackend([ServiceAddress.parse(url)])
    )
    await backend.check()
    try:
        cost = await measure(backend, source, Processes(service_pid))
    finally:
        await backend.aclose()
    sys.stdout.write(json.dumps(asdict(cost)))


def main() -> None:
    path, *service = sys.argv[1:]
    url, pid = (service[0], int(service[1])) if service else (None, None)
    event_loop.run(_measure(Path(path).read_bytes(), url, pid))


if __name__ == "__main__":
    main()

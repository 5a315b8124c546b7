"""Twenty viewers watch live while transcoders die under them.

`restart`: one transcoder on a Unix socket, killed every 30 s and started again. `two`: two on TCP,
of which one dies after a third of the time and stays dead. Receiver, transcoders and daemon are
processes of their own. Every stream is kept, and all of it is judged against the source.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import time
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console

from tests.harness.client import outcomes
from tests.load.failover.judge import Verdict, judge
from tests.load.failover.stack import failover_stack
from tests.load.failover.viewers import Viewer

if TYPE_CHECKING:
    from tests.harness.stack import Stack

CHANNELS = ("Card One HD", "Card Two HD", "Card Three & Friends", "Radio Four")
KILL_EVERY_S = 30.0
SETTLE_S = 5.0
"""At either end, before and after which nothing is judged."""
OVERLAP_S = 1.0
BEYOND_S = 3.0
"""The source of a slice reaches so much further, since streams run a little apart."""
FREED_S = 10.0
"""For the last remuxer to be given back after the last viewer has left."""
SOUND_BACK_S = 1.0
SYNC_MS = 1.0
CORRELATION = 0.9


@dataclass
class Run:
    """What there is to judge and to report."""

    viewers: list[Viewer]
    sources: dict[str, Viewer]
    kills_s: list[float]
    began_s: float
    ended_s: float
    failovers: int = 0
    retries: int = 0
    dropped_bytes: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    left_here: int = 0
    left_there: int = 0
    memory: dict[str, list[int]] = field(default_factory=dict)


async def run(stack: Stack, mode: str, folder: Path, viewers: int, minutes: float) -> Run:
    """Let viewers watch while transcoders are killed."""
    paths = dict(await stack.client.channels())
    watching: list[Viewer] = []
    for number in range(viewers):
        name = CHANNELS[number % len(CHANNELS)]
        url = stack.client.base_url + paths[name]
        watching.append(Viewer(name, url, folder / f"viewer{number}.ts"))
    sources = {name: _source(stack, name, paths[name], folder) for name in CHANNELS}
    tasks = [asyncio.create_task(viewer.watch()) for viewer in (*watching, *sources.values())]
    await asyncio.sleep(SETTLE_S)
    began_s = time.monotonic()
    found = Run(watching, sources, [], began_s, began_s + minutes * 60)
    killing = asyncio.create_task(_kill(stack, mode, found))
    while time.monotonic() < found.ended_s:
        await asyncio.sleep(5)
        for process in stack.processes():
            found.memory.setdefault(process.name, []).append(process.resident_bytes())
    await killing
    await asyncio.sleep(SETTLE_S)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await _count(stack, found)
    return found


def _source(stack: Stack, name: str, path: str, folder: Path) -> Viewer:
    """Return a viewer of the receiver's own stream of a channel."""
    reference = path.rpartition("/")[2].removesuffix(".ts").replace("_", ":") + ":"
    url = f"http://127.0.0.1:{stack.settings['receiver']['stream_port']}/{reference}"
    return Viewer(name, url, folder / f"source{CHANNELS.index(name)}.ts")


async def _kill(stack: Stack, mode: str, found: Run) -> None:
    transcoder = stack.transcoders[0]
    if mode == "two":
        await asyncio.sleep((found.ended_s - found.began_s) / 3)
        await transcoder.end(signal.SIGKILL)
        found.kills_s.append(time.monotonic())
        return
    pauses = random.Random(1)
    next_s = found.began_s + KILL_EVERY_S / 2
    while next_s < found.ended_s:
        await asyncio.sleep(next_s - time.monotonic())
        await transcoder.end(signal.SIGKILL)
        found.kills_s.append(time.monotonic())
        await asyncio.sleep(pauses.uniform(0, 1))
        transcoder.start()
        next_s += KILL_EVERY_S


async def _count(stack: Stack, found: Run) -> None:
    """Count what is still open on either side after the last viewer left."""
    deadline_s = time.monotonic() + FREED_S
    while True:
        metrics = await stack.client.metrics()
        found.left_here = int(metrics.get("xg2g_streams_active", -1))
        counts = [await item.open_remuxers() for item in stack.transcoders if item.alive]
        found.left_there = sum(-1 if count is None else count for count in counts)
        if (found.left_here, found.left_there) == (0, 0) or time.monotonic() > deadline_s:
            break
        await asyncio.sleep(0.2)
    found.failovers = int(metrics.get("xg2g_backend_failovers_total", -1))
    found.retries = int(metrics.get("xg2g_backend_retries_total", -1))
    found.dropped_bytes = int(metrics.get("xg2g_backend_dropped_bytes_total", -1))
    found.outcomes = outcomes(metrics)


def _verdicts(found: Run, jobs: int) -> list[Verdict]:
    """On all of every stream, in slices with a kill in the middle of each."""
    with ProcessPoolExecutor(jobs) as pool:
        waiting = []
        begin_s = found.began_s
        while begin_s < found.ended_s:
            end_s = min(begin_s + KILL_EVERY_S, found.ended_s)
            kills = sum(begin_s <= kill_s < end_s for kill_s in found.kills_s)
            for channel, source in found.sources.items():
                outputs = {
                    f"viewer {number}, {channel}, {begin_s - found.began_s:.0f} s": viewer.between(
                        begin_s, end_s + OVERLAP_S
                    )
                    for number, viewer in enumerate(found.viewers)
                    if viewer.channel == channel
                }
                reference = source.between(begin_s - BEYOND_S, end_s + BEYOND_S)
                waiting.append(pool.submit(judge, outputs, reference, kills))
            # No more of it in memory than is being judged.
            wait(waiting[: -2 * jobs * len(found.sources)])
            begin_s = end_s
        return [verdict for item in waiting for verdict in item.result()]


def _failures(found: Run, verdicts: list[Verdict]) -> list[str]:
    failures = [
        f"{viewer.channel}: disconnected: {viewer.ended}"
        for viewer in found.viewers
        if viewer.ended
    ]
    for verdict in verdicts:
        if verdict.errors:
            failures.append(f"{verdict.label}: {verdict.errors}")
        if verdict.gap_s > SOUND_BACK_S:
            failures.append(f"{verdict.label}: {verdict.gap_s:.2f} s without sound")
        if verdict.sync_ms > SYNC_MS or verdict.correlation < CORRELATION:
            failures.append(
                f"{verdict.label}: sound is {verdict.sync_ms:.2f} ms off, "
                f"correlation {verdict.correlation:.2f}"
            )
    if found.left_here or found.left_there:
        failures.append(f"left open: {found.left_here} streams, {found.left_there} remuxers")
    return failures


def _report(console: Console, mode: str, found: Run, verdicts: list[Verdict]) -> None:
    disconnected = sum(bool(viewer.ended) for viewer in found.viewers)
    pause_s = max(viewer.longest_pause_s for viewer in found.viewers)
    megabytes = sum(viewer.ends[-1] for viewer in found.viewers if viewer.ends) / 1e6
    console.print(
        f"{mode}: {len(found.viewers)} viewers, {found.ended_s - found.began_s:.0f} s, "
        f"{len(found.kills_s)} kills, {megabytes:.0f} MB"
    )
    console.print(f"  viewers disconnected   {disconnected}")
    console.print(f"  failovers              {found.failovers}")
    console.print(f"  answers asked for anew {found.retries}")
    console.print(f"  input dropped          {found.dropped_bytes} bytes")
    console.print(f"  longest pause          {pause_s:.2f} s")
    console.print(f"  slices judged          {len(verdicts)}")
    console.print(f"  slices with new errors {sum(bool(it.errors) for it in verdicts)}")
    console.print(f"  first units late       {sum(it.late_units for it in verdicts)}")
    console.print(f"  longest gap of sound   {max(it.gap_s for it in verdicts):.3f} s")
    console.print(f"  sync error at most     {max(it.sync_ms for it in verdicts):.3f} ms")
    console.print(f"  correlation at least   {min(it.correlation for it in verdicts):.3f}")
    console.print(
        f"  left open              {found.left_here} streams, {found.left_there} remuxers"
    )
    console.print(f"  how streams ended      {found.outcomes}")
    for name, bytes_ in found.memory.items():
        third = max(len(bytes_) // 3, 1)
        first, last = max(bytes_[:third]) / 2**20, max(bytes_[-third:]) / 2**20
        console.print(
            f"  memory of {name:<12} {first:.0f} MiB at most at first, {last:.0f} MiB later"
        )


async def _measured(arguments: argparse.Namespace, folder: Path) -> Run:
    tcp = arguments.mode == "two"
    async with failover_stack(folder, 2 if tcp else 1, tcp=tcp) as stack:
        return await run(stack, arguments.mode, folder, arguments.viewers, arguments.minutes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make failover", description=__doc__)
    parser.add_argument("mode", choices=("restart", "two"), nargs="?", default="restart")
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="keep streams and logs here")
    parser.add_argument("--jobs", type=int, default=2, help="processes that judge")
    arguments = parser.parse_args()
    console = Console(width=110, highlight=False)
    with TemporaryDirectory(prefix="xg2g-failover-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = asyncio.run(_measured(arguments, folder))
        verdicts = _verdicts(found, arguments.jobs)
    _report(console, arguments.mode, found, verdicts)
    if failures := _failures(found, verdicts):
        for failure in failures[:40]:
            console.print(f"  failed: {failure}", markup=False)
        raise SystemExit(f"failover: {len(failures)} failures")


if __name__ == "__main__":
    main()

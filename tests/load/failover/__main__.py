"""Twenty viewers watch live while transcoders die under them.

`restart`: one transcoder on a Unix socket, killed every 30 s and started again. `two`: two on TCP,
of which one dies after a third of the time and stays dead. `rolling` and `service`: three are
replaced one after the other, as in an update; each viewer has a channel of its own, and others
begin meanwhile. Receiver, transcoders and daemon are processes of their own. Every stream is kept,
and all of it is judged against the source.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import time
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console

from tests.harness.balancer import Balancer
from tests.harness.client import outcomes
from tests.harness.ports import free_address
from tests.load.failover.judge import Verdict, judge
from tests.load.failover.rolling import Newcomers, first_byte_s, update
from tests.load.failover.stack import failover_stack, pods
from tests.load.failover.viewers import Viewer
from xg2g_backends.external.address import ServiceAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.harness.stack import Stack
    from tests.harness.transcoder import Transcoder

CHANNELS = ("Card One HD", "Card Two HD", "Card Three & Friends", "Radio Four")
ROLLING = ("rolling", "service")
"""Modes in which each viewer has a channel of its own: nothing is converted once for several."""
NEWCOMER_EVERY_S = 1.0
KILL_EVERY_S = 30.0
SETTLE_S = 5.0
"""At either end, before and after which nothing is judged."""
OVERLAP_S = 1.0
BEYOND_S = 8.0
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
    killed: int = 0
    """Transcoders that had to be killed, since they did not end within their time."""
    newcomers: Newcomers = field(default_factory=lambda: Newcomers(()))
    failovers: int = 0
    retries: int = 0
    dropped_bytes: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    left_here: int = 0
    left_there: int = 0
    memory: dict[str, list[int]] = field(default_factory=dict)


async def run(stack: Stack, mode: str, folder: Path, viewers: int, minutes: float) -> Run:
    """Let viewers watch while transcoders are killed."""
    found, tasks = await _watching(stack, CHANNELS, folder, viewers)
    found.ended_s = found.began_s + minutes * 60
    killing = asyncio.create_task(_kill(stack, mode, found))
    while time.monotonic() < found.ended_s:
        await asyncio.sleep(5)
        _weigh(stack, found)
    await killing
    await _end(stack, found, tasks, stack.transcoders)
    return found


async def run_update(
    stack: Stack, new: Sequence[Transcoder], folder: Path, viewers: int, grace_s: float
) -> Run:
    """Let viewers watch while all transcoders are replaced, by others or by themselves anew."""
    old = stack.transcoders
    # Every fourth changes its sound to another PID again and again.
    names = [f"Channel {number + 1}" for number in range(4 * viewers) if number % 4 != 3]
    every = {name.removesuffix(" HD"): path for name, path in await stack.client.channels()}
    found, tasks = await _watching(stack, names[:viewers], folder, viewers)
    found.newcomers = Newcomers(
        [stack.client.base_url + every[name] for name in names[viewers : 2 * viewers]]
    )
    coming = asyncio.create_task(found.newcomers.come(NEWCOMER_EVERY_S, first_byte_s))
    _weigh(stack, found)
    surge = new[0] is not old[0]
    updated = await update(old, new, grace_s=grace_s, surge=surge)
    found.kills_s, found.killed = updated.cut_s, updated.killed
    coming.cancel()
    await asyncio.wait([coming])
    _weigh(stack, found)
    found.ended_s = time.monotonic()
    await _end(stack, found, tasks, new)
    return found


async def _watching(
    stack: Stack, channels: Sequence[str], folder: Path, viewers: int
) -> tuple[Run, list[asyncio.Task[None]]]:
    """Let viewers begin, on these channels in turn."""
    paths = {
        name.removesuffix(" HD") if name.startswith("Channel") else name: path
        for name, path in await stack.client.channels()
    }
    watching = []
    for number in range(viewers):
        name = channels[number % len(channels)]
        url = stack.client.base_url + paths[name]
        watching.append(Viewer(name, url, folder / f"viewer{number}.ts"))
    sources = {
        name: _source(stack, name, paths[name], folder / f"source{number}.ts")
        for number, name in enumerate(channels)
    }
    tasks = [asyncio.create_task(viewer.watch()) for viewer in (*watching, *sources.values())]
    await asyncio.sleep(SETTLE_S)
    began_s = time.monotonic()
    return Run(watching, sources, [], began_s, began_s), tasks


async def _end(
    stack: Stack,
    found: Run,
    tasks: Sequence[asyncio.Task[None]],
    transcoders: Sequence[Transcoder],
) -> None:
    await asyncio.sleep(SETTLE_S)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await _count(stack, found, transcoders)


def _weigh(stack: Stack, found: Run) -> None:
    for process in stack.processes():
        found.memory.setdefault(process.name, []).append(process.resident_bytes())


def _source(stack: Stack, name: str, path: str, file: Path) -> Viewer:
    """Return a viewer of the receiver's own stream of a channel."""
    reference = path.rpartition("/")[2].removesuffix(".ts").replace("_", ":") + ":"
    url = f"http://127.0.0.1:{stack.settings['receiver']['stream_port']}/{reference}"
    return Viewer(name, url, file)


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


async def _count(stack: Stack, found: Run, transcoders: Sequence[Transcoder]) -> None:
    """Count what is still open on either side after the last viewer left."""
    deadline_s = time.monotonic() + FREED_S
    while True:
        metrics = await stack.client.metrics()
        found.left_here = int(metrics.get("xg2g_streams_active", -1))
        counts = [await item.open_remuxers() for item in transcoders if item.alive]
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
            kills = sum(begin_s <= kill_s < end_s + OVERLAP_S for kill_s in found.kills_s)
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
    failures += [f"a new viewer was refused: {refused}" for refused in found.newcomers.refused]
    if found.killed:
        failures.append(f"{found.killed} transcoders did not end within their time")
    if found.dropped_bytes:
        failures.append(f"{found.dropped_bytes} bytes of input were dropped")
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
    if waits_s := found.newcomers.waits_s:
        console.print(
            f"  viewers who began      {len(waits_s)}, longest wait {max(waits_s):.2f} s, "
            f"refused {len(found.newcomers.refused)}"
        )
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
    mode, viewers = arguments.mode, arguments.viewers
    if mode not in ROLLING:
        tcp = mode == "two"
        async with failover_stack(folder, pods(2 if tcp else 1, folder, tcp=tcp)) as stack:
            return await run(stack, mode, folder, viewers, arguments.minutes)
    flags = ("--shutdown-grace", f"{arguments.grace:g}s", "--advertise", "auto")
    old = pods(3, folder, *flags)
    if mode == "rolling":
        async with failover_stack(folder, old, channels=4 * viewers) as stack:
            return await run_update(stack, old, folder, viewers, arguments.grace)
    new = pods(3, folder, *flags, name="new transcoder")
    address = free_address()
    async with (
        Balancer(ServiceAddress.parse(address), [*old, *new]),
        failover_stack(folder, old, address=address, channels=4 * viewers) as stack,
        AsyncExitStack() as after,
    ):
        for item in new:
            after.push_async_callback(item.end, signal.SIGKILL)
        return await run_update(stack, new, folder, viewers, arguments.grace)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make failover", description=__doc__)
    parser.add_argument("mode", choices=("restart", "two", *ROLLING), nargs="?", default="restart")
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--grace", type=float, default=8.0, help="of an update, in seconds")
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

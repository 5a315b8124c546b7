"""What the daemon holds, seen from outside: /proc, its metrics, its log."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.harness.process import Process
    from tests.load.load_test.stack import LoadStack

FREED_S = 60.0
"""For the last to be found gone, the linger to pass and connections that idle to close."""
MEMORY_EVERY_S = 5.0
SHARING_EVERY_S = 5.0
CRASHES = ("Traceback", "ResourceWarning", "never awaited", "never retrieved", "panicked")


@dataclass(frozen=True)
class Held:
    """Counts at one moment."""

    streams: int
    upstreams: int
    """Streams of the receiver, each for all viewers of a channel; those included that linger."""
    lingering: int
    ring_bytes: int
    """Output that is kept for viewers."""
    hls_outputs: int
    hls_bytes: int
    """Segments in memory."""
    tuners: int
    remuxers: int
    tasks: int
    threads: int
    sockets: int
    files: int
    """Descriptors of any other kind."""

    def beyond(self, base: Held) -> dict[str, tuple[int, int]]:
        """What there is more of: name -> (here, at first)."""
        names = [item.name for item in fields(Held)]
        pairs = {name: (getattr(self, name), getattr(base, name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] > pair[1]}


async def held(stack: LoadStack) -> Held:
    """Count what the daemon holds now."""
    metrics = await stack.client.metrics()
    links = _descriptors(stack.daemon.pid)
    sockets = sum(link.startswith("socket:") for link in links)
    return Held(
        streams=_whole(metrics, "xg2g_streams_active"),
        upstreams=_sum(metrics, "xg2g_upstreams"),
        lingering=_whole(metrics, "xg2g_streams_lingering"),
        ring_bytes=_whole(metrics, "xg2g_ring_bytes"),
        hls_outputs=_whole(metrics, "xg2g_hls_outputs"),
        hls_bytes=_whole(metrics, "xg2g_hls_held_bytes"),
        tuners=_whole(metrics, "xg2g_tuners_in_use"),
        remuxers=_whole(metrics, "xg2g_remuxers_open"),
        tasks=_whole(metrics, "xg2g_tasks"),
        threads=stack.daemon.usage.num_threads(),
        sockets=sockets,
        files=len(links) - sockets,
    )


async def back_to(base: Held, stack: LoadStack) -> tuple[Held, float]:
    """Wait until no more is held than at first, or for `FREED_S`; return the count and the time."""
    begun_s = time.monotonic()
    while True:
        now, took_s = await held(stack), time.monotonic() - begun_s
        if not now.beyond(base) or took_s > FREED_S:
            return now, took_s
        await asyncio.sleep(0.5)


@dataclass
class Memory:
    """The daemon's, over time: resident, proportional and unshared bytes."""

    times_s: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    pss: list[int] = field(default_factory=list)
    unique: list[int] = field(default_factory=list)

    def series(self) -> dict[str, list[int]]:
        """By name."""
        return {"resident": self.rss, "proportional": self.pss, "unshared": self.unique}

    async def watch(self, daemon: Process) -> None:
        """Record until cancelled."""
        while True:
            now = daemon.usage.memory_full_info()
            self.times_s.append(time.monotonic())
            self.rss.append(now.rss)
            self.pss.append(now.pss)
            self.unique.append(now.uss)
            await asyncio.sleep(MEMORY_EVERY_S)

    def medians(self, series: list[int]) -> list[float]:
        """Of each sixth of the time: of half an hour, minutes 0 to 5, 5 to 10 and so on."""
        begin_s, length_s = self.times_s[0], self.times_s[-1] - self.times_s[0]
        sixths: list[list[int]] = [[] for _ in range(6)]
        for moment_s, value in zip(self.times_s, series, strict=True):
            sixths[min(int((moment_s - begin_s) / max(length_s, 1) * 6), 5)].append(value)
        return [median(values or series) for values in sixths]


@dataclass
class Sharing:
    """How many share what, over time."""

    viewers: list[int] = field(default_factory=list)
    upstreams: list[int] = field(default_factory=list)
    ring_bytes: list[int] = field(default_factory=list)

    async def watch(self, stack: LoadStack) -> None:
        """Record until cancelled."""
        while True:
            now = await held(stack)
            self.viewers.append(now.streams)
            self.upstreams.append(now.upstreams)
            self.ring_bytes.append(now.ring_bytes)
            await asyncio.sleep(SHARING_EVERY_S)


@dataclass(frozen=True)
class Log:
    """What the daemon wrote."""

    levels: dict[str, int]
    complaints: list[str]
    """Lines of level error or worse, and what no program writes on purpose."""
    last_ends: dict[str, float]
    """Address of each viewer, and when the last of their streams ended: time of day."""

    def found_after_s(self, vanished: Mapping[str, float]) -> list[float]:
        """How long the streams of these devices went on, shortest first."""
        ends = ((at_s, self.last_ends.get(device, 0)) for device, at_s in vanished.items())
        return sorted(end_s - at_s for at_s, end_s in ends if end_s > at_s)


def read_log(log: Path) -> Log:
    """Read the log of a daemon."""
    levels: Counter[str] = Counter()
    bad: list[str] = []
    last_ends: dict[str, float] = {}
    for line in log.read_text(errors="replace").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            # What it says to people at its start is plain text.
            said = {"level": "no level"}
        level = said["level"]
        levels[level] += 1
        if said.get("event") == "stream ended":
            last_ends[said["viewer"]] = datetime.fromisoformat(said["timestamp"]).timestamp()
        if level in ("error", "critical") or any(word in line for word in CRASHES):
            bad.append(line[:400])
    return Log(dict(levels), bad, last_ends)


def _whole(metrics: Mapping[str, float], name: str) -> int:
    """Return a metric; -1 if it is missing, which no check accepts."""
    return int(metrics.get(name, -1))


def _sum(metrics: Mapping[str, float], name: str) -> int:
    """Over all labels; -1 without any."""
    values = [value for key, value in metrics.items() if key.partition("{")[0] == name]
    return int(sum(values)) if values else -1


def _descriptors(pid: int) -> list[str]:
    """What each descriptor of a process is; psutil tells it of some kinds of sockets alone."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except OSError:
            found.append("")
    return found

"""Many viewers by HLS on several channels, with and without a cache in front."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.fanout.clips import USUAL
from bench.fanout.hls_watchers import Seen
from bench.fanout.stack import tell, viewers_process
from tests.harness.nginx import nginx
from tests.harness.ports import free_port
from tests.harness.process import Process

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bench.fanout.stack import Channel, FanoutStack

RUNNING_S: Final = 15.0
"""For a channel to have as much behind it as viewers begin with."""
SETTLE_S: Final = 15.0
"""For every viewer to have begun; nothing is judged before."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What was seen of a number of viewers, and what it cost."""

    asked: int
    channels: int
    lasted_s: float
    seen: Seen
    cpu: dict[str, float]
    """Name of each process -> share of a core."""
    resident_bytes: dict[str, int]
    requests: float
    """A second, at the daemon."""

    def broken(self) -> list[str]:
        """Return a line for each failure."""
        seen = self.seen
        found = [f"{count} times {line!r}" for line, count in seen.refused.items()]
        if seen.late:
            found.append(f"{seen.late} viewers had to wait, {seen.late_s:.2f} s at most")
        if seen.ended:
            found.append(f"{seen.ended} connections were closed")
        if seen.viewers < self.asked:
            found.append(f"{self.asked - seen.viewers} viewers have got nothing yet")
        return found

    def report(self, console: Console) -> None:
        """Print it."""

        def line(name: str, text: object) -> None:
            console.print(f"  {name:<18} {text}", markup=False)

        seen = self.seen
        console.print(
            f"{self.asked} viewers by HLS on {self.channels} channels, {self.lasted_s:.0f} s"
        )
        line("received", f"{seen.bytes * 8 / self.lasted_s / 1e6:.0f} Mbit/s")
        asked = f"{seen.requests / self.lasted_s:.0f} a second, {self.requests:.0f} at the daemon"
        line("requests", asked)
        if seen.answer_s:
            half, most, nearly, all_ = (f"{value * 1000:.0f}" for value in seen.answer_s)
            line("answered within", f"p50 {half}, p95 {most}, p99 {nearly}, max {all_} ms")
        line("late", f"{seen.late} viewers")
        line("CPU", ", ".join(f"{it} {cpu * 100:.1f} %" for it, cpu in self.cpu.items()))
        memory = (f"{it} {size / 2**20:.0f} MiB" for it, size in self.resident_bytes.items())
        line("memory", ", ".join(memory))
        line("broken", "; ".join(self.broken()) or "nothing")


async def run(
    stack: FanoutStack,
    console: Console,
    folder: Path,
    *,
    viewers: int,
    channels: int,
    seconds: float,
    cached: bool,
) -> list[str]:
    """Let viewers watch, measure, and return a line for each failure."""
    every = (await stack.channels(USUAL))[:channels]
    await stack.quiet()
    port = stack.port
    async with AsyncExitStack() as running:
        extra = []
        if cached:
            port = free_port()
            command = nginx(folder, stack.port, listen=port)
            extra.append(Process(*command, name="nginx", folder=folder))
        watchers = viewers_process("bench.fanout.hls_watchers", port, folder, name="viewers by HLS")
        extra.append(watchers)
        for process in extra:
            await running.enter_async_context(process)
        await asyncio.sleep(1)
        for channel in every:
            await tell(watchers, {"watch": _index(channel), "viewers": 1})
        await tell(watchers, {"measure": RUNNING_S})
        for number, channel in enumerate(every):
            share = viewers * (number + 1) // channels - viewers * number // channels
            await tell(watchers, {"watch": _index(channel), "viewers": share})
        # They began with a channel that had nothing behind it.
        await tell(watchers, {"leave": channels})
        await tell(watchers, {"measure": SETTLE_S})
        measured = [stack.receiver, *stack.gateway(), *extra]
        before, requests = {it.name: it.cpu_s() for it in measured}, await _requests(stack)
        began_s = time.monotonic()
        seen = await tell(watchers, {"measure": seconds})
        lasted_s = time.monotonic() - began_s
        found = Load(
            asked=viewers,
            channels=channels,
            lasted_s=lasted_s,
            seen=Seen(**seen),
            cpu={it.name: (it.cpu_s() - before[it.name]) / lasted_s for it in measured},
            resident_bytes={it.name: it.resident_bytes() for it in measured},
            requests=(await _requests(stack) - requests) / lasted_s,
        )
        await tell(watchers, {"leave": viewers})
    found.report(console)
    return found.broken()


def _index(channel: Channel) -> str:
    return f"/hls/{channel.path.rpartition('/')[2].removesuffix('.ts')}/index.m3u8"


async def _requests(stack: FanoutStack) -> float:
    metrics = await stack.client.metrics()
    return sum(
        value for name, value in metrics.items() if name.startswith("xg2g_hls_requests_total")
    )

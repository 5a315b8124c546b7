"""Many viewers on several channels for a while, and more of them until something breaks."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.fanout.clips import USUAL
from bench.fanout.watchers import LATE_S, TURN_S, Seen

if TYPE_CHECKING:
    from rich.console import Console

    from bench.fanout.stack import Channel, FanoutStack

SETTLE_S: Final = 4.0
"""For streams to run as they will; nothing is judged before."""
ALL_HAVE_BEGUN_S: Final = 30.0
"""For every viewer to get something."""
MORE: Final = 1.5
MOST_VIEWERS: Final = 3000
TOO_SLOW: Final = "simulator.reader_too_slow"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What was seen of a number of viewers, and what it cost."""

    asked: int
    """Viewers."""
    channels: int
    lasted_s: float
    seen: Seen
    cpu: dict[str, float]
    """Name of each process -> share of a core."""
    resident_bytes: dict[str, int]
    skipped: dict[str, float]
    """What the daemon's metrics say readers have left out meanwhile."""
    lost_by_receiver: int
    """How often a stream came too fast for the daemon, so that the receiver let some of it go."""
    load_average: float

    def broken(self) -> list[str]:
        """Return a line for each failure."""
        seen = self.seen
        found = []
        if seen.late:
            found.append(f"{seen.late} viewers were more than {LATE_S:g} s behind the broadcast")
        if seen.ended:
            found.append(f"{seen.ended} streams ended")
        found += [f"{count} times {line!r}" for line, count in seen.refused.items()]
        waiting = self.asked - seen.viewers - seen.ended - sum(seen.refused.values())
        if waiting > 0:
            found.append(f"{waiting} viewers have got nothing yet")
        if self.skipped:
            found.append(f"skipped: {self.skipped}")
        if self.lost_by_receiver:
            found.append(f"{self.lost_by_receiver} times the daemon was too slow for the receiver")
        return found

    def report(self, console: Console) -> None:
        """Print it."""

        def line(name: str, text: object) -> None:
            console.print(f"  {name:<18} {text}", markup=False)

        seen = self.seen
        console.print(f"{self.asked} viewers on {self.channels} channels, {self.lasted_s:.0f} s")
        rate = seen.bytes * 8 / self.lasted_s / 1e6
        line("received", f"{rate:.0f} Mbit/s by {seen.viewers} viewers")
        if seen.lag_s:
            half, most, nearly, all_ = (f"{value * 1000:.0f}" for value in seen.lag_s)
            line("lag", f"p50 {half}, p95 {most}, p99 {nearly}, max {all_} ms")
        line("late", f"{seen.late} viewers (more than {LATE_S:g} s behind)")
        line("longest pause", f"{seen.pause_s * 1000:.0f} ms, seen each {TURN_S * 1000:g} ms")
        line("viewers' own delay", f"{seen.turn_late_s * 1000:.0f} ms at worst")
        line("CPU", ", ".join(f"{it} {cpu * 100:.1f} %" for it, cpu in self.cpu.items()))
        memory = (f"{it} {size / 2**20:.0f} MiB" for it, size in self.resident_bytes.items())
        line("memory", ", ".join(memory))
        line("load average", f"{self.load_average:.1f}")
        line("broken", "; ".join(self.broken()) or "nothing")


async def load(stack: FanoutStack, channels: list[Channel], viewers: int, seconds: float) -> Load:
    """Measure viewers that are spread evenly over the channels."""
    for number, channel in enumerate(channels):
        await stack.watch(channel.path, _share(viewers, number, len(channels)))
    await settle(stack, viewers)
    found = await measured(stack, viewers, len(channels), seconds)
    await stack.leave()
    return found


async def settle(stack: FanoutStack, viewers: int) -> None:
    """Return once all of these get something, or it is too late, and streams run as they will."""
    give_up_s = time.monotonic() + ALL_HAVE_BEGUN_S
    while True:
        seen = Seen(**await stack.measure(SETTLE_S))
        if seen.viewers >= viewers or seen.refused or time.monotonic() > give_up_s:
            return


async def measured(stack: FanoutStack, viewers: int, channels: int, seconds: float) -> Load:
    """Measure the present viewers."""
    skipped, lost = await _skipped(stack), _lost(stack)
    before, began_s = {it.name: it.cpu_s() for it in stack.processes()}, time.monotonic()
    seen = await stack.measure(seconds)
    lasted_s = time.monotonic() - began_s
    cpu = {it.name: (it.cpu_s() - before[it.name]) / lasted_s for it in stack.processes()}
    now_skipped = await _skipped(stack)
    return Load(
        asked=viewers,
        channels=channels,
        lasted_s=lasted_s,
        seen=Seen(**seen),
        cpu=cpu,
        resident_bytes={it.name: it.resident_bytes() for it in stack.processes()},
        skipped={
            name: value - skipped.get(name, 0)
            for name, value in now_skipped.items()
            if value > skipped.get(name, 0)
        },
        lost_by_receiver=_lost(stack) - lost,
        load_average=os.getloadavg()[0],
    )


async def run(
    stack: FanoutStack,
    console: Console,
    *,
    viewers: int,
    channels: int,
    seconds: float,
    until_it_breaks: bool,
) -> list[str]:
    """Measure, with more and more viewers if wanted; return the failures of the first number."""
    every = await stack.channels(USUAL)
    await stack.quiet()
    first = found = await load(stack, every[:channels], viewers, seconds)
    found.report(console)
    while until_it_breaks and not found.broken() and viewers < MOST_VIEWERS:
        viewers = round(viewers * MORE)
        found = await load(stack, every[:channels], viewers, seconds)
        found.report(console)
    if until_it_breaks and found is not first:
        console.print(f"breaks first: {'; '.join(found.broken()) or 'nothing'}", markup=False)
    return first.broken()


def _share(viewers: int, number: int, channels: int) -> int:
    return viewers * (number + 1) // channels - viewers * number // channels


async def _skipped(stack: FanoutStack) -> dict[str, float]:
    metrics = await stack.client.metrics()
    return {
        name: value
        for name, value in metrics.items()
        if "skip" in name and not name.partition("{")[0].endswith("_created")
    }


def _lost(stack: FanoutStack) -> int:
    return stack.receiver.log.text().count(TOO_SLOW)

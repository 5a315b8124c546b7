"""What viewers of live channels cost xg2g, beside ffmpegs that take the same channels, and how soon
they see a picture on a channel that runs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from statistics import mean, median
from typing import TYPE_CHECKING, Final

from bench.fanout import join
from bench.fanout.clips import SELDOM, USUAL
from bench.fanout.load import measured, settle
from bench.fanout.stack import FanoutStack
from bench.report import Figure, Judged
from tests.harness.process import Process, running

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.fanout.load import Load
    from bench.fanout.stack import Channel
    from bench.progress import Steps

RUNS: Final = 3
CHANNELS: Final = 10
VIEWERS: Final = 100
MEASURED_S: Final = 8.0
FFMPEGS: Final = 3
"""Of either kind, all at once; each is a viewer."""
FFMPEG_SETTLES_S: Final = 3.0
JOINS: Final = 50
LEAST_RECEIVED: Final = 97
"""In %. What comes within so short a time is a tenth of a second more or less."""
STREAM: Final = "MP2, live"
PROBING_LITTLE: Final = ("-probesize", "1000000", "-analyzeduration", "1000000")
COPIES: Final = ("-c", "copy")
CONVERTS: Final = ("-c:v", "copy", "-c:a", "aac", "-b:a", "192k", "-ac", "2")


@dataclass
class Shares:
    """Of a core in %, a value for each run."""

    first: list[float] = field(default_factory=list)
    """The only viewer of a channel."""
    further: list[float] = field(default_factory=list)
    """One more viewer of a channel."""
    all_: list[float] = field(default_factory=list)
    """Of `VIEWERS` on `CHANNELS`."""
    receiver: list[float] = field(default_factory=list)
    """The simulated receiver meanwhile, which is not xg2g."""
    received: list[float] = field(default_factory=list)
    """What these viewers got, in % of what the receiver sent; 1 % less is what converted sound
    saves. With less, the cost is that of a daemon that does not keep up."""
    late: list[float] = field(default_factory=list)
    """Number of these viewers more than a second behind."""
    copying: list[float] = field(default_factory=list)
    """An ffmpeg that converts nothing."""
    converting: list[float] = field(default_factory=list)


class BrokenError(Exception):
    """Viewers did not get what they asked for: there is nothing to report."""


async def figures(folder: Path, steps: Steps) -> list[Figure]:
    """Measure all. Raises `BrokenError`."""
    found = []
    for name, external in (("embedded", False), ("external", True)):
        place = folder / name
        place.mkdir()
        found += _cost(name, await _shares(place, name, steps, external=external))
    for clip in (USUAL, SELDOM):
        place = folder / clip.name
        place.mkdir()
        steps.begin(f"{JOINS} joins, key frame each {clip.key_frame_every_s} s")
        stack = FanoutStack(place, [clip], 1)
        async with stack:
            found += _joins(await join.run(stack, clip, JOINS, "1"))
    return found


async def _shares(folder: Path, name: str, steps: Steps, *, external: bool) -> Shares:
    stack, shares = FanoutStack(folder, [USUAL], CHANNELS, external=external), Shares()
    async with stack:
        channels = await stack.channels(USUAL)
        for number in range(RUNS):
            await stack.quiet()
            steps.begin(f"viewers, {name}: run {number + 1} of {RUNS}")
            single = await _watched(stack, channels, more=1, viewers=CHANNELS)
            many = await _watched(stack, channels, more=VIEWERS // CHANNELS - 1, viewers=VIEWERS)
            await stack.leave()
            processes = [process.name for process in stack.gateway()]
            alone, all_ = (sum(it.cpu[each] for each in processes) for it in (single, many))
            shares.first.append(alone / CHANNELS * 100)
            shares.further.append((all_ - alone) / (VIEWERS - CHANNELS) * 100)
            shares.all_.append(all_ * 100)
            sent = USUAL.bits_per_s * MEASURED_S / 8 * VIEWERS
            shares.received.append(many.seen.bytes / sent * 100)
            shares.late.append(many.seen.late)
            shares.receiver.append(many.cpu[stack.receiver.name] * 100)
            steps.begin(f"ffmpeg beside it: run {number + 1} of {RUNS}")
            copying, converting = await _ffmpegs(stack, channels)
            shares.copying.append(copying)
            shares.converting.append(converting)
    return shares


async def _watched(
    stack: FanoutStack, channels: Sequence[Channel], *, more: int, viewers: int
) -> Load:
    """Add `more` viewers to each channel, and measure all `viewers`."""
    for channel in channels:
        await stack.watch(channel.path, more)
    await settle(stack, viewers)
    found = await measured(stack, viewers, len(channels), MEASURED_S)
    if found.seen.refused or found.seen.ended or found.seen.viewers < viewers:
        raise BrokenError("; ".join(found.broken()))
    return found


async def _ffmpegs(stack: FanoutStack, channels: Sequence[Channel]) -> tuple[float, float]:
    """Let some take a channel each from the receiver; the share of a core of one that copies and of
    one that converts, in %."""
    urls = [f"http://127.0.0.1:{stack.stream_port}/{it.reference}" for it in channels]
    hows = (*[COPIES] * FFMPEGS, *[CONVERTS] * FFMPEGS)
    ffmpegs = [
        Process(
            *("ffmpeg", "-v", "quiet", "-nostdin", *PROBING_LITTLE, "-i", url, *how),
            *("-y", "-f", "mpegts", "/dev/null"),
        )
        for url, how in zip(urls, hows, strict=False)
    ]
    async with running(*ffmpegs):
        await asyncio.sleep(FFMPEG_SETTLES_S)
        before_s, began_s = [it.cpu_s() for it in ffmpegs], time.monotonic()
        await asyncio.sleep(MEASURED_S)
        lasted_s = time.monotonic() - began_s
        shares = [
            (it.cpu_s() - cpu_s) / lasted_s for it, cpu_s in zip(ffmpegs, before_s, strict=True)
        ]
    return mean(shares[:FFMPEGS]) * 100, mean(shares[FFMPEGS:]) * 100


def _cost(name: str, shares: Shares) -> list[Figure]:
    rows = (
        ("first viewer", shares.first, "converts", shares.converting, 1.0),
        ("further viewer", shares.further, "converts", shares.converting, 0.05),
        ("further viewer", shares.further, "copies", shares.copying, 0.05),
    )
    found = [
        Figure(
            stream=STREAM,
            what=f"CPU, {what}, {name} (ffmpeg {does})",
            unit="%",
            xg2g=median(ours),
            ffmpeg=median(theirs),
            budget=budget,
            xg2g_runs=ours,
            ffmpeg_runs=theirs,
        )
        for what, ours, does, theirs, budget in rows
    ]
    all_ = f"{VIEWERS} on {CHANNELS} channels, {name}"
    return [
        *found,
        _row(f"CPU, {all_}", "%", shares.all_),
        _row(f"the receiver's meanwhile, {name}", "%", shares.receiver),
        _row(f"received by {all_}", "%", shares.received, LEAST_RECEIVED, Judged.AT_LEAST),
        _row(f"late of {all_}", "", shares.late, 0),
    ]


def _joins(joins: join.Joins) -> list[Figure]:
    every = f"key frame each {joins.clip.key_frame_every_s} s"
    found = [
        _row(f"joins without picture of {len(joins.joined)}, {every}", "", [len(joins.failed)], 0),
        _row(f"ffmpeg's errors in them, {every}", "", [joins.complaints], 0),
    ]
    if pictures_ms := [seconds * 1000 for seconds in joins.pictures_s]:
        found += [
            _row(f"join to picture, median, {every}", "ms", pictures_ms, 100),
            _row(f"join to picture, worst, {every}", "ms", pictures_ms[-1:]),
        ]
    return found


def _row(
    what: str,
    unit: str,
    runs: Sequence[float],
    budget: float | None = None,
    judged: Judged = Judged.AT_MOST,
) -> Figure:
    return Figure(
        stream=STREAM,
        what=what,
        unit=unit,
        xg2g=median(runs),
        budget=budget,
        judged=judged,
        xg2g_runs=runs,
    )

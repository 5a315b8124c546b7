"""Measures lineup and guide of a big receiver: time and memory of start, refresh and download.

`python -m bench.guide` runs simulated receiver and daemon as processes of their own: 70,000
programmes of a week, and 500 channels in 20 bouquets with a second for each answer. Seconds depend
on what else the machine does, those of CPU hardly.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from xg2g.simulator import SimulatedReceiver

PATIENCE_S = 1800


@dataclass(frozen=True)
class Size:
    channels: int
    bouquets: int
    answer_delay_s: float


SIZES = (Size(278, 8, 0.0), Size(500, 20, 1.0))


async def be_receiver(size: Size) -> None:
    async with SimulatedReceiver(
        channels=size.channels, bouquets=size.bouquets, answer_delay_s=size.answer_delay_s
    ) as receiver:
        say(receiver.base_url)
        await asyncio.Event().wait()


class Daemon:
    """`xg2g serve`, and what it logs."""

    def __init__(self, process: asyncio.subprocess.Process, begin_s: float) -> None:
        self.process = process
        self.begin_s = begin_s
        self.address = ""
        self._cpu_s = 0.0

    async def logged(self, event: str) -> dict[str, Any]:
        """Wait for this line of the log."""
        assert self.process.stderr
        while line := await self.process.stderr.readline():
            entry = json.loads(line) if line.startswith(b"{") else {}
            if entry.get("event") == event:
                return entry
        raise SystemExit(f"the daemon ended before it logged {event!r}")

    async def announced(self) -> float:
        """Wait for the playlist's address; the seconds since the start."""
        assert self.process.stdout
        while line := (await self.process.stdout.readline()).decode():
            if "/playlist.m3u" in line:
                self.address = line.split()[-1].removesuffix("/playlist.m3u")
                return time.monotonic() - self.begin_s
        raise SystemExit("the daemon did not start")

    def cost(self) -> str:
        """CPU time since the last call, and memory."""
        proc = Path(f"/proc/{self.process.pid}")
        ticks = sum(map(int, proc.joinpath("stat").read_text().rpartition(")")[2].split()[11:13]))
        cpu_s = ticks / os.sysconf("SC_CLK_TCK")
        spent_s, self._cpu_s = cpu_s - self._cpu_s, cpu_s
        lines = proc.joinpath("status").read_text().splitlines()
        kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines if " kB" in line}
        most = kilobytes["VmHWM:"] / 1024
        return f"{spent_s:5.2f} s of CPU, {kilobytes['VmRSS:'] / 1024:.0f} MB ({most:.0f} at most)"


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
        await started.communicate()


@asynccontextmanager
async def daemon(receiver: str, data: str) -> AsyncIterator[Daemon]:
    command = ("-c", "from xg2g.cli import main; main()", "serve", "--receiver", receiver)
    begin_s = time.monotonic()
    options = ("--port", "0", "--data-dir", data, "--log-format", "json")
    async with process(*command, *options) as started:
        yield Daemon(started, begin_s)


async def download(address: str, path: str, headers: dict[str, str]) -> tuple[float, float, int]:
    """Seconds to the first byte and to the last, and bytes."""
    begin_s = time.monotonic()
    size, first_s = 0, 0.0
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client,
        client.stream("GET", address + path, headers=headers) as response,
    ):
        response.raise_for_status()
        async for piece in response.aiter_raw():
            first_s = first_s or time.monotonic() - begin_s
            size += len(piece)
    return first_s, time.monotonic() - begin_s, size


async def measure(size: Size) -> None:
    delay = f"{size.answer_delay_s:g} s an answer"
    say(f"\n{size.channels} channels in {size.bouquets} bouquets, {delay}")
    with tempfile.TemporaryDirectory() as data:
        arguments = (str(size.channels), str(size.bouquets), str(size.answer_delay_s))
        async with process("-m", "bench.guide", "receiver", *arguments) as receiver:
            assert receiver.stdout
            url = (await receiver.stdout.readline()).decode().strip()
            async with daemon(url, data) as running:
                report("first start until it serves", await running.announced(), running)
                read = await running.logged("guide read")
                report(f"guide, {read['programmes']} programmes", read["duration_s"], running)
                await downloads(running)
            for again in ("second", "third"):
                async with daemon(url, data) as running:
                    report(f"{again} start until it serves", await running.announced(), running)
                    lineup = await running.logged("lineup read")
                    assert not lineup["new"] and not lineup["removed"]
                    read = await running.logged("guide read")
                    what = f"guide, {read['programmes']} read, {read['changed']} changed"
                    report(what, read["duration_s"], running)
        async with daemon(url, data) as running:
            report("start with the receiver off", await running.announced(), running)
            _, whole_s, bytes_ = await download(running.address, "/playlist.m3u", {})
            report(f"playlist, {bytes_ / 1e3:.0f} kB", whole_s, running)
            await downloads(running)


async def downloads(running: Daemon) -> None:
    for coding in ("identity", "gzip"):
        headers = {"Accept-Encoding": coding}
        first_s, whole_s, bytes_ = await download(running.address, "/xmltv.xml", headers)
        report(f"download ({coding}), {bytes_ / 1e6:.1f} MB", whole_s, running)
        say(f"{'first byte after':>36} {first_s:7.2f} s")


def report(what: str, seconds: float, running: Daemon) -> None:
    say(f"  {what:34} {seconds:7.2f} s {running.cost()}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main() -> None:
    match sys.argv[1:]:
        case ["receiver", channels, bouquets, delay_s]:
            await be_receiver(Size(int(channels), int(bouquets), float(delay_s)))
        case ["small"]:
            await measure(SIZES[0])
        case ["slow"]:
            await measure(SIZES[1])
        case _:
            for size in SIZES:
                await measure(size)


if __name__ == "__main__":
    asyncio.run(main())

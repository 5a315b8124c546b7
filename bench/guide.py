"""Measures lineup and guide of a big receiver: time and memory of start, refresh and download.

`python -m bench.guide` runs simulated receiver and daemon as processes of their own: 70,000
programmes of a week, and 500 channels in 20 bouquets with a second for each answer. Seconds depend
on what else the machine does, those of CPU hardly.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.harness.command import COMMAND, DaemonProcess
from tests.harness.process import Process, peak_resident_bytes
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


class Daemon(DaemonProcess):
    """`xg2g serve`, and what it logs."""

    def __init__(self, receiver: str, data: str) -> None:
        options = ("--port", "0", "--data-dir", data, "--log-format", "json")
        super().__init__(*COMMAND, "serve", "--receiver", receiver, *options)
        self.url = ""
        self._cpu_s = 0.0

    async def announced_s(self) -> float:
        """Wait until it serves; the seconds since the start."""
        begin_s = time.monotonic()
        self.url = await self.address(within_s=PATIENCE_S)
        return time.monotonic() - begin_s

    async def logged(self, event: str) -> dict[str, Any]:
        """Wait for this line of the log."""

        def is_wanted(line: str) -> bool:
            return line.startswith("{") and json.loads(line).get("event") == event

        entry: dict[str, Any] = json.loads(
            await self.line(is_wanted, of=self.log, within_s=PATIENCE_S)
        )
        return entry

    def cost(self) -> str:
        """CPU time since the last call, and memory."""
        spent_s, self._cpu_s = self.cpu_s() - self._cpu_s, self.cpu_s()
        now, most = self.resident_bytes() / 2**20, peak_resident_bytes(self.pid) / 2**20
        return f"{spent_s:5.2f} s of CPU, {now:.0f} MB ({most:.0f} at most)"


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
        command = (sys.executable, "-m", "bench.guide", "receiver", *arguments)
        async with Process(*command, name="receiver") as receiver:
            url = await receiver.line()
            async with Daemon(url, data) as running:
                report("first start until it serves", await running.announced_s(), running)
                read = await running.logged("guide read")
                report(f"guide, {read['programmes']} programmes", read["duration_s"], running)
                await downloads(running)
            for again in ("second", "third"):
                async with Daemon(url, data) as running:
                    report(f"{again} start until it serves", await running.announced_s(), running)
                    lineup = await running.logged("lineup read")
                    assert not lineup["new"] and not lineup["removed"]
                    read = await running.logged("guide read")
                    what = f"guide, {read['programmes']} read, {read['changed']} changed"
                    report(what, read["duration_s"], running)
        async with Daemon(url, data) as running:
            report("start with the receiver off", await running.announced_s(), running)
            _, whole_s, bytes_ = await download(running.url, "/playlist.m3u", {})
            report(f"playlist, {bytes_ / 1e3:.0f} kB", whole_s, running)
            await downloads(running)


async def downloads(running: Daemon) -> None:
    for coding in ("identity", "gzip"):
        headers = {"Accept-Encoding": coding}
        first_s, whole_s, bytes_ = await download(running.url, "/xmltv.xml", headers)
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

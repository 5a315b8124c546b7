"""So many viewers by HLS on so many channels, with and without a cache in front."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.fanout.clips import USUAL
from bench.fanout.hls_watchers import Seen
from tests.harness.processes import Process, free_port

if TYPE_CHECKING:
    from rich.console import Console

    from bench.fanout.stack import Channel, Stack

CONFIGURATION: Final = Path(__file__).parents[2] / "deploy/nginx/xg2g.conf"
"""Of the cache: what users copy."""
RUNNING_S: Final = 15.0
"""For a channel to have as much behind it as viewers begin with."""
SETTLE_S: Final = 15.0
"""For every viewer to have begun; nothing is judged before."""

_MAIN: Final = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{site}
}}
"""


def nginx(folder: Path, port: int, *, listen: int) -> list[str]:
    """Return the command of nginx with the documented configuration, for a daemon at `port`.

    What it writes goes to `folder`.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/opt/homebrew/bin")
    if program is None:
        raise SystemExit("nginx is missing: apt-get install nginx-light")
    folder = folder.absolute()
    site = (
        CONFIGURATION.read_text()
        .replace("127.0.0.1:8088", f"127.0.0.1:{port}")
        .replace("listen 80;", f"listen 127.0.0.1:{listen};")
        .replace("  listen [::]:80;\n", "")
        .replace("/var/cache/nginx/xg2g", f"{folder}/cache")
    )
    main = folder / "nginx.conf"
    main.write_text(_MAIN.format(folder=folder, site=site))
    return [program, "-p", str(folder), "-c", str(main), "-e", "stderr"]


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
        """What is not as it should be, a line for each."""
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
    stack: Stack,
    console: Console,
    folder: Path,
    *,
    viewers: int,
    channels: int,
    seconds: float,
    cached: bool,
) -> list[str]:
    """Let so many watch, measure, and return what broke."""
    every = (await stack.channels(USUAL))[:channels]
    await stack.quiet()
    port = stack.port
    async with AsyncExitStack() as running:
        extra = []
        if cached:
            port = free_port()
            command = nginx(folder, stack.port, listen=port)
            extra.append(Process("nginx", command, folder / "nginx.log"))
        watch = [sys.executable, "-m", "bench.fanout.hls_watchers", str(port)]
        watchers = Process("viewers", watch, folder / "viewers.log", obeys=True)
        extra.append(watchers)
        for process in extra:
            running.push_async_callback(process.end)
            await process.start()
        await asyncio.sleep(1)
        for channel in every:
            await _tell(watchers, {"watch": _index(channel), "viewers": 1})
        await _tell(watchers, {"measure": RUNNING_S})
        for number, channel in enumerate(every):
            share = viewers * (number + 1) // channels - viewers * number // channels
            await _tell(watchers, {"watch": _index(channel), "viewers": share})
        # They began with a channel that had nothing behind it.
        await _tell(watchers, {"leave": channels})
        await _tell(watchers, {"measure": SETTLE_S})
        measured = [stack.receiver, *stack.measured(), *extra]
        before, requests = {it.name: it.cpu_s() for it in measured}, await _requests(stack)
        began_s = time.monotonic()
        seen = await _tell(watchers, {"measure": seconds})
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
        await _tell(watchers, {"leave": viewers})
    found.report(console)
    return found.broken()


def _index(channel: Channel) -> str:
    return f"/hls/{channel.path.rpartition('/')[2].removesuffix('.ts')}/index.m3u8"


async def _requests(stack: Stack) -> float:
    metrics = await stack.asked.metrics()
    return sum(
        value for name, value in metrics.items() if name.startswith("xg2g_hls_requests_total")
    )


async def _tell(watchers: Process, command: dict[str, Any]) -> Any:
    answer = await watchers.ask(json.dumps(command))
    if not answer:
        raise SystemExit(f"fanout: the viewers' process ended; see {watchers.log}")
    return json.loads(answer)

"""The processes: a simulated receiver, transcoders and the daemon, each as a user starts them."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

BIN = Path(sys.executable).parent
READY_S = 30.0
"""For a process to answer, on a machine that is busy."""


class Process:
    """A command that can be killed and started again."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("XG2G_")}
            environment |= {"XG2G_CONFIG": os.devnull, "XDG_DATA_HOME": str(self._log.parent)}
            self._running = await asyncio.create_subprocess_exec(
                *self._command, stdout=log, stderr=log, env=environment
            )

    async def end(self, *, kill: bool = False) -> int | None:
        """Stop it, or kill it as a crash does; return its exit code."""
        if self._running is None:
            return None
        if self._running.returncode is None:
            self._running.kill() if kill else self._running.terminate()
        code = await self._running.wait()
        self._running = None
        return code

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.returncode is None

    def resident_bytes(self) -> int:
        """Memory in use; 0 when it does not run."""
        if self._running is None:
            return 0
        try:
            text = Path(f"/proc/{self._running.pid}/statm").read_text()
        except OSError:
            return 0
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Transcoder:
    """A service, and a way to ask it."""

    process: Process
    url: str

    async def open_remuxers(self) -> int | None:
        """How many it holds; None when it does not answer."""
        socket_path = self.url.removeprefix("unix://") if self.url.startswith("unix:") else None
        transport = httpx.AsyncHTTPTransport(uds=socket_path)
        base_url = "http://transcoder" if socket_path else self.url
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            try:
                return int((await client.get("/v1")).json()["open_remuxers"])
            except httpx.HTTPError:
                return None


class Stack:
    """An async context manager: everything runs inside."""

    def __init__(self, folder: Path, transcoder: Path, transcoders: int, *, tcp: bool) -> None:
        api, streams, relay, daemon = (_free_port() for _ in range(4))
        self.base_url = f"http://127.0.0.1:{daemon}"
        self.stream_port = streams
        self.transcoders = []
        for number in range(transcoders):
            address = f"127.0.0.1:{_free_port()}" if tcp else f"unix:{folder}/{number}.sock"
            url = f"http://{address}" if tcp else f"unix://{folder}/{number}.sock"
            command = [str(transcoder), "--listen", address]
            process = Process(f"transcoder {number}", command, folder / f"transcoder{number}.log")
            self.transcoders.append(Transcoder(process, url))
        xg2g = str(BIN / "xg2g")
        simulate = [xg2g, "simulate", "--port", str(api), "--stream-port", str(streams)]
        simulate += ["--relay-port", str(relay), "--tuners", "40"]
        self.receiver = Process("receiver", simulate, folder / "receiver.log")
        serve = [xg2g, "serve", "--receiver", f"http://127.0.0.1:{api}"]
        serve += [
            "--stream-port",
            str(streams),
            "--port",
            str(daemon),
            "--wait",
        ]
        for item in self.transcoders:
            serve += ["--external-transcoder", item.url]
        self.daemon = Process("daemon", serve, folder / "daemon.log")

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for process in self.processes():
                stack.push_async_callback(process.end)
            for item in self.transcoders:
                await item.process.start()
            await self.receiver.start()
            async with asyncio.timeout(READY_S):
                for item in self.transcoders:
                    while await item.open_remuxers() is None:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
            await self.daemon.start()
            async with asyncio.timeout(READY_S):
                while not await self.channels():  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def processes(self) -> list[Process]:
        return [self.receiver, self.daemon, *(item.process for item in self.transcoders)]

    async def channels(self) -> list[tuple[str, str]]:
        """Name and path of each channel; none while the daemon does not have them."""
        playlist = await self.get("/playlist.m3u")
        found: list[tuple[str, str]] = []
        name = ""
        for line in playlist.splitlines():
            if line.startswith("#EXTINF"):
                name = line.rpartition(",")[2]
            elif line.startswith("http"):
                found.append((name, httpx.URL(line).path))
        return found

    async def metrics(self) -> dict[str, float]:
        """The daemon's metrics, with their labels."""
        lines = (await self.get("/metrics")).splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    async def get(self, path: str) -> str:
        """What the daemon answers; nothing when it does not."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            try:
                response = await client.get(self.base_url + path)
            except httpx.HTTPError:
                return ""
        return response.text if response.status_code == 200 else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

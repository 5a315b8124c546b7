"""The processes: a simulated receiver, transcoders and the daemon, each as a user starts them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx

from tests.harness.asking import Daemon
from tests.harness.processes import BIN, READY_S, Process, free_port

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


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
        api, streams, relay, daemon = (free_port() for _ in range(4))
        self.asked = Daemon(f"http://127.0.0.1:{daemon}")
        self.stream_port = streams
        self.transcoders = []
        for number in range(transcoders):
            address = f"127.0.0.1:{free_port()}" if tcp else f"unix:{folder}/{number}.sock"
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
                while not await self.asked.channels():  # noqa: ASYNC110
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

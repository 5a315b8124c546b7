"""Receiver, transcoder, daemon and viewers, each a process of its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.harness.ports import free_port
from tests.harness.process import READY_S, Process
from tests.harness.stack import Settings, Stack
from tests.harness.transcoder import Transcoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.fanout.clips import Clip

QUIET = 0.02
"""Most CPU of a daemon without viewers that has read guide and lineup, as a share of a core."""


@dataclass(frozen=True)
class Channel:
    """One that can be watched."""

    name: str
    path: str
    """At the daemon."""

    @property
    def reference(self) -> str:
        """At the receiver."""
        return self.path.rpartition("/")[2].removesuffix(".ts").replace("_", ":") + ":"


class FanoutStack(Stack):
    """A receiver of these clips, a daemon, and a process with all viewers."""

    def __init__(
        self, folder: Path, clips: Sequence[Clip], copies: int, *, external: bool = False
    ) -> None:
        """Each clip is `copies` channels. With `external`, a service converts."""
        api, self.stream_port, port = (free_port() for _ in range(3))
        self._copies = copies
        # Of a run before: channels of other clips, and lines that would be counted as this one's.
        shutil.rmtree(folder / "data", ignore_errors=True)
        for file in (*folder.glob("*.log"), *folder.glob("*.out")):
            file.unlink()
        receiver = Process(
            *(sys.executable, "-m", "bench.fanout.receiver"),
            *map(str, (api, self.stream_port, copies, *(clip.path() for clip in clips))),
            name="receiver",
            folder=folder,
        )
        url = f"http://127.0.0.1:{api}"
        settings: Settings = {
            "receiver": {"url": url, "stream_port": self.stream_port, "wait": True},
            "server": {"port": port},
            "hdhomerun": {"discovery": False},
        }
        transcoders = []
        if external:
            transcoders.append(Transcoder(f"unix://{folder}/transcoder.sock", folder=folder))
        super().__init__(folder, receiver, settings, transcoders)
        self.viewers = viewers_process("bench.fanout.watchers", port, folder)

    def processes(self) -> list[Process]:
        """Return them in the order in which they start."""
        return [*super().processes(), self.viewers]

    async def channels(self, clip: Clip) -> list[Channel]:
        """Return its channels, once the daemon has them."""
        prefix = clip.path().stem
        async with asyncio.timeout(READY_S):
            while True:
                every = (Channel(*item) for item in await self.client.channels())
                found = [item for item in every if item.name.startswith(prefix)]
                if len(found) >= self._copies:
                    return found
                await asyncio.sleep(0.2)

    async def quiet(self) -> None:
        """Return once the daemon has nothing to do."""
        async with asyncio.timeout(READY_S):
            while True:
                before_s = self.daemon.cpu_s()
                await asyncio.sleep(1)
                if self.daemon.cpu_s() - before_s < QUIET:
                    return

    async def watch(self, path: str, viewers: int) -> None:
        """Add viewers of the channel at this path."""
        await self._tell({"watch": path, "viewers": viewers})

    async def leave(self) -> None:
        """Disconnect all viewers."""
        await self._tell({"leave": True})

    async def measure(self, seconds: float) -> dict[str, Any]:
        """Let time pass and return what the viewers saw: the fields of `watchers.Seen`."""
        found: dict[str, Any] = await self._tell({"measure": seconds})
        return found

    async def _tell(self, command: dict[str, Any]) -> Any:
        return await tell(self.viewers, command)


def viewers_process(module: str, port: int, folder: Path, *, name: str = "viewers") -> Process:
    """Return a process of viewers of the daemon at this port; `tell` tells them what to do."""
    command = (sys.executable, "-m", module, str(port))
    return Process(*command, name=name, folder=folder, stdin=subprocess.PIPE)


async def tell(viewers: Process, command: dict[str, Any]) -> Any:
    """Let them do something, and return what they saw."""
    return json.loads(await viewers.ask(json.dumps(command)))

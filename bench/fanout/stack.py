"""Receiver, transcoder, daemon and viewers, each a process of its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.harness.asking import Daemon
from tests.harness.processes import BIN, READY_S, Process, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.fanout.clips import Clip

QUIET = 0.02
"""Share of a core that the daemon takes at most while nobody watches; it has read guide and lineup
by then."""


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


class Stack:
    """Their commands, on ports of this computer that are free."""

    def __init__(
        self, folder: Path, clips: Sequence[Clip], copies: int, *, external: bool = False
    ) -> None:
        """Each clip is `copies` channels."""
        api, streams, daemon = (free_port() for _ in range(3))
        self.port, self.stream_port = daemon, streams
        self.asked = Daemon(f"http://127.0.0.1:{daemon}")
        self._copies = copies
        # Of a run before: channels of other clips, and lines that would be counted as this one's.
        shutil.rmtree(folder / "data", ignore_errors=True)
        for log in folder.glob("*.log"):
            log.unlink()
        paths = [str(clip.path()) for clip in clips]
        simulate = [sys.executable, "-m", "bench.fanout.receiver"]
        simulate += [str(api), str(streams), str(copies), *paths]
        self.receiver = Process("receiver", simulate, folder / "receiver.log")
        settings = {
            "receiver": {"url": f"http://127.0.0.1:{api}", "stream_port": streams, "wait": True},
            "server": {"port": daemon},
            "hdhomerun": {"discovery": False},
        }
        config = folder / "config.yaml"
        # JSON is YAML.
        config.write_text(json.dumps(settings))
        serve = [str(BIN / "xg2g"), "serve", "--config", str(config)]
        serve += ["--data-dir", str(folder / "data")]
        self.transcoder: Process | None = None
        if external:
            address = folder / "transcoder.sock"
            command = [str(BIN / "xg2g-transcoder"), "--listen", f"unix:{address}"]
            self.transcoder = Process("transcoder", command, folder / "transcoder.log")
            serve += ["--external-transcoder", f"unix://{address}"]
        self.daemon = Process("daemon", serve, folder / "daemon.log")
        watch = [sys.executable, "-m", "bench.fanout.watchers", str(daemon)]
        self.watchers = Process("viewers", watch, folder / "viewers.log", obeys=True)

    def processes(self) -> list[Process]:
        """In the order in which they start."""
        converting = [self.transcoder] if self.transcoder else []
        return [self.receiver, *converting, self.daemon, self.watchers]

    def measured(self) -> list[Process]:
        """Those of xg2g."""
        return [self.daemon, *([self.transcoder] if self.transcoder else [])]

    async def channels(self, clip: Clip) -> list[Channel]:
        """Return its channels, once the daemon has them."""
        prefix = clip.path().stem
        async with asyncio.timeout(READY_S):
            while True:
                every = (Channel(*item) for item in await self.asked.channels())
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
        """Let so many more watch."""
        await self._tell({"watch": path, "viewers": viewers})

    async def leave(self) -> None:
        """Let all leave."""
        await self._tell({"leave": True})

    async def measure(self, seconds: float) -> dict[str, Any]:
        """Let time pass and return what the viewers saw: the fields of `watchers.Seen`."""
        found: dict[str, Any] = await self._tell({"measure": seconds})
        return found

    async def _tell(self, command: dict[str, Any]) -> Any:
        answer = await self.watchers.ask(json.dumps(command))
        if not answer:
            raise SystemExit(f"fanout: the viewers' process ended; see {self.watchers.log}")
        return json.loads(answer)

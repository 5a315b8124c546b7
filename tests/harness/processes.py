"""Programs that a script starts, watches and ends."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

BIN = Path(sys.executable).parent
"""Where `xg2g` and its like are installed."""
READY_S = 30.0
"""For a process to answer, on a machine that is busy."""


class Process:
    """A command that can be killed and started again. What it writes goes to `log`."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, *, obeys: bool = False
    ) -> None:
        """With `obeys` it reads commands on its standard input and answers each in a line."""
        self.name = name
        self._command = command
        self.log = log
        self._pipe = asyncio.subprocess.PIPE if obeys else None
        self._turn = asyncio.Lock()
        self._running: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("XG2G_")}
            environment |= {"XG2G_CONFIG": os.devnull, "XDG_DATA_HOME": str(self.log.parent)}
            self._running = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=self._pipe,
                stdout=self._pipe or log,
                stderr=log,
                env=environment,
            )

    async def ask(self, command: str) -> str:
        """Send a line to one that obeys, and return the line that it answers."""
        running = self._running
        assert running is not None and running.stdin is not None and running.stdout is not None
        async with self._turn:
            running.stdin.write(f"{command}\n".encode())
            return (await running.stdout.readline()).decode().rstrip("\n")

    async def end(self, *, kill: bool = False) -> int | None:
        """Stop it, or kill it as a crash does; return its exit code."""
        if self._running is None:
            return None
        if self._running.returncode is None:
            self._running.kill() if kill else self._running.terminate()
        code = await self._running.wait()
        self._running = None
        return code

    def signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.alive and self._running is not None:
            self._running.send_signal(number)

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.returncode is None

    @property
    def proc(self) -> Path:
        """Its folder in /proc; one that does not exist if it does not run."""
        return Path("/proc") / str(self._running.pid if self._running else "none")

    def cpu_s(self) -> float:
        """User and system time of all its threads so far, those that ended included."""
        return cpu_s(self._running.pid) if self._running else 0.0

    def resident_bytes(self) -> int:
        """Memory in use; 0 when it does not run."""
        try:
            text = (self.proc / "statm").read_text()
        except OSError:
            return 0
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """User and system time of a process with all its threads so far, those that ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def running(processes: Sequence[Process]) -> AsyncIterator[None]:
    """Start them in this order, and end them in the other."""
    async with AsyncExitStack() as stack:
        for process in processes:
            stack.push_async_callback(process.end)
            await process.start()
        yield


def free_port() -> int:
    """Return a TCP port of this computer that nobody listens on.

    It lies below the ports that the kernel hands out (from 32768 on Linux, 49152 on macOS), so that
    no other connection takes it before the caller listens on it.
    """
    for port in random.sample(range(20_000, 32_000), 1_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a thousand ports are taken")

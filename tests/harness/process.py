"""A program in a process of its own, and what it writes."""

import asyncio
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

BIN = Path(sys.executable).parent
"""Where `xg2g` and `xg2g-transcoder` are installed."""
READY_S = 30.0
"""Time for a process to start or to answer, on a busy machine."""
END_S = 20.0
"""Time for a process to end in good order; then it is killed."""
POLL_S = 0.01


def environment(**variables: str) -> dict[str, str]:
    """Return the variables of this process without settings of xg2g, and with these."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("XG2G_")}
    return bare | {"XG2G_CONFIG": os.devnull, "COLUMNS": "200"} | variables


class Output:
    """What a process has written to one of its streams, which is a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._at = 0

    def text(self) -> str:
        """Return all of it."""
        return self.file.read_text(errors="replace") if self.file.exists() else ""

    def next_line(self) -> str | None:
        """Return the next complete line without its newline; None until one is written."""
        with suppress(FileNotFoundError), self.file.open("rb") as reader:
            reader.seek(self._at)
            line = reader.readline()
            if line.endswith(b"\n"):
                self._at += len(line)
                return line.decode(errors="replace").rstrip("\r\n")
        return None


class Process:
    """A command that is started, asked, ended, killed and started again.

    It writes to files, so that no pipe fills up, and every failure shows what it wrote.
    """

    def __init__(
        self,
        *command: str | Path,
        name: str = "",
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        log_to_output: bool = False,
        before_start: Callable[[], object] | None = None,
    ) -> None:
        """Write to NAME.out and NAME.log in `folder`, by default one that goes with this object.

        `variables` replace the environment. With `log_to_output` standard error joins standard
        output, as on a terminal. `before_start` runs in the new process.
        """
        self.command = tuple(map(str, command))
        self.name = name or Path(self.command[0]).name
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="xg2g-process-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.output = Output(folder / f"{self.name}.out")
        """Its standard output."""
        self.log = Output(folder / f"{self.name}.log")
        """Its standard error."""
        self._variables = environment() if variables is None else dict(variables)
        self._stdin = stdin
        self._log_to_output = log_to_output
        self._before_start = before_start
        self._turn = asyncio.Lock()
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it runs, and may not yet do its work."""
        with self.output.file.open("ab") as output, self.log.file.open("ab") as log:
            self._running = subprocess.Popen(
                self.command,
                stdin=self._stdin,
                stdout=output,
                stderr=subprocess.STDOUT if self._log_to_output else log,
                env=self._variables,
                preexec_fn=self._before_start,
            )

    @property
    def pid(self) -> int:
        """The number of its process. Raises AssertionError when it was not started."""
        assert self._running is not None, f"{self.name} was not started"
        return self._running.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        assert self._running is not None, f"{self.name} was not started"
        return self._running.poll()

    @property
    def alive(self) -> bool:
        """True while it runs."""
        return self._running is not None and self._running.poll() is None

    @property
    def usage(self) -> psutil.Process:
        """Its memory, CPU time, threads and files, while it runs."""
        return psutil.Process(self.pid)

    def cpu_s(self) -> float:
        """Return user and system time of all its threads so far; 0 when it does not run."""
        if not self.alive:
            return 0.0
        times = self.usage.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        """Return its memory in use; 0 when it does not run."""
        return int(self.usage.memory_info().rss) if self.alive else 0

    def written(self) -> str:
        """Return the ends of its output and log, for the message of a failure."""
        return f"{self.output.text()[-2000:]}\n{self.log.text()[-4000:]}".strip()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.alive and self._running is not None:
            self._running.send_signal(number)

    def write(self, text: str) -> None:
        """Write to its standard input, which has to be a pipe."""
        assert self._running is not None and self._running.stdin is not None
        self._running.stdin.write(text.encode())
        self._running.stdin.flush()

    async def ask(self, command: str) -> str:
        """Write a line to its standard input, and return the next line of its output."""
        async with self._turn:
            self.write(f"{command}\n")
            return await self.line(within_s=None)

    async def line(
        self,
        wanted: Callable[[str], bool] = lambda _: True,
        *,
        of: Output | None = None,
        within_s: float | None = READY_S,
    ) -> str:
        """Wait for the next such line of its output, or of its log.

        Raises AssertionError with what it wrote, when it ends first or takes too long.
        """
        for found in self._lines(wanted, of or self.output, within_s):
            if found is not None:
                return found
            await asyncio.sleep(POLL_S)
        raise AssertionError

    def await_line(
        self, wanted: Callable[[str], bool] = lambda _: True, *, of: Output | None = None
    ) -> str:
        """As `line`, for tests without an event loop."""
        for found in self._lines(wanted, of or self.output, READY_S):
            if found is not None:
                return found
            time.sleep(POLL_S)
        raise AssertionError

    def _lines(
        self, wanted: Callable[[str], bool], output: Output, within_s: float | None
    ) -> Iterator[str | None]:
        """Yield each such line, and None whenever there is none yet."""
        give_up_s = time.monotonic() + within_s if within_s is not None else float("inf")
        while True:
            # Before its last lines are read.
            code = self.exit_code
            while (line := output.next_line()) is not None:
                if wanted(line):
                    yield line
            assert code is None, f"{self.name} ended with {code}:\n{self.written()}"
            assert time.monotonic() < give_up_s, (
                f"{self.name} took more than {within_s} s:\n{self.written()}"
            )
            yield None

    async def ended(self, within_s: float = END_S) -> int:
        """Wait until it has ended by itself, and return its exit code."""
        give_up_s = time.monotonic() + within_s
        while (code := self.exit_code) is None:
            assert time.monotonic() < give_up_s, f"{self.name} goes on:\n{self.written()}"
            await asyncio.sleep(POLL_S)
        return code

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """End it with this signal, by force when it does not obey; return its exit code."""
        if self._running is None:
            return None
        self.send_signal(number)
        try:
            return await self.ended()
        finally:
            self._kill()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """As `end`, for tests without an event loop."""
        assert self._running is not None, f"{self.name} was not started"
        self.send_signal(number)
        try:
            return self._running.wait(END_S)
        finally:
            self._kill()

    def _kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            if self._running.stdin is not None:
                self._running.stdin.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.end()


def resident_bytes() -> int:
    """Return the memory in use by this process, after a garbage collection."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def peak_resident_bytes(pid: int) -> int:
    """Return the most memory that a process ever used; 0 when it ended, or without /proc.

    psutil does not tell it, and the kernel's ru_maxrss counts the parent as it was before exec.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0")
    return int(line.split()[1]) * 1024


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
    """Start them in this order, and end them in the other."""
    async with AsyncExitStack() as stack:
        for process in processes:
            await stack.enter_async_context(process)
        yield

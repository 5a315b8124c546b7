"""`make run EXTERNAL=1`: transcoder and daemon as two processes, with a Unix socket between them in
a folder that nobody else can enter. When one ends, or on Ctrl-C, both do."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

BIN = Path(sys.executable).parent
READY_S = 10.0
END_S = 15.0
"""For a process to end in good order; longer than the grace that either gives itself."""


async def main(command: list[str]) -> int:
    """Run `xg2g` with this command; return its exit code, or 1 when the transcoder ends first."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    with TemporaryDirectory(prefix="xg2g-") as folder:
        socket = Path(folder) / "transcoder.sock"
        transcoder = await _start("xg2g-transcoder", "--listen", f"unix:{socket}")
        daemon: Process | None = None
        try:
            if not await _listens(socket, transcoder, stop):
                return 0 if stop.is_set() else 1
            daemon = await _start("xg2g", *command, "--external-transcoder", f"unix://{socket}")
            first = await _first_of(transcoder.wait(), daemon.wait(), stop.wait())
            if first == 0:
                _say("the transcoder ended; so does the daemon")
        finally:
            # The daemon first, so that it gives its remuxers back.
            for process in (daemon, transcoder):
                if process is not None:
                    await _end(process)
    return 0 if stop.is_set() else max(daemon.returncode or 0, int(first == 0))


async def _start(name: str, *arguments: str) -> Process:
    # Of their own session, so that Ctrl-C comes here alone and the order of the end is ours.
    return await asyncio.create_subprocess_exec(BIN / name, *arguments, start_new_session=True)


async def _listens(socket: Path, transcoder: Process, stop: asyncio.Event) -> bool:
    for _ in range(round(READY_S / 0.05)):
        with suppress(OSError):
            (await asyncio.open_unix_connection(socket))[1].close()
            return True
        if transcoder.returncode is not None or stop.is_set():
            return False
        await asyncio.sleep(0.05)
    _say(f"the transcoder does not listen after {READY_S:g} s")
    return False


async def _first_of(*waiting: Coroutine[Any, Any, Any]) -> int:
    """Which of these is done first."""
    tasks = [asyncio.create_task(item) for item in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    first = next(index for index, task in enumerate(tasks) if task.done())
    for task in tasks:
        task.cancel()
    return first


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))

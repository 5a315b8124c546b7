"""xg2g works where fcntl, resource, uvloop, Unix sockets and the signals of POSIX are missing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.harness.command import DaemonProcess
from tests.harness.ports import free_address, free_port
from tests.harness.process import Process, environment
from tests.harness.transcoder import Transcoder

ROOT = Path(__file__).parent.parent
RUN = (sys.executable, ROOT / "tests" / "harness" / "without_posix.py")
XG2G = (*RUN, "from xg2g.cli import main; main()")

WHAT_IS_THERE = """
import asyncio, os, select, signal, socket
for name in ("fcntl", "resource", "termios", "pwd", "grp", "uvloop"):
    try:
        __import__(name)
        print(name)
    except ImportError:
        pass
for module, names in (
    (signal, ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGKILL", "SIGCHLD", "pthread_sigmask")),
    (socket, ("AF_UNIX", "TCP_INFO", "TCP_USER_TIMEOUT", "SO_REUSEPORT")),
    (os, ("geteuid", "fchmod", "fork", "mkfifo")),
    (select, ("poll", "epoll")),
    (asyncio, ("open_unix_connection",)),
):
    print(*(name for name in names if hasattr(module, name)), end="")

async def main():
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, print)
        print("add_signal_handler")
    except NotImplementedError:
        pass

asyncio.run(main())
"""

IMPORT_EVERYTHING = """
import json
from importlib import import_module
from pathlib import Path

names = []
for package in ("xg2g_backends", "xg2g"):
    folder = Path(import_module(package).__file__).parent
    for path in folder.rglob("*.py"):
        if path.name != "__main__.py":
            parts = path.relative_to(folder.parent).with_suffix("").parts
            names.append(".".join(parts).removesuffix(".__init__"))
failed = {}
for name in names:
    try:
        import_module(name)
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}"
print(json.dumps([len(names), failed]))
"""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60
    )


def test_nothing_of_posix_is_left_in_the_interpreter_of_these_tests() -> None:
    found = run(*RUN, WHAT_IS_THERE)
    assert found.stdout.split() == [], found.stderr
    assert found.returncode == 0, found.stderr


def test_every_module_can_be_imported() -> None:
    imported = run(*RUN, IMPORT_EVERYTHING)
    assert imported.returncode == 0, imported.stderr
    count, failed = json.loads(imported.stdout)
    assert failed == {}
    assert count > 250


@pytest.mark.anyio
@pytest.mark.parametrize("backend", ["embedded", "external"])
async def test_the_daemon_serves_a_channel_and_ends_as_it_is_asked_to(
    backend: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    variables = environment(XG2G_DATA_DIR=str(data), XG2G_HDHOMERUN_DISCOVERY="false")
    streams = ("--stream-port", str(free_port()))
    async with AsyncExitStack() as stack:
        simulate = ("simulate", "--port", "0", "--relay-port", "0", *streams)
        receiver = await stack.enter_async_context(Process(*XG2G, *simulate))
        if backend == "external":
            transcoder = stack.enter_context(Transcoder(free_address()))
            variables["XG2G_EXTERNAL_TRANSCODER"] = transcoder.address.url
        line = await receiver.line(lambda line: line.startswith("receiver "))
        serve = ("serve", "--receiver", line.split()[1], *streams, "--port", "0")
        async with DaemonProcess(*XG2G, *serve, variables=variables) as daemon:
            url = await daemon.address()
            async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
                lineup = (await client.get(f"{url}/lineup.json")).json()
                received = b""
                async with client.stream("GET", lineup[0]["URL"]) as stream:
                    assert stream.status_code == 200
                    async for chunk in stream.aiter_raw():
                        received += chunk
                        if len(received) > 500_000:
                            break
                assert {received[at] for at in range(0, 188 * 1000, 188)} == {0x47}
            assert await daemon.end(signal.SIGTERM) == 0, daemon.written()
        assert await receiver.end(signal.SIGINT) == 0, receiver.written()
    assert (data / "xg2g.db").stat().st_size > 0


@pytest.mark.anyio
async def test_the_demonstration_serves_a_channel_and_ends_with_ctrl_c() -> None:
    async with DaemonProcess(*XG2G, "demo", "--port", "0") as daemon:
        url = await daemon.address()
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            lineup = (await client.get(f"{url}/lineup.json")).json()
            async with client.stream("GET", lineup[0]["URL"]) as stream:
                assert stream.status_code == 200
                assert (await anext(stream.aiter_raw()))[0] == 0x47
        assert await daemon.end(signal.SIGINT) == 0, daemon.written()


def test_a_transcoder_on_a_unix_socket_is_refused_in_one_line() -> None:
    ended = run(*XG2G, "serve", "--external-transcoder", "unix:///run/xg2g/transcoder.sock")
    assert ended.returncode != 0
    said = [line for line in ended.stderr.splitlines() if line.startswith("xg2g:")]
    assert len(said) == 1, ended.stderr
    assert "this system has no Unix sockets; use http://192.168.1.20:3000" in said[0]

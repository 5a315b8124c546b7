"""`xg2g simulate` as a person runs it."""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.anyio

ANY_PORT = ("--port", "0", "--stream-port", "0", "--relay-port", "0")


@asynccontextmanager
async def simulate(*arguments: str) -> AsyncIterator[Process]:
    program = "from xg2g.cli import main; main()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "simulate", *arguments, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_prints_where_it_is_and_what_it_has_and_ends_on_a_signal() -> None:
    async with simulate(*ANY_PORT) as process:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        base_url = line.split()[1]
        assert "Card One HD" in (await process.stdout.readline()).decode()
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
            assert (await client.get("/api/bouquets")).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--source", "missing.ts"), 2, "cannot read missing.ts: No such file or directory"),
        (("--source", str(Path(__file__))), 2, "is not an MPEG transport stream"),
        (("--auth", "root"), 2, "--auth has no colon; write it as USER:PASSWORD"),
        (("--tuners", "0"), 2, "Invalid value for '--tuners'"),
    ],
    ids=["missing", "other-file", "auth", "tuners"],
)
async def test_bad_input_ends_with_what_to_do(
    arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    async with simulate(*ANY_PORT, *arguments) as process:
        _, complaints = await process.communicate()
    assert complaint in complaints.decode()
    assert "Traceback" not in complaints.decode()
    assert process.returncode == code


async def test_a_port_in_use_ends_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with simulate(*ANY_PORT, "--stream-port", port) as process:
            _, complaints = await process.communicate()
    assert b"--stream-port" in complaints
    assert complaints.count(b"\n") == 1
    assert process.returncode == 1

"""`xg2g simulate` as a person runs it."""

import socket
from pathlib import Path

import httpx
import pytest

from tests.harness.command import COMMAND
from tests.harness.process import Process

pytestmark = pytest.mark.anyio

ANY_PORT = ("--port", "0", "--stream-port", "0", "--relay-port", "0")


def simulate(*arguments: str) -> Process:
    return Process(*COMMAND, "simulate", *arguments, name="receiver")


async def test_it_prints_where_it_is_and_what_it_has_and_ends_on_a_signal() -> None:
    async with simulate(*ANY_PORT) as process:
        base_url = (await process.line()).split()[1]
        assert "Card One HD" in await process.line()
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
            assert (await client.get("/api/bouquets")).status_code == 200
        assert await process.end() == 0


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
        assert await process.ended() == code
    assert complaint in process.log.text()
    assert "Traceback" not in process.log.text()


async def test_a_port_in_use_ends_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with simulate(*ANY_PORT, "--stream-port", port) as process:
            assert await process.ended() == 1
    complaints = process.log.text()
    assert "--stream-port" in complaints
    assert complaints.count("\n") == 1

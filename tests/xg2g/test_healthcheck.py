"""What containers and supervisors ask: does the daemon serve?"""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.harness.command import COMMAND
from tests.harness.process import environment
from tests.harness.scripted_daemon import daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says

LIGHT = (sys.executable, "-m", "xg2g.healthcheck")
HEAVY = (*COMMAND, "healthcheck")

either = pytest.mark.parametrize("command", [LIGHT, HEAVY], ids=["module", "command"])


def ask(
    command: tuple[str, ...], port: int, host: str = "127.0.0.1"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(XG2G_HOST=host, XG2G_PORT=str(port)),
    )


@contextmanager
def answering(status: int) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@either
@pytest.mark.anyio
async def test_a_daemon_that_serves_is_healthy(command: tuple[str, ...]) -> None:
    async with daemon(says(CRLF_ANSWER, PACKET)) as gateway:
        result = await asyncio.to_thread(ask, command, gateway.port)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@either
def test_one_that_listens_everywhere_is_asked_through_loopback(command: tuple[str, ...]) -> None:
    with answering(200) as port:
        assert ask(command, port, host="0.0.0.0").returncode == 0


@either
def test_another_status_is_not_healthy(command: tuple[str, ...]) -> None:
    with answering(500) as port:
        result = ask(command, port)
    assert result.returncode == 1
    assert "answered 500" in result.stderr


@either
def test_a_port_without_a_listener_is_not_healthy(command: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = ask(command, taken.getsockname()[1])
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("xg2g: no answer on 127.0.0.1 port ")
    assert line.endswith(": Connection refused")


def test_the_module_needs_the_standard_library_alone() -> None:
    imports = "import sys, xg2g.healthcheck; print(*{n.partition('.')[0] for n in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", imports], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(loaded) & {"httpx", "pydantic", "typer", "rich", "starlette", "uvicorn"} == set()

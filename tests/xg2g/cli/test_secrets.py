"""A password stays where it was put."""

import asyncio
import base64
import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.harness.command import COMMAND, DaemonProcess
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio

ROOT = Credentials("root", "geheim-4711")
TOKEN = "swordfish-4711"
PROCESSES = Path("/proc")
READ = (
    *("/", "/playlist.m3u", "/xmltv.xml", "/lineup.json", "/metrics", "/healthz", "/readyz"),
    *("/api/v1/status", "/api/v1/channels", "/api/v1/streams", "/api/v1/failures", "/openapi.json"),
)


async def test_no_secret_shows_in_a_log_an_answer_an_argument_or_what_is_kept(
    tmp_path: Path,
) -> None:
    file, data = tmp_path / "config.yaml", tmp_path / "data"
    seen = b""
    async with SimulatedReceiver(api_credentials=ROOT, stream_credentials=ROOT) as receiver:
        user = {"user": ROOT.user, "password": ROOT.password}
        file.write_text(
            json.dumps(
                {
                    "receiver": {"url": receiver.base_url, "stream_port": receiver.stream_port}
                    | user,
                    "server": {"port": 0, "token": TOKEN},
                    "data": {"dir": str(data)},
                    "log": {"level": "debug"},
                }
            )
        )
        async with DaemonProcess(*COMMAND, "serve", "--config", str(file)) as process:
            async with asyncio.timeout(60):
                seen += await used(process)
        seen += process.output.file.read_bytes() + process.log.file.read_bytes()
    seen += b"".join(path.read_bytes() for path in data.iterdir())
    basic = base64.b64encode(f"{ROOT.user}:{ROOT.password}".encode())
    assert b"stream started" in seen
    for secret in (ROOT.password.encode(), TOKEN.encode(), basic):
        assert secret not in seen


async def used(process: DaemonProcess) -> bytes:
    """All that is answered while the daemon is asked, watched, guessed at and told; it ends."""
    address = await process.address()
    seen = b""
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        for path in READ:
            # The guide is being read.
            while (answer := await client.get(path)).headers.get("Retry-After"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            seen += answer.raise_for_status().content
        wrong = {"Authorization": f"Bearer {TOKEN}x"}
        seen += (await client.post("/api/v1/refresh", headers=wrong)).content
        stream = "/stream/1_0_19_65_1_1_C00000_0_0_0.ts"
        async with client.stream("GET", stream, timeout=20) as answer:
            assert answer.status_code == 200
        right = {"Authorization": f"Bearer {TOKEN}"}
        # 202, or 409 while the first reading goes on; not 401, in any case.
        told = await client.post("/api/v1/refresh", headers=right)
        assert told.status_code in (202, 409)
        seen += told.content
        process.send_signal(signal.SIGHUP)
        seen += (await client.get("/api/v1/status")).content
    seen += (PROCESSES / str(process.pid) / "cmdline").read_bytes()
    await process.end()
    return seen

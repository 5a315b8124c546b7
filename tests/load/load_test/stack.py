"""The receiver and the daemon, each a process, as a user starts them."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import TYPE_CHECKING

import httpx

from tests.harness.asking import Daemon
from tests.harness.processes import BIN, READY_S, Process
from tests.load.load_test.client import DAEMON_PORT
from tests.load.load_test.receiver import RELAY_PORT, STREAM_PORT, WEB_PORT
from tests.load.load_test.viewers import Channel

if TYPE_CHECKING:
    from pathlib import Path

TUNERS = 5
CHANNELS = 24
"""Beside the test cards; four to a transponder."""
GARBAGE_PACKETS = 20_000
GARBAGE = "garbage"
RECEIVER_URL = f"http://127.0.0.1:{WEB_PORT}"


class Stack:
    """Their commands and settings, on ports of a network of their own."""

    def __init__(self, folder: Path, transcoder: Path | None = None) -> None:
        """With `transcoder`, that service converts instead of the daemon."""
        self.asked = Daemon(f"http://127.0.0.1:{DAEMON_PORT}")
        self._token = random.SystemRandom().randbytes(16).hex()
        garbage = folder / f"{GARBAGE}.ts"
        noise = random.Random(GARBAGE)
        garbage.write_bytes(b"".join(b"G" + noise.randbytes(187) for _ in range(GARBAGE_PACKETS)))
        simulate = [sys.executable, "-m", "tests.load.load_test.receiver"]
        simulate += [str(TUNERS), str(CHANNELS), str(garbage)]
        self.receiver = Process("receiver", simulate, folder / "receiver.log", obeys=True)
        self._config = folder / "config.yaml"
        serve = [str(BIN / "xg2g"), "serve", "--config", str(self._config)]
        serve += ["--data-dir", str(folder / "data")]
        self.transcoder: Process | None = None
        if transcoder:
            address = folder / "transcoder.sock"
            command = [str(transcoder), "--listen", f"unix:{address}"]
            self.transcoder = Process("transcoder", command, folder / "transcoder.log")
            serve += ["--external-transcoder", f"unix://{address}"]
        self.daemon = Process("daemon", serve, folder / "daemon.log")
        self.configure()

    def configure(self, *, linger_s: float = 5) -> None:
        """Write the daemon's file of settings."""
        settings = {
            "receiver": {
                "url": RECEIVER_URL,
                "stream_port": STREAM_PORT,
                "relay_port": RELAY_PORT,
                "linger_s": linger_s,
                "wait": True,
            },
            "server": {"host": "0.0.0.0", "port": DAEMON_PORT, "token": self._token},
            "hdhomerun": {"ports": [80, 5004]},
            "guide": {"days": 3},
        }
        # JSON is YAML.
        self._config.write_text(json.dumps(settings))
        self._config.chmod(0o600)

    @property
    def token(self) -> dict[str, str]:
        """The header for what changes something."""
        return {"Authorization": f"Bearer {self._token}"}

    async def ready(self) -> None:
        """Return once there are channels."""
        async with asyncio.timeout(READY_S):
            while not await self.asked.channels():  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    def processes(self) -> list[Process]:
        """In the order in which they start."""
        return [self.receiver, *([self.transcoder] if self.transcoder else []), self.daemon]

    async def channels(self) -> list[Channel]:
        """What the daemon has, each with all its URLs."""
        found = []
        for item in json.loads(await self.asked.get("/api/v1/channels"))["channels"]:
            number, path = item["number"], httpx.URL(item["stream_url"]).path
            paths = [path, f"/auto/v{number}", f"/tuner{number % TUNERS}/v{number}"]
            if item["service"]:
                paths.append(f"/{item['service']}")
            found.append(Channel(item["id"], item["name"], tuple(paths)))
        return found

    async def streams_of_receiver(self) -> list[str]:
        """Names of what it sends: as it knows itself, and as it says through OpenWebif."""
        own: list[str] = json.loads(await self.receiver.ask("streams"))
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            about = (await client.get(f"{RECEIVER_URL}/api/about")).json()
        return own + [stream["name"] for stream in about["info"]["streams"]]

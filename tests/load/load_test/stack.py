"""The receiver and the daemon, each a process, as a user starts them."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx

from tests.harness.process import Process
from tests.harness.stack import Stack
from tests.harness.transcoder import Transcoder
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


class LoadStack(Stack):
    """A receiver that obeys, and a daemon, on ports of a network of their own."""

    def __init__(self, folder: Path, *, external: bool) -> None:
        """With `external`, a transcoder service converts instead of the daemon."""
        self._token = random.SystemRandom().randbytes(16).hex()
        garbage = folder / f"{GARBAGE}.ts"
        noise = random.Random(GARBAGE)
        garbage.write_bytes(b"".join(b"G" + noise.randbytes(187) for _ in range(GARBAGE_PACKETS)))
        receiver = Process(
            *(sys.executable, "-m", "tests.load.load_test.receiver"),
            *(str(TUNERS), str(CHANNELS), garbage),
            name="receiver",
            folder=folder,
            stdin=subprocess.PIPE,
        )
        transcoders = []
        if external:
            transcoders.append(Transcoder(f"unix://{folder}/transcoder.sock", folder=folder))
        super().__init__(folder, receiver, self._with_linger(5), transcoders)

    def change_linger(self, linger_s: float) -> None:
        """Write the daemon's settings with another linger, and let it read them."""
        self.configure(self._with_linger(linger_s))
        self.daemon.send_signal(signal.SIGHUP)

    def _with_linger(self, linger_s: float) -> dict[str, dict[str, Any]]:
        return {
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

    @property
    def token(self) -> dict[str, str]:
        """The header for what changes something."""
        return {"Authorization": f"Bearer {self._token}"}

    async def channels(self) -> list[Channel]:
        """What the daemon has, each with all its URLs."""
        found = []
        for item in json.loads(await self.client.get("/api/v1/channels"))["channels"]:
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

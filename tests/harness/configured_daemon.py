"""`xg2g serve` with a file of settings, which can be written anew and read again."""

import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.harness.command import COMMAND, DaemonProcess
from tests.harness.process import environment
from xg2g.simulator import Credentials, SimulatedReceiver

ROOT = Credentials("root", "right")
"""What `config` says of user and password."""


class ConfiguredDaemon(DaemonProcess):
    """A daemon with settings in `folder`; SIGTERM ends it with exit code 0."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "config.yaml"
        self.file.write_text(text)
        self.file.chmod(0o600)
        super().__init__(
            *(*COMMAND, "serve", "--config", self.file),
            name="daemon",
            folder=folder,
            variables=environment(XDG_DATA_HOME=str(folder / "data")),
        )
        self.url = ""
        self.entries: list[dict[str, Any]] = []
        """The log as far as it was read."""

    async def serves(self) -> None:
        """Wait until it serves."""
        self.url = await self.address()

    async def entry(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for such an entry of the log, and return it."""

        def is_wanted(line: str) -> bool:
            self.entries.append(json.loads(line))
            return wanted(self.entries[-1])

        await self.line(is_wanted, of=self.log)
        return self.entries[-1]

    async def hang_up(self, text: str) -> None:
        """Write other settings, and let the daemon read them by SIGHUP."""
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        new.replace(self.file)
        self.send_signal(signal.SIGHUP)

    async def reloaded(self) -> list[str]:
        """Wait until the settings were read again, and return the keys that changed."""
        entry = await self.entry(lambda entry: entry["event"] == "settings read again")
        changed: list[str] = entry["changed"]
        return changed


@asynccontextmanager
async def starting(folder: Path, text: str) -> AsyncIterator[ConfiguredDaemon]:
    """Start a daemon with these settings; when the context ends well, so has the daemon."""
    async with ConfiguredDaemon(folder, text) as daemon:
        yield daemon
        assert await daemon.end() == 0, daemon.written()


@asynccontextmanager
async def serving_file(folder: Path, text: str) -> AsyncIterator[ConfiguredDaemon]:
    """Start a daemon with these settings, and wait until it serves."""
    async with starting(folder, text) as daemon:
        await daemon.serves()
        yield daemon


def config(receiver: SimulatedReceiver, password: str = "right", **audio: object) -> str:
    """Return settings for a receiver, for its first sound track and any port."""
    return json.dumps(  # which is YAML
        {
            "receiver": {
                "url": receiver.base_url,
                "user": "root",
                "password": password,
                "stream_port": receiver.stream_port,
                "wait": True,
            },
            "server": {"port": 0},
            "audio": {"tracks": "first", **audio},
        }
    )

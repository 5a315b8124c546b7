"""Receiver, transcoders and daemon, each in a process of its own, as users start them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.harness.client import DaemonClient
from tests.harness.command import DaemonProcess
from tests.harness.process import BIN, READY_S, Process
from tests.harness.transcoder import Transcoder

Settings = Mapping[str, Mapping[str, Any]]
"""Of the daemon: by section, then by name."""


class Stack:
    """An async context manager: everything runs inside, and is killed at the end if it must be."""

    def __init__(
        self,
        folder: Path,
        receiver: Process,
        settings: Settings,
        transcoders: Sequence[Transcoder] = (),
        *,
        addressed: bool = True,
    ) -> None:
        """Keep settings, data and logs in `folder`. `settings` are the daemon's, by section.

        Without `addressed` they say how the transcoders are reached.
        """
        self.receiver = receiver
        self.transcoders = transcoders
        self._config = folder / "config.yaml"
        self.settings = settings
        self.configure(settings)
        self.port: int = settings["server"]["port"]
        self.client = DaemonClient(f"http://127.0.0.1:{self.port}")
        serve: list[str | Path] = [
            BIN / "xg2g",
            "serve",
            "--config",
            self._config,
            "--data-dir",
            folder / "data",
        ]
        for transcoder in transcoders if addressed else ():
            serve += ["--external-transcoder", str(transcoder.address)]
        self.daemon = DaemonProcess(*serve, name="daemon", folder=folder)

    def configure(self, settings: Settings) -> None:
        """Write the daemon's file of settings; a daemon that runs reads it on SIGHUP."""
        # JSON is YAML.
        self._config.write_text(json.dumps(settings))
        self._config.chmod(0o600)

    def processes(self) -> list[Process]:
        """Return them in the order in which they start."""
        return [self.receiver, *self.transcoders, self.daemon]

    def gateway(self) -> list[Process]:
        """Return those of xg2g."""
        return [self.daemon, *self.transcoders]

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for process in self.processes():
                await stack.enter_async_context(process)
            # Until it serves, an end of the daemon shows what it wrote.
            await self.daemon.address()
            async with asyncio.timeout(READY_S):
                while not await self.client.channels():  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            self._running = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._running.aclose()

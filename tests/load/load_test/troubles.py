"""What a receiver does to its viewers in the course of a year, in half an hour."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from tests.harness.process import Process
    from tests.load.load_test.network import Network

CALM_S = (6.0, 20.0)
"""Between two troubles."""
RECOVERED_S = 3.0
"""For streams to begin again after one."""


@dataclass
class Troubles:
    """Deals them as cards: each kind comes once before any comes again."""

    receiver: Process
    network: Network
    chance: random.Random
    happened: list[tuple[float, str]] = field(default_factory=list)
    """Time and name."""
    calm_since_s: float | None = field(default_factory=time.monotonic)
    """None while something is wrong."""

    async def go_on(self, until_s: float) -> None:
        """One after the other; everything is well again when this returns."""
        while True:
            deck: list[tuple[str, Callable[[], Awaitable[None]]]] = [
                ("stalls for a moment", lambda: self._stall(3, 8)),
                ("stalls for long", lambda: self._stall(14, 22)),
                ("restarts", lambda: self._off(2, 8)),
                ("is off for a minute", lambda: self._off(60, 60)),
                ("records on every tuner", self._record),
                ("has no tuner for anybody new", self._no_tuner),
                ("closes all streams", self._close),
                ("loses its softcam", self._no_softcam),
                ("thinks slowly", self._think),
                ("the devices' network is down", self._unplug),
            ]
            self.chance.shuffle(deck)
            for name, trouble in deck:
                await asyncio.sleep(self.chance.uniform(*CALM_S))
                if time.monotonic() > until_s:
                    return
                self.happened.append((time.monotonic(), name))
                self.calm_since_s = None
                await trouble()
                await asyncio.sleep(RECOVERED_S)
                self.calm_since_s = time.monotonic()

    async def _stall(self, least_s: float, most_s: float) -> None:
        await self.receiver.ask("stall")
        await asyncio.sleep(self.chance.uniform(least_s, most_s))
        await self.receiver.ask("resume")

    async def _off(self, least_s: float, most_s: float) -> None:
        await self.receiver.ask("off")
        await asyncio.sleep(self.chance.uniform(least_s, most_s))
        await self.receiver.ask("on")

    async def _record(self) -> None:
        await self.receiver.ask("record")
        await asyncio.sleep(self.chance.uniform(15, 30))
        await self.receiver.ask("stop-recording")

    async def _no_tuner(self) -> None:
        await self.receiver.ask("tuners closed")
        await asyncio.sleep(self.chance.uniform(10, 25))
        await self.receiver.ask("tuners open")

    async def _close(self) -> None:
        await self.receiver.ask("close")

    async def _no_softcam(self) -> None:
        await self.receiver.ask("softcam off")
        await asyncio.sleep(self.chance.uniform(15, 25))
        await self.receiver.ask("softcam on")

    async def _think(self) -> None:
        await self.receiver.ask("think 2")
        await asyncio.sleep(self.chance.uniform(15, 25))
        await self.receiver.ask("think 0")

    async def _unplug(self) -> None:
        await self.network.unplug(self.chance.uniform(4, 16))

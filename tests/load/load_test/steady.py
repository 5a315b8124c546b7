"""Viewers who watch a channel all the time, so that it shows when others hold them up.

Others of the same channel read slowly or have stopped reading. The pauses of the steady ones are
kept apart by whether such a one was there.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import TYPE_CHECKING

from tests.load.load_test.client import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.load.load_test.network import Network
    from tests.load.load_test.viewers import Channel

AGAIN_S = 1.0
"""From the end of a stream until it is asked for again."""
LEAST_PAUSES = 1000
"""Of each kind, for a comparison."""
LONGER = 2.0
LONGER_S = 0.05
"""The 99th percentile beside slow viewers may be so many times that of the others and so much more:
where they are is chance."""


@dataclass
class SlowOnes:
    """Viewers of a channel who take less than comes."""

    count: int = 0
    changed_s: float = 0.0
    """When there began or ceased to be any."""


@dataclass
class Pauses:
    """Between two reads of steady viewers, in calm, in seconds."""

    beside_slow: list[float] = field(default_factory=list)
    without: list[float] = field(default_factory=list)
    slow: dict[str, SlowOnes] = field(default_factory=lambda: defaultdict(SlowOnes))
    """By channel."""

    @contextmanager
    def being_slow(self, channel: str) -> Iterator[None]:
        """Somebody takes less than comes."""
        self._change(channel, 1)
        try:
            yield
        finally:
            self._change(channel, -1)

    def note(self, channel: str, since_s: float, now_s: float) -> None:
        """Keep a pause, unless slow viewers came or went meanwhile."""
        slow = self.slow[channel]
        if slow.changed_s <= since_s:
            (self.beside_slow if slow.count else self.without).append(now_s - since_s)

    def held_up(self) -> str:
        """Return the faults; empty when slow viewers have no effect, or too little was measured."""
        if min(len(self.beside_slow), len(self.without)) < LEAST_PAUSES:
            return ""
        beside_s, without_s = p99(self.beside_slow), p99(self.without)
        if beside_s <= without_s * LONGER + LONGER_S:
            return ""
        return (
            f"slow viewers hold up others: one pause in a hundred is longer than "
            f"{beside_s * 1000:.0f} ms beside them, {without_s * 1000:.0f} ms without"
        )

    def _change(self, channel: str, by: int) -> None:
        slow = self.slow[channel]
        before = slow.count > 0
        slow.count += by
        if before != (slow.count > 0):
            slow.changed_s = time.monotonic()


def p99(values: list[float]) -> float:
    """The value that 99 % do not exceed."""
    return quantiles(values, n=100)[98]


class Steady:
    """One of them."""

    def __init__(
        self,
        network: Network,
        channel: Channel,
        pauses: Pauses,
        calm_since_s: Callable[[], float | None],
    ) -> None:
        """`calm_since_s` tells since when nothing is wrong with the receiver, None while it is."""
        self._network = network
        self._channel = channel
        self._pauses = pauses
        self._calm_since_s = calm_since_s

    async def live(self) -> None:
        """Go on until cancelled."""
        device = await self._network.new_device()
        while True:
            try:
                async with Connection(self._network, device) as connection:
                    await connection.ask(self._channel.paths[0])
                    if (await connection.answer()).status == 200:
                        await self._watch(connection)
            except OSError:
                pass  # the receiver or the network is in trouble
            await asyncio.sleep(AGAIN_S)

    async def _watch(self, connection: Connection) -> None:
        if not await connection.take():
            return
        since_s = time.monotonic()
        while await connection.take():
            now_s = time.monotonic()
            calm_s = self._calm_since_s()
            if calm_s is not None and calm_s < since_s:
                self._pauses.note(self._channel.name, since_s, now_s)
            since_s = now_s

"""The time of all broadcasts, and the clocks behind it."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

BURST_S = 0.1
"""Stream time that is sent at once."""

# Where in the loop the broadcast stands when the receiver is switched on: in the middle of a GOP.
_FIRST_POSITION_S = 0.53


class Clock(Protocol):
    """A monotonic clock for pacing, and the time of day for the guide."""

    def now(self) -> float:
        """Return seconds of a monotonic clock."""
        ...

    def utc(self) -> datetime:
        """Return the time of day."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `now` has advanced by `seconds`; other tasks run meanwhile."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _flowing() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(frozen=True)
class Air:
    """The time line of all broadcasts: all viewers of a service are at the same position.

    `speed` is a factor on real time. None sends as fast as the viewer reads, waits for nothing, and
    starts each viewer at the beginning of the loop.
    """

    clock: Clock
    since_s: float
    speed: float | None = 1.0
    flowing: asyncio.Event = field(default_factory=_flowing)
    """Cleared while the receiver stalls: sockets stay open, and nothing moves."""
    burst_s: float = BURST_S
    """Stream time that is sent in one go."""

    def position_s(self) -> float:
        """Return the current position in every service's loop."""
        elapsed_s = 0.0 if self.speed is None else (self.clock.now() - self.since_s) * self.speed
        return _FIRST_POSITION_S + elapsed_s

    def next_position_s(self, position_s: float) -> float:
        """Return the end of the next burst after `position_s`."""
        return position_s + self.burst_s if self.speed is None else self.position_s()

    def utc(self) -> datetime:
        """Return the time of day of the broadcast."""
        return self.clock.utc()

    async def wait(self, seconds: float) -> None:
        """Wait for `seconds` of broadcast time."""
        if self.speed is None:
            await asyncio.sleep(0)
        else:
            await self.clock.sleep(seconds / self.speed)

"""Time as the simulator sees it; tests bring their own."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock for pacing, and the time of day for the guide."""

    def now(self) -> float:
        """Seconds on a clock that never steps."""
        ...

    def utc(self) -> datetime:
        """The time of day."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns when `now` has moved on by `seconds`, giving other tasks their turn."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

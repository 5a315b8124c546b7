"""Time that passes only when somebody waits for it."""

import asyncio
from datetime import UTC, datetime, timedelta


class VirtualClock:
    """A clock for `SimulatedReceiver`: sleeping moves it on and lets other tasks run."""

    def __init__(self) -> None:
        self._now_s = 1000.0

    def now(self) -> float:
        return self._now_s

    def utc(self) -> datetime:
        return datetime(2026, 1, 1, 12, 10, tzinfo=UTC) + timedelta(seconds=self._now_s - 1000)

    async def sleep(self, seconds: float) -> None:
        self._now_s += seconds
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Lets time pass without anybody waiting."""
        self._now_s += seconds

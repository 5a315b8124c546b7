"""Measurement of how long the event loop was blocked."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from ..metrics import Metrics
from ..network.log_limit import LogLimit

log = structlog.get_logger()

INTERVAL_S = 0.05
"""Interval between two samples: twenty a second cost 0.05 % of a core."""
LOGGED_S = 1.0
"""A longer blocking is logged."""
_LOG_INTERVAL_S = 60.0


class LoopWatch:
    """Measures how late a timer fires. Time in which the machine ran other processes does not
    count: the measured time is at most the CPU time of this thread."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        worked_s: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`worked_s` returns the CPU time of the calling thread. The three are for tests."""
        self._metrics = metrics
        self._clock_s = clock_s
        self._worked_s = worked_s
        self._sleep = sleep
        self._log_limit = LogLimit(_LOG_INTERVAL_S, clock_s=clock_s)

    async def run(self) -> None:
        """Measure until cancelled."""
        longest_s = 0.0
        while True:
            begin_s, worked_s = self._clock_s(), self._worked_s()
            await self._sleep(INTERVAL_S)
            late_s = self._clock_s() - begin_s - INTERVAL_S
            blocked_s = max(0.0, min(late_s, self._worked_s() - worked_s))
            self._metrics.event_loop.blocked_s.observe(blocked_s)
            if blocked_s > longest_s:
                longest_s = blocked_s
                self._metrics.event_loop.longest_s.set(blocked_s)
            if blocked_s >= LOGGED_S and self._log_limit.allows(""):
                log.warning("the event loop was blocked", blocked_s=round(blocked_s, 3))

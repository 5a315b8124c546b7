"""How long the event loop was held: the time in which nobody else had a turn."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from ..metrics import Metrics
from ..network.log_limit import LogLimit

log = structlog.get_logger()

INTERVAL_S = 0.05
"""Between two looks: twenty a second cost 0.05 % of a core."""
TOLD_S = 1.0
"""A hold that is worth a line in the log."""
_TOLD_AGAIN_S = 60.0


class LoopWatch:
    """Measures by a timer that comes late. What the machine did elsewhere meanwhile is no hold: it
    counts only as far as this thread worked."""

    def __init__(
        self,
        metrics: Metrics,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        worked_s: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`worked_s` is the CPU time of the thread that asks. The three are for tests."""
        self._metrics = metrics
        self._clock_s = clock_s
        self._worked_s = worked_s
        self._sleep = sleep
        self._log_limit = LogLimit(_TOLD_AGAIN_S, clock_s=clock_s)

    async def run(self) -> None:
        """Measure until cancelled."""
        longest_s = 0.0
        while True:
            begin_s, worked_s = self._clock_s(), self._worked_s()
            await self._sleep(INTERVAL_S)
            late_s = self._clock_s() - begin_s - INTERVAL_S
            held_s = max(0.0, min(late_s, self._worked_s() - worked_s))
            self._metrics.event_loop.blocked_s.observe(held_s)
            if held_s > longest_s:
                longest_s = held_s
                self._metrics.event_loop.longest_s.set(held_s)
            if held_s >= TOLD_S and self._log_limit.allows(""):
                log.warning("the event loop was held", held_s=round(held_s, 3))

"""How long to wait for an answer, and what tells a service that stands still from a busy one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

TICK_S: Final = 0.1
"""Between two looks at a request that is under way."""
GRACE_S: Final = 0.5
"""For an answer once a silent service answers others again: both wake together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long a service may take. A live stream stands still meanwhile."""

    connect_s: float = 2.0
    answer_s: float = 5.0
    """From a request to the end of its answer, by a service that answers others meanwhile. That
    takes milliseconds; but who takes a service that is short of CPU time for a lost one makes it
    worse, since all begin anew elsewhere."""
    silence_s: float = 1.5
    """Of a service that answers no request at all, until it is taken for one that stands still."""
    outage_s: float = 30.0
    """For which a request waits for a service that is silent when nothing else can be had."""


class Wait:
    """A context that a request is sent in. Raises `TimeoutError` when it takes too long.

    A machine that is short of CPU time answers late, but answers somebody, and it delays this
    process as well. So silence counts for all requests to a service together, and the time in which
    the event loop here does not come round counts little.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        answers: Callable[[], int],
        on_silence: Callable[[], bool] | None,
    ) -> None:
        """`answers` counts those of the service to anybody. `on_silence` says, again and again,
        whether to give up a service that answers nobody; without it nobody does for that."""
        self._deadlines = deadlines
        self._answers = answers
        self._on_silence = on_silence
        self._seen = answers()
        self._silent_s = 0.0
        self._silence_is_over = False
        self.waited_s = 0.0
        self.gave_up_after_s = 0.0
        """How long the service was silent when it was given up for that; else 0."""
        self._timeout = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._looked_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._timer = self._loop.call_later(TICK_S, self._look)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(exc_type, exc, traceback)

    def _look(self) -> None:
        now_s = self._loop.time()
        passed_s = min(now_s - self._looked_s, 2 * TICK_S)
        self._looked_s = now_s
        self.waited_s += passed_s
        self._silent_s += passed_s
        if (answers := self._answers()) != self._seen:
            if self._is_silent:
                # If it has lost this request meanwhile, the next silence would not tell.
                self._silence_is_over = True
                self.waited_s = min(self.waited_s, self._deadlines.answer_s - GRACE_S)
            self._seen, self._silent_s = answers, 0.0
        if self._is_over():
            self._timeout.reschedule(now_s)
        else:
            self._timer = self._loop.call_later(TICK_S, self._look)

    @property
    def _is_silent(self) -> bool:
        may_be = self._on_silence is not None and not self._silence_is_over
        return may_be and self._silent_s >= self._deadlines.silence_s

    def _is_over(self) -> bool:
        if not self._is_silent or self._on_silence is None:
            return self.waited_s >= self._deadlines.answer_s
        if self._on_silence() or self._silent_s >= self._deadlines.outage_s:
            self.gave_up_after_s = self._silent_s
            return True
        return False

"""How long to wait for a response, and how to tell a frozen service from a busy one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

TICK_S: Final = 0.1
"""Interval between two checks of a request that is under way."""
GRACE_S: Final = 0.5
"""How long to wait for a response once a silent service answers others again: both processes
resume together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long a service may take. The live stream stands still during that time."""

    connect_s: float = 2.0
    answer_s: float = 5.0
    """From a request to the end of its response, while the service answers other requests.

    A response takes milliseconds. The limit is high because a service that is short of CPU time
    must not be taken for a lost one: every stream would start again elsewhere, at a higher cost."""
    silence_s: float = 1.5
    """How long a service may answer no request at all before it counts as frozen."""
    outage_s: float = 30.0
    """How long a request waits for a frozen service when no other service is available."""


class ResponseTimeout:
    """The timeout of one request, as an async context manager. Raises `TimeoutError`.

    A service that is short of CPU time answers late, but it answers some request, and the same
    machine may delay this process. So silence is measured over all requests to a service together,
    and time in which this process's event loop was blocked counts little.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        responses: Callable[[], int],
        on_silence: Callable[[], bool] | None,
    ) -> None:
        """Prepare to time one request.

        `responses`: returns the number of responses of the service so far, to any request.
        `on_silence`: called at every check while the service is silent. True gives it up. None: a
        silent service is never given up before `answer_s`.
        """
        self._deadlines = deadlines
        self._responses = responses
        self._on_silence = on_silence
        self._seen = responses()
        self._silent_s = 0.0
        self._silence_is_over = False
        self.waited_s = 0.0
        self.gave_up_after_s = 0.0
        """How long the service was silent when it was given up; 0: it was not given up."""
        self._timeout = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._checked_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._timer = self._loop.call_later(TICK_S, self._check)
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

    def _check(self) -> None:
        now_s = self._loop.time()
        passed_s = min(now_s - self._checked_s, 2 * TICK_S)
        self._checked_s = now_s
        self.waited_s += passed_s
        self._silent_s += passed_s
        if (responses := self._responses()) != self._seen:
            if self._is_silent:
                # If the service lost this request, a second silence would say nothing about it.
                self._silence_is_over = True
                self.waited_s = min(self.waited_s, self._deadlines.answer_s - GRACE_S)
            self._seen, self._silent_s = responses, 0.0
        if self._is_over():
            self._timeout.reschedule(now_s)
        else:
            self._timer = self._loop.call_later(TICK_S, self._check)

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

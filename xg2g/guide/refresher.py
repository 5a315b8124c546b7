"""Regular and requested refreshes of lineup and guide."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta

import structlog

from ..lineup.keeper import CONFIRMED_AFTER_S, LineupKeeper
from ..readiness.pause import Sleep, pause
from ..receiver.errors import ReceiverError
from ..store.database import StoreError

log = structlog.get_logger()

RETRY_DELAYS_S = (1, 2, 5, 10, 30, 60)
"""Delays after consecutive failures; the last one repeats."""
JITTER = 0.1
"""Random part of the interval, so that several instances do not query a receiver at once."""

_NEVER_S = float("inf")
_REQUEST_INTERVAL_S = 30
"""Minimum time between two requested refreshes: a receiver is a small computer."""


@dataclass(slots=True)
class _Job:
    name: str
    work: Callable[[], Awaitable[object]]
    due_s: float
    failures: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    running: bool = False
    succeeded: int = 0
    failed: int = 0
    succeeded_at: datetime | None = None
    duration_s: float | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Progress of refreshing lineup or guide since the start of the daemon."""

    name: str
    running: bool
    succeeded: int
    """Number of successful runs."""
    failed: int
    """Number of failed runs."""
    succeeded_at: datetime | None
    """Time of the last successful run."""
    duration_s: float | None
    """Duration of the last run."""
    trouble: str | None
    """Why the last run failed, in one line; None if it succeeded."""


class Refresher:
    """Refreshes the lineup, then the guide; not at once, since a receiver is slow. A failed refresh
    is repeated soon, without the other."""

    def __init__(
        self,
        lineup_keeper: LineupKeeper,
        refresh_guide: Callable[[], Awaitable[object]] | None = None,
        *,
        interval_s: float,
        sleep: Sleep = asyncio.sleep,
        clock_s: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = lambda: random.uniform(1 - JITTER, 1 + JITTER),
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`jitter` returns the factor of each interval."""
        self._today = today
        self._requested_s = -_NEVER_S
        self._keeper = lineup_keeper
        self._interval_s = interval_s
        self._sleep = sleep
        self._clock_s = clock_s
        self._jitter = jitter
        self._wake = asyncio.Event()
        now_s = clock_s()
        read_at_s = lineup_keeper.read_at_s
        has_read = read_at_s is not None
        self._lineup = _Job(
            "lineup", lineup_keeper.load, now_s + self._next_s() if has_read else now_s
        )
        if read_at_s is not None:
            # At the very first start, the lineup is read before the refresher exists.
            self._lineup.succeeded = 1
            self._lineup.succeeded_at = today() - timedelta(seconds=now_s - read_at_s)
        self._jobs = [self._lineup]
        self._guide: _Job | None = None
        if refresh_guide is not None:
            self._guide = _Job("guide", refresh_guide, now_s if has_read else _NEVER_S)
            self._jobs.append(self._guide)

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            job = min(self._jobs, key=lambda each: each.due_s)
            delay_s = job.due_s - self._clock_s()
            if delay_s > 0:
                await pause(delay_s, self._wake, self._sleep)
            else:
                await self._do(job)

    async def refresh_now(self) -> None:
        """Refresh everything, beginning now, and return when that is done. Raises what failed:
        `ReceiverError` or `StoreError`."""
        done = []
        for job in self._jobs:
            done.append(asyncio.get_running_loop().create_future())
            job.waiting.append(done[-1])
        self.hasten()
        for outcome in await asyncio.gather(*done, return_exceptions=True):
            if outcome is not None:
                raise outcome

    def ask(self) -> float | None:
        """Request a refresh of everything. If one is due, or was requested just now, return the
        seconds after which to ask again instead."""
        now_s = self._clock_s()
        if (left_s := self._requested_s + _REQUEST_INTERVAL_S - now_s) > 0:
            return left_s
        if any(job.running or job.due_s <= now_s for job in self._jobs):
            return float(_REQUEST_INTERVAL_S)
        self._requested_s = now_s
        self.hasten()
        return None

    def progress(self) -> list[Progress]:
        """Return the progress of each refresh."""
        return [
            Progress(**{each.name: getattr(job, each.name) for each in fields(Progress)})
            for job in self._jobs
        ]

    def hasten(self) -> None:
        """Make every refresh due now, without waiting for it."""
        now_s = self._clock_s()
        for job in self._jobs:
            job.due_s = now_s
        self._wake.set()

    async def _do(self, job: _Job) -> None:
        waiting, job.waiting = job.waiting, []
        failure: Exception | None = None
        begin_s = self._clock_s()
        job.running = True
        try:
            await job.work()
        except (ReceiverError, StoreError) as error:
            failure = error
            log.warning(f"{job.name} not refreshed", reason=str(error))
        except Exception as error:
            # A defect in one refresh must not end the others.
            failure = error
            log.exception(f"{job.name} not refreshed")
        except asyncio.CancelledError:
            for done in waiting:
                done.cancel()
            raise
        finally:
            job.running = False
        job.duration_s = self._clock_s() - begin_s
        if failure is None:
            job.succeeded += 1
            job.succeeded_at = self._today()
        else:
            job.failed += 1
        job.trouble = str(failure) if failure else None
        for done in waiting:
            if not done.done():
                done.set_exception(failure) if failure else done.set_result(None)
        self._plan(job, failed=failure is not None)

    def _plan(self, job: _Job, *, failed: bool) -> None:
        """Set when the job is due again."""
        if failed:
            delay_s: float = RETRY_DELAYS_S[min(job.failures, len(RETRY_DELAYS_S) - 1)]
            job.failures += 1
        else:
            job.failures = 0
            delay_s = self._next_s()
            if job is self._lineup:
                delay_s = self._after_lineup(delay_s)
        # A caller that asked during the run wants a newer result.
        job.due_s = self._clock_s() + (0 if job.waiting else delay_s)

    def _after_lineup(self, delay_s: float) -> float:
        if self._guide:
            self._guide.due_s = self._clock_s()
        return min(delay_s, CONFIRMED_AFTER_S) if self._keeper.is_doubtful else delay_s

    def _next_s(self) -> float:
        return self._interval_s * self._jitter()

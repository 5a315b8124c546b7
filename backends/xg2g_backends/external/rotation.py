"""Which service is asked for the next remuxer. Decides, and does nothing."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

FIRST_PAUSE_S: Final = 0.25
"""After a first failure. A service that is restarted listens again within some 0.1 s."""
LONGEST_PAUSE_S: Final = 2.0
"""After many failures: a viewer waits for the service to come back."""
LONGEST_REFUSAL_S: Final = 30.0
"""Of what a service that is full may ask for."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    due_s: float = 0.0


class Rotation(Generic[T]):
    """Spreads over services in turn, and leaves out for a while those that failed or are full."""

    def __init__(
        self, services: Sequence[T], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = tuple(services)
        self._records = [_Record() for _ in self._services]
        self._clock_s = clock_s
        self._turn = 0

    def ready(self) -> list[T]:
        """The services to try now, in this order; empty while all of them pause."""
        now_s = self._clock_s()
        return [s for s in self._take_turn() if self._record(s).due_s <= now_s]

    def all(self) -> list[T]:
        """Every service: those to try now, and then those that pause, the shortest first."""
        now_s = self._clock_s()
        return sorted(self._take_turn(), key=lambda s: max(self._record(s).due_s, now_s))

    def next_due_in_s(self) -> float:
        """Until a service can be tried."""
        return max(0.0, min(record.due_s for record in self._records) - self._clock_s())

    def worked(self, service: T) -> bool:
        """A remuxer was opened there; returns whether it had failed before."""
        record = self._record(service)
        had_failed = record.failures > 0
        record.failures, record.due_s = 0, 0.0
        return had_failed

    def failed(self, service: T) -> bool:
        """It cannot be used; returns whether it could before.

        Many streams notice at once that a service is gone: together they are one failure.
        """
        record = self._record(service)
        if record.due_s > self._clock_s():
            return False
        record.failures += 1
        pause_s = min(FIRST_PAUSE_S * 2 ** min(record.failures - 1, 10), LONGEST_PAUSE_S)
        record.due_s = self._clock_s() + pause_s
        return record.failures == 1

    def refused(self, service: T, retry_after_s: float) -> None:
        """It is full, and says when to ask again."""
        pause_s = min(max(retry_after_s, FIRST_PAUSE_S), LONGEST_REFUSAL_S)
        self._record(service).due_s = self._clock_s() + pause_s

    def _take_turn(self) -> tuple[T, ...]:
        first = self._turn
        self._turn = (first + 1) % len(self._services)
        return self._services[first:] + self._services[:first]

    def _record(self, service: T) -> _Record:
        return self._records[self._services.index(service)]

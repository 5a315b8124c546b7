"""A breaker: after failures in a row the receiver is left alone for a while.

Small enough to be ours: the packages for it bring storage, threads or decorators, and none takes
a clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Closed:
    """Requests pass; so many failed in a row."""

    failures: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """None passes before `until_s`; then one does, as a trial."""

    until_s: float
    reason: str


class BreakerState(StrEnum):
    """What a breaker does with the next request."""

    CLOSED = "closed"
    """It passes."""
    HALF_OPEN = "half_open"
    """It passes as a trial."""
    OPEN = "open"
    """It does not pass."""


class CircuitBreaker:
    """Counts what its owner reports; the owner sends one request at a time."""

    def __init__(self, *, threshold: int, pause_s: float, now: Callable[[], float]) -> None:
        """Open for `pause_s` after `threshold` failures in a row; `now` is a monotonic clock."""
        self._threshold = threshold
        self._pause_s = pause_s
        self._now = now
        self.state: Closed | Open = Closed()

    def resting(self) -> Open | None:
        """The state that forbids a request now, if it does."""
        if isinstance(self.state, Open) and self._now() < self.state.until_s:
            return self.state
        return None

    @property
    def state_now(self) -> BreakerState:
        """What it does now."""
        if self.resting():
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN if isinstance(self.state, Open) else BreakerState.CLOSED

    def succeeded(self) -> None:
        """The receiver answered, whatever it said."""
        self.state = Closed()

    def failed(self, reason: str) -> None:
        """It did not answer. A failed trial opens the breaker again at once."""
        match self.state:
            case Closed(failures) if failures + 1 < self._threshold:
                self.state = Closed(failures + 1)
            case _:
                self.state = Open(self._now() + self._pause_s, reason)

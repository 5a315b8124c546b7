"""A circuit breaker: after several failures in a row, requests to the receiver pause.

It is code of our own: the packages for it add storage, threads or decorators, and no package
accepts an injected clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Closed:
    """Requests pass."""

    failures: int = 0
    """Failures in a row so far."""


@dataclass(frozen=True, slots=True)
class Open:
    """No request passes before `until_s`; then one passes as a trial."""

    until_s: float
    reason: str


class BreakerState(StrEnum):
    """What a circuit breaker does with the next request."""

    CLOSED = "closed"
    """The request passes."""
    HALF_OPEN = "half_open"
    """The request passes as a trial."""
    OPEN = "open"
    """The request does not pass."""


class CircuitBreaker:
    """Counts the failures that its owner reports; the owner sends one request at a time."""

    def __init__(self, *, threshold: int, pause_s: float, now: Callable[[], float]) -> None:
        """Open for `pause_s` after `threshold` failures in a row; `now` is a monotonic clock."""
        self._threshold = threshold
        self._pause_s = pause_s
        self._now = now
        self.state: Closed | Open = Closed()

    def blocking(self) -> Open | None:
        """Return the state that forbids a request now, or None."""
        if isinstance(self.state, Open) and self._now() < self.state.until_s:
            return self.state
        return None

    @property
    def state_now(self) -> BreakerState:
        """What it does with a request now."""
        if self.blocking():
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN if isinstance(self.state, Open) else BreakerState.CLOSED

    def succeeded(self) -> None:
        """Report that the receiver answered, whatever the answer."""
        self.state = Closed()

    def failed(self, reason: str) -> None:
        """Report that it did not answer. A failed trial opens the breaker again at once."""
        match self.state:
            case Closed(failures) if failures + 1 < self._threshold:
                self.state = Closed(failures + 1)
            case _:
                self.state = Open(self._now() + self._pause_s, reason)

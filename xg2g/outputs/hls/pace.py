"""How fast a stream is read that may come faster than it plays: a file on the web."""

from collections.abc import Callable
from typing import Final

AHEAD_S: Final = 30.0
"""How far packaging may be ahead of playback: web streams may begin with a burst of seconds."""
FORGOTTEN: Final = 1e-4
"""Share of the lead that is forgotten in a second: clocks of broadcasters are faster or slower than
this computer's, by less than a twentieth of that for a lead of a second."""


class Pace:
    """Compares what was packaged with the time that has passed."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock."""
        self._now = now
        self._at_s = now()
        self._lead_s = 0.0

    def wait_s(self, packaged_s: float) -> float:
        """Count so many seconds of the stream in, and return how long to read nothing."""
        now_s = self._now()
        passed_s, self._at_s = now_s - self._at_s, now_s
        self._lead_s *= max(0.0, 1 - FORGOTTEN * passed_s)
        self._lead_s = max(0.0, self._lead_s + packaged_s - passed_s)
        return max(0.0, self._lead_s - AHEAD_S)

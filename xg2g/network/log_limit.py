"""Rate limit of log lines that clients can cause."""

import time
from collections import OrderedDict
from collections.abc import Callable

_LINES = 64
"""Maximum number of lines that are remembered. Lines are constants of the code, so few exist."""


class LogLimit:
    """Decides whether a log line may be written again."""

    def __init__(self, interval_s: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Each line may be written once in `interval_s`."""
        self._interval_s = interval_s
        self._clock_s = clock_s
        self._written_s: OrderedDict[str, float] = OrderedDict()

    def allows(self, line: str) -> bool:
        """Return True if the line may be written now, and count it as written."""
        now_s = self._clock_s()
        if now_s - self._written_s.get(line, -self._interval_s) < self._interval_s:
            return False
        self._written_s[line] = now_s
        self._written_s.move_to_end(line)
        if len(self._written_s) > _LINES:
            self._written_s.popitem(last=False)
        return True

"""How often a line about others' mistakes may be written."""

import time
from collections import OrderedDict
from collections.abc import Callable

_LINES = 64
"""That are remembered; lines are those of the code, so that there are few."""


class LogLimit:
    """Says whether a line may be written again."""

    def __init__(self, interval_s: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """A line may be written once in `interval_s`."""
        self._interval_s = interval_s
        self._clock_s = clock_s
        self._said: OrderedDict[str, float] = OrderedDict()

    def allows(self, line: str) -> bool:
        """Whether it is time; if so, it counts as written."""
        now_s = self._clock_s()
        if now_s - self._said.get(line, -self._interval_s) < self._interval_s:
            return False
        self._said[line] = now_s
        self._said.move_to_end(line)
        if len(self._said) > _LINES:
            self._said.popitem(last=False)
        return True

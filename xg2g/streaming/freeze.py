"""How long a viewer's picture stands still although the receiver sends."""

from collections.abc import Callable

FREEZE_S = 0.5
"""Shorter ones nobody sees: players have more in hand."""
STALL_S = 0.25
"""Of the receiver: what it pauses is none of the conversion's."""


class FreezeWatch:
    """Times one stream, from input that nothing comes of until something does."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock."""
        self._now = now
        self._since_s: float | None = None

    def received(self, waited_s: float) -> None:
        """Input came, for which the receiver let wait so long."""
        if self._since_s is None:
            self._since_s = self._now()
        elif waited_s >= STALL_S:
            self._since_s += waited_s

    def sent(self) -> float | None:
        """Output left, or never will; return how long the viewer's picture stood still, in seconds,
        if that was long enough to be seen."""
        since_s, self._since_s = self._since_s, None
        frozen_s = self._now() - since_s if since_s is not None else 0.0
        return frozen_s if frozen_s >= FREEZE_S else None

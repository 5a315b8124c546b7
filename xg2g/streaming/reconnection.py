"""When a lost stream of the receiver is opened again."""

from typing import Final

from ..receiver.errors import ReceiverError

RECONNECT_S: Final = 12.0
"""How long a lost stream of the receiver is opened again for its viewers."""
RECONNECT_DELAYS_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Waits before the attempts; the last one repeats."""
STEADY_S: Final = 10.0
"""Time after which a stream that is lost again is a new outage."""


class Reconnection:
    """Decides when to try again, and when to give up. It waits for nothing itself.

    A stream that comes back and is lost again soon belongs to the same outage: one that only ever
    brings a second is given up.
    """

    def __init__(self, limit_s: float) -> None:
        """`limit_s` is the length of an outage after which the stream is given up."""
        self._limit_s = limit_s
        self._until_s: float | None = None
        """When the outage is given up; None before the first."""
        self._delays_s = iter(RECONNECT_DELAYS_S)
        self.loss: ReceiverError | None = None
        """Error that began the outage; None if the receiver just ended the stream."""

    @property
    def has_begun(self) -> bool:
        """Whether the stream was lost before."""
        return self._until_s is not None

    def left_s(self, now_s: float) -> float | None:
        """Return how long the next attempt may take; None for the first opening."""
        return None if self._until_s is None else max(0.0, self._until_s - now_s)

    def next_delay_s(
        self, loss: ReceiverError | None, now_s: float, began_s: float
    ) -> float | None:
        """Return how long to wait before the next attempt; None to give up.

        `loss` is the error that ended the stream, and `began_s` when it began to be shown, infinity
        if it never did.
        """
        if self._until_s is None or now_s - began_s >= STEADY_S:
            self.loss = loss
            self._until_s = now_s + self._limit_s
            self._delays_s = iter(RECONNECT_DELAYS_S)
        delay_s = next(self._delays_s, RECONNECT_DELAYS_S[-1])
        return delay_s if now_s + delay_s < self._until_s else None

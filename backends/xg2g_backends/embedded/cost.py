"""How long a call will hold the thread that makes it, judged by the calls before."""

from typing import Final

HOLD_S: Final = 0.0008
"""The longest that a call is expected to take on the event loop: with what estimates miss, less
than a millisecond."""

UNKNOWN_BYTES: Final = 8 * 1024
"""What is converted on the event loop of a stream of which nothing is known yet."""

_LEAST_BYTES: Final = 4 * 1024
"""Smaller chunks are judged as if they had this size: a frame of sound that becomes whole costs the
same whether it came with 188 bytes or with all of its own."""

_FORGOTTEN: Final = 0.9
"""What is left of the dearest call after each further one."""


class CallCost:
    """The cost of one stream, in CPU time for each byte: that of its dearest recent call."""

    def __init__(self) -> None:
        self._s_per_byte = HOLD_S / UNKNOWN_BYTES

    def is_short(self, size: int) -> bool:
        """Return True if a call with so many bytes may be made on the event loop."""
        return self._s_per_byte * max(size, _LEAST_BYTES) <= HOLD_S

    def learn(self, size: int, took_s: float) -> None:
        """Take a finished call into account; `took_s` is CPU time of the thread that made it."""
        per_byte = took_s / max(size, _LEAST_BYTES)
        self._s_per_byte = max(per_byte, self._s_per_byte * _FORGOTTEN)

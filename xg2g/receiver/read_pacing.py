"""How often a live stream is read.

At 10 Mbit/s the network delivers up to 900 pieces a second, and each one costs a way through the
event loop, the remuxer and every viewer's socket. So the kernel gathers them: between two reads the
socket is left alone. docs/design/data-path.md has the measurements.
"""

CHUNK_BYTES = 192 * 1024
"""The most that is read at once: what Enigma2 writes at once (188 x 1024)."""

GATHER_S = 0.1
"""The longest time between two reads of a stream that flows: no player notices it, since they
buffer more."""
GATHERED_BYTES = 160 * 1024
"""Gathered at most, by the stream's own rate: 100 ms of 13 Mbit/s, 50 ms of 26 Mbit/s. It fits one
read, and the kernel's buffer several times."""
PROMPT_S = 1.0
"""From a stream's first byte on it is read as it comes, so that zapping is no slower."""


class ReadPacing:
    """Says when a stream is to be read again."""

    def __init__(self, began_s: float, *, full_bytes: int = CHUNK_BYTES) -> None:
        """`began_s` is when its first byte came. A read of `full_bytes` means that more is
        waiting."""
        self._gather_from_s = began_s + PROMPT_S
        self._full_bytes = full_bytes
        self._since_s = began_s
        self._bytes = 0

    def wait_s(self, size: int, now_s: float) -> float:
        """Return how long the stream is left alone after a read that brought `size` bytes."""
        self._bytes += size
        if size >= self._full_bytes:
            return 0.0
        is_prompt = now_s < self._gather_from_s
        of_the_rate = (now_s - self._since_s) * GATHERED_BYTES / max(1, self._bytes)
        self._bytes, self._since_s = 0, now_s
        return 0.0 if is_prompt else min(GATHER_S, of_the_rate)

"""How often a live stream is read.

At 10 Mbit/s the network delivers up to 900 pieces a second, and each one passes the event loop, the
remuxer and every viewer's socket. So the kernel gathers them: between two reads the socket is left
alone. docs/design/data-path.md has the measurements.
"""

CHUNK_BYTES = 192 * 1024
"""Largest read: Enigma2 writes as much at once (188 x 1024)."""

GATHER_S = 0.1
"""Longest time between two reads of a stream that flows. Players do not notice it: they buffer
more."""
GATHERED_BYTES = 160 * 1024
"""Maximum number of bytes to gather, by the stream's own rate: 100 ms of 13 Mbit/s, 50 ms of 26
Mbit/s. They fit into one read, and several times into the kernel's buffer."""
PROMPT_S = 1.0
"""How long a stream is read as it comes, from its first byte on, so that zapping stays fast."""


class ReadPacing:
    """Decides when a stream is read again."""

    def __init__(self, began_s: float, *, full_bytes: int = CHUNK_BYTES) -> None:
        """`began_s` is the time of the first byte. After a read of `full_bytes` more bytes are
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

"""What a stream brought last, so that who takes it over begins at once.

The next picture that decodes by itself may be seconds away; the last one came a moment ago.
"""

from collections import deque
from collections.abc import Callable

from ..receiver.errors import ReceiverError
from ..receiver.pace import CHUNK_BYTES
from ..receiver.stream import LiveSource

KEPT_S = 2.0
"""More than most channels have between two pictures to begin with. A viewer who takes over is as
far behind, and their player has so much in hand."""
KEPT_BYTES = 6 * 1024 * 1024
"""2 s at 25 Mbit/s."""
YOUNG_S = 15.0
"""Who leaves later was watching, and did not look what there is. Keeping costs memory."""


class RecentSource:
    """A `LiveSource` over another one, which one viewer after the other reads."""

    def __init__(self, source: LiveSource, now: Callable[[], float]) -> None:
        self.source = source
        self.is_over = False
        """Whether it has ended or failed."""
        self._now = now
        self._kept: deque[tuple[float, bytes]] = deque()
        self._kept_bytes = 0
        self._again = b""
        self._keep_until_s: float | None = now() + YOUNG_S
        self._last_s = now()

    async def read(self) -> bytes:
        """Return what has arrived. Raises as the other source does."""
        if self._again:
            chunk, self._again = self._again[:CHUNK_BYTES], self._again[CHUNK_BYTES:]
            return chunk
        try:
            chunk = await self.source.read()
        except ReceiverError:
            self.is_over = True
            raise
        self.is_over = not chunk
        self._last_s = self._now()
        self._keep(chunk)
        return chunk

    def stands_still_s(self) -> float:
        """Since when nothing has come."""
        return self._now() - self._last_s

    def keep_on(self) -> None:
        """Keep what comes although the stream is old: nobody watches."""
        self._keep_until_s = None

    def rewind(self) -> None:
        """Begin with what came last."""
        self._again = b"".join(chunk for _, chunk in self._kept)
        self._keep_until_s = self._now() + YOUNG_S

    def _keep(self, chunk: bytes) -> None:
        now_s = self._last_s
        if self._keep_until_s is not None and now_s > self._keep_until_s:
            self._kept.clear()
            self._kept_bytes = 0
            return
        self._kept.append((now_s, chunk))
        self._kept_bytes += len(chunk)
        while self._kept_bytes > KEPT_BYTES or self._kept[0][0] < now_s - KEPT_S:
            self._kept_bytes -= len(self._kept.popleft()[1])

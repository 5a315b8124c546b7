"""The input of a stream, kept until a transcoder has acknowledged it."""

from collections import deque
from typing import Final

from ..embedded.shared_library import shared_library

WAITING_BYTES: Final = 4 * 1024 * 1024
"""Most input that waits for a transcoder; beyond it the oldest is dropped. It is 3 s at 10 Mbit/s,
longer than a service takes to restart."""

PAST_BYTES: Final = 1024 * 1024
"""Acknowledged input that is kept for the tables in it: 0.8 s at 10 Mbit/s. Every table has to be
repeated within that time (ETSI TR 101 290, 5.2.1)."""


class InputBuffer:
    """Chunks of a stream that become request bodies, and the lead that a splice needs.

    A body stays in the buffer until it is acknowledged: until then `body` returns the same one.
    """

    def __init__(self, program: int) -> None:
        self._program = program
        self._lead = b""
        self._waiting: deque[bytes] = deque()
        self._past: deque[bytes] = deque()
        self._past_bytes = 0
        self._gap = False
        self.waiting_bytes = 0
        self.acknowledged_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Append the stream's next bytes."""
        self._waiting.append(chunk)
        self.waiting_bytes += len(chunk)

    def body(self, limit_bytes: int) -> bytes:
        """Return the next body, about `limit_bytes` at most; empty when nothing waits."""
        if not self._waiting:
            return b""
        room = max(limit_bytes - len(self._lead), 1)
        taken: list[bytes] = []
        while self._waiting and room:
            chunk = self._waiting.popleft()
            taken.append(chunk[:room])
            if len(chunk) > room:
                self._waiting.appendleft(chunk[room:])
            room -= len(taken[-1])
        joined = taken[0] if len(taken) == 1 else b"".join(taken)
        self._waiting.appendleft(joined)
        return self._lead + joined

    def acknowledge(self) -> None:
        """Remove the last `body`: its output has arrived."""
        self.acknowledged_bytes += len(self._waiting[0])
        self._lead, self._gap = b"", False
        self._remember()

    def drop_body(self) -> int:
        """Drop the last `body`. Return its size in bytes of the stream."""
        return self._drop_first()

    def keep_video(self) -> int:
        """Drop everything but video from the last `body`. Return the bytes that were dropped.

        Where video cannot be identified, the whole body is dropped.
        """
        if not self._waiting:
            return 0
        past = b"".join(self._past)
        kept = (
            None
            if self._gap
            else shared_library().splice_keep_video(past, self._waiting[0], self._program)
        )
        if kept is None:
            return self._drop_first()
        self._waiting[0], dropped = kept
        return dropped

    def drop_oldest(self) -> int:
        """Drop the oldest input beyond `WAITING_BYTES`. Return the bytes that were dropped."""
        dropped = 0
        while self.waiting_bytes > WAITING_BYTES:
            dropped += self._drop_first()
        return dropped

    def splice(self) -> None:
        """Prepare the next body for a new remuxer: it begins with the tables of the stream."""
        past = b"".join(self._past)
        self._lead = shared_library().splice_lead(past, self._program, after_gap=self._gap)
        if not self._gap:
            return
        # The dropped input may end within a packet: continue with the first whole packet.
        while self._waiting:
            chunk = self._waiting[0]
            start = shared_library().splice_first_packet(chunk)
            if start < len(chunk):
                self._waiting[0] = chunk[start:]
                self.waiting_bytes -= start
                return
            self._drop_first()

    def _drop_first(self) -> int:
        if not self._waiting:
            return 0
        self._gap = True
        dropped = len(self._waiting[0])
        # The tables in it are still valid.
        self._remember()
        return dropped

    def _remember(self) -> None:
        chunk = self._waiting.popleft()
        self.waiting_bytes -= len(chunk)
        self._past.append(chunk)
        self._past_bytes += len(chunk)
        while self._past_bytes - len(self._past[0]) > PAST_BYTES:
            self._past_bytes -= len(self._past.popleft())

"""The input of a stream, as far as a transcoder that is lost would take it along."""

from collections import deque
from typing import Final

from ..embedded.library import shared_library

WAITING_BYTES: Final = 4 * 1024 * 1024
"""Input that waits for a transcoder; of more, the oldest is dropped. 3 s at 10 Mbit/s, which is
longer than a service takes to start again."""

PAST_BYTES: Final = 1024 * 1024
"""Acknowledged input that is kept: 0.8 s at 10 Mbit/s, in which every table has to come again
(ETSI TR 101 290, 5.2.1)."""


class Input:
    """Takes chunks in, gives bodies out, and knows where a new remuxer has to begin.

    A body stays until it is acknowledged; what is asked for before that is the same body.
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
        """Take the stream's next bytes."""
        self._waiting.append(chunk)
        self.waiting_bytes += len(chunk)

    def body(self, limit_bytes: int) -> bytes:
        """Return what is to be sent next; empty when nothing waits."""
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
        """The last `body` was taken in, and what came out of it is in hand."""
        self.acknowledged_bytes += len(self._waiting[0])
        self._lead, self._gap = b"", False
        self._remember()

    def drop_body(self) -> int:
        """Give the last `body` up, and return how many bytes of the stream that is."""
        return self._drop_first()

    def keep_video(self) -> int:
        """Give the last `body` up but for its video, and return how many bytes of the stream that
        is; all of it where video cannot be told."""
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
        self._waiting[0], given_up = kept
        return given_up

    def drop_oldest(self) -> int:
        """Keep within `WAITING_BYTES`, and return how many bytes were too many."""
        dropped = 0
        while self.waiting_bytes > WAITING_BYTES:
            dropped += self._drop_first()
        return dropped

    def begin_anew(self) -> None:
        """A new remuxer takes the stream over: let the next body begin with what it has to know."""
        past = b"".join(self._past)
        self._lead = shared_library().splice_lead(past, self._program, after_gap=self._gap)
        if not self._gap:
            return
        # What was dropped may end within a packet, and a packet that is cut has no place behind
        # whole ones.
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
        # Its tables still count.
        self._remember()
        return dropped

    def _remember(self) -> None:
        chunk = self._waiting.popleft()
        self.waiting_bytes -= len(chunk)
        self._past.append(chunk)
        self._past_bytes += len(chunk)
        while self._past_bytes - len(self._past[0]) > PAST_BYTES:
            self._past_bytes -= len(self._past.popleft())

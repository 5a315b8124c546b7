"""What goes wrong on a service, as receivers are seen to do it."""

from dataclasses import dataclass
from enum import Enum


class Answer(Enum):
    """How the stream server answers once it has read a request for the service."""

    STREAM = "stream"
    # No tuner, or a service that the box does not know: 200, then an error as the body.
    REFUSE = "refuse"
    # No lock: 200, then the end.
    EMPTY = "empty"
    # Locked, but neither PAT nor PMT arrives: 200, then nothing, the socket stays open.
    SILENT = "silent"


@dataclass(frozen=True)
class Conditions:
    """The faults of one service; the default has none. Times count from the request."""

    answer: Answer = Answer.STREAM
    # Tuning and the wait for PAT and PMT: 200 comes at once, the first packet after this.
    first_byte_s: float = 0.3
    # A recording timer takes the tuner away: the stream ends.
    end_after_s: float | None = None
    # The connection is reset instead of closed at `end_after_s`.
    reset: bool = False
    # Bad reception: nothing more arrives, the socket stays open.
    stall_after_s: float | None = None
    # Every so many bursts one is cut in mid-packet, as a write that the box cancelled.
    cut_every_bursts: int | None = None
    # The programme clock of a new viewer stands this long before its 33-bit wrap.
    wrap_after_s: float | None = None


NO_FAULT = Conditions()

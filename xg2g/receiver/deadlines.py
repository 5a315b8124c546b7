"""How long a receiver may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDeadlines:
    """Of a stream."""

    connect_s: float
    first_byte_s: float
    """From the request to the first byte of the stream: tuning, lock, PAT and PMT."""
    stall_s: float
    """Between two bytes of the stream."""

"""A stream that is made, where a capture would be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class StandIn:
    """A stream of the same kind, with the same PIDs, as the capture of the same name."""

    stem: str
    make: Callable[[], bytes] = field(repr=False)

    def read_bytes(self) -> bytes:
        """Return the stream, which is made once."""
        return _made(self)


@cache
def _made(stand_in: StandIn) -> bytes:
    return stand_in.make()

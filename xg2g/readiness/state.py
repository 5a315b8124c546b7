"""How well something works."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a viewer who comes now would get."""

    READY = "ready"
    """Everything."""
    DEGRADED = "degraded"
    """A stream, though something is wrong."""
    NOT_READY = "not ready"
    """No stream."""

    @property
    def severity(self) -> int:
        """0 for ready; the worse, the higher."""
        return list(State).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one thing."""

    state: State
    reason: str = ""
    """One line for a user: what is wrong, and what to do; empty when nothing is."""


READY = Finding(State.READY)

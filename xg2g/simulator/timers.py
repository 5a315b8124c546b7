"""Timers: recordings to come."""

from collections.abc import Callable
from dataclasses import dataclass, field

from xg2g.simulator.service import Service


@dataclass(frozen=True)
class Timer:
    """A recording to come; times are epoch seconds."""

    service: Service
    reference: str
    begin_s: int
    end_s: int
    name: str
    description: str = ""
    event_id: int = 0
    just_play: bool = False
    recording: bool = False
    """It has begun, and holds a tuner."""


@dataclass
class Timers:
    """The list, and which timers get in each other's way."""

    entries: list[Timer] = field(default_factory=list)

    def conflicts(self, new: Timer, tuners: int) -> list[Timer]:
        """The timers at the same time, if together with `new` they need more than `tuners`."""
        same_time = [t for t in self.entries if t.begin_s < new.end_s and new.begin_s < t.end_s]
        transponders = {t.service.reference.transponder for t in [*same_time, new]}
        return same_time if len(transponders) > tuners else []

    def remove(self, wanted: Callable[[Timer], bool]) -> Timer | None:
        """Take the first that is wanted off the list."""
        found = next((timer for timer in self.entries if wanted(timer)), None)
        if found:
            self.entries.remove(found)
        return found

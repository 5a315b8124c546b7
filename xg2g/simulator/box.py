"""The state of the simulated receiver, which its parts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xg2g.simulator.service import Service, ServiceReference, parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from xg2g.simulator.air import Air
    from xg2g.simulator.lineup import Lineup
    from xg2g.simulator.options import Generation
    from xg2g.simulator.stream_server import StreamServer
    from xg2g.simulator.tuners import TunerPool


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
    """True while it records and holds a tuner."""


@dataclass
class Timers:
    """The list of timers, and their conflicts."""

    entries: list[Timer] = field(default_factory=list)

    def conflicts(self, new: Timer, tuners: int) -> list[Timer]:
        """Return the overlapping timers, if they and `new` need more than `tuners` transponders."""
        same_time = [t for t in self.entries if t.begin_s < new.end_s and new.begin_s < t.end_s]
        transponders = {t.service.reference.transponder for t in [*same_time, new]}
        return same_time if len(transponders) > tuners else []

    def remove(self, wanted: Callable[[Timer], bool]) -> Timer | None:
        """Remove and return the first matching timer; None without one."""
        found = next((timer for timer in self.entries if wanted(timer)), None)
        if found:
            self.entries.remove(found)
        return found


@dataclass
class Box:
    """The receiver's state. Its tuners serve streams, recordings and the television."""

    lineup: Lineup
    streams: StreamServer
    tuners: TunerPool
    air: Air
    generation: Generation
    guide_days: int
    whitelist: list[ServiceReference] | None
    """Services that use the softcam relay; None without such a file."""
    zaps_on_playlist: bool = False
    """`zapstream`: reading a service's playlist switches the television to it."""
    in_standby: bool = True
    current: Service | None = None
    """The television's service."""
    recordings: list[Service] = field(default_factory=list)
    timers: Timers = field(default_factory=Timers)
    stream_port: int = 0
    relay_port: int = 0
    authority: str = ""
    """`host:port` of the web interface."""

    def find(self, reference: str) -> Service | None:
        """Return the service of a reference, or None."""
        parsed = parse_reference(reference)
        return self.lineup.services.get(parsed) if parsed else None

    def zap(self, service: Service) -> bool:
        """Show a service on the television; False if no tuner is free for it."""
        if not self.tuners.acquire(service.reference.transponder):
            return False
        self.stop_television()
        self.current, self.in_standby = service, False
        return True

    def stop_television(self) -> None:
        """Release the television's tuner."""
        if self.current is not None:
            self.tuners.release(self.current.reference.transponder)
            self.current = None

    def start_recording(self, service: Service) -> bool:
        """Record a service, ending the oldest streams until a tuner is free. False if none gets
        free."""
        transponder = service.reference.transponder
        while not self.tuners.acquire(transponder):
            if not self.streams.evict_oldest():
                return False
        self.recordings.append(service)
        return True

    def stop_recording(self, service: Service) -> None:
        """End a recording of the service; ValueError without one."""
        self.recordings.remove(service)
        self.tuners.release(service.reference.transponder)

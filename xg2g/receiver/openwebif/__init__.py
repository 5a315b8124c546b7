"""A client of OpenWebif, the web interface of an Enigma2 receiver."""

from .circuit_breaker import BreakerState
from .client import OpenWebif
from .device import About, ActiveStream, Status, Tuner
from .guide import Event
from .listing import RADIO, TELEVISION, ListedBouquet, ListedService
from .picon import Picon
from .recordings import Movie, Timer, TimerState
from .stream_settings import StreamSettings
from .transport import RequestPolicy, Traffic

__all__ = [
    "RADIO",
    "TELEVISION",
    "About",
    "ActiveStream",
    "BreakerState",
    "Event",
    "ListedBouquet",
    "ListedService",
    "RequestPolicy",
    "Movie",
    "OpenWebif",
    "Picon",
    "Status",
    "StreamSettings",
    "Timer",
    "TimerState",
    "Traffic",
    "Tuner",
]

"""OpenWebif, the web interface of an Enigma2 receiver, asked politely."""

from .box import About, ActiveStream, Status, Tuner
from .client import OpenWebif
from .guide import Event
from .listing import RADIO, TELEVISION, ListedBouquet, ListedService
from .picon import Picon
from .transport import Manners

__all__ = [
    "RADIO",
    "TELEVISION",
    "About",
    "ActiveStream",
    "Event",
    "ListedBouquet",
    "ListedService",
    "Manners",
    "OpenWebif",
    "Picon",
    "Status",
    "Tuner",
]

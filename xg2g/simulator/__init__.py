"""A simulated Enigma2 receiver, for tests and for trying xg2g without a receiver.

Each name is imported at its first use: `xg2g --help` describes the simulator without loading it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xg2g.simulator.options import Generation
    from xg2g.simulator.receiver import SimulatedReceiver
    from xg2g.simulator.recording import RecordingError
    from xg2g.simulator.service import Answer, Conditions, Service, ServiceReference
    from xg2g.simulator.stream_server import Credentials

__all__ = [
    "Answer",
    "Conditions",
    "Credentials",
    "Generation",
    "RecordingError",
    "Service",
    "ServiceReference",
    "SimulatedReceiver",
]

_MODULES = {
    "Answer": "service",
    "Conditions": "service",
    "Credentials": "stream_server",
    "Generation": "options",
    "RecordingError": "recording",
    "Service": "service",
    "ServiceReference": "service",
    "SimulatedReceiver": "receiver",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)

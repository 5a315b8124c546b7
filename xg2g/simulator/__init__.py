"""A simulated Enigma2 receiver, for people without one and for tests."""

from xg2g.simulator.conditions import Answer, Conditions
from xg2g.simulator.generation import Generation
from xg2g.simulator.receiver import SimulatedReceiver
from xg2g.simulator.recording import RecordingError
from xg2g.simulator.service import Service, ServiceReference
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

"""Services of the simulated receiver and how they are referred to."""

from dataclasses import dataclass, field
from typing import NamedTuple

from xg2g.simulator.conditions import NO_FAULT, Conditions
from xg2g.simulator.loop import Loop
from xg2g.simulator.programmes import Programmes
from xg2g.simulator.tuners import Transponder

TV, RADIO, HD_TV = 0x01, 0x02, 0x19


class ServiceReference(NamedTuple):
    """A DVB service reference; its text is the first ten fields and a colon, hex in capitals."""

    service_type: int
    service_id: int
    transport_stream_id: int
    original_network_id: int
    namespace: int

    def __str__(self) -> str:
        return "1:0:" + ":".join(f"{number:X}" for number in self) + ":0:0:0:"

    @property
    def transponder(self) -> Transponder:
        """What a tuner has to be tuned to for this service."""
        return Transponder(self.namespace, self.transport_stream_id, self.original_network_id)


def parse_reference(text: str) -> ServiceReference | None:
    """The service that a reference names, whatever its flags and its `:Name` suffix.

    None for what is no reference to a DVB service: too few fields, not hexadecimal, an IPTV or
    recording type, a marker or a bouquet.
    """
    fields = text.split(":")
    if len(fields) < 10 or fields[0] != "1":
        return None
    try:
        flags = int(fields[1])
        numbers = [int(number, 16) for number in fields[2:10]]
    except ValueError:
        return None
    if flags & (1 | 64 | 128) or any(numbers[5:]):
        return None
    return ServiceReference(*numbers[:5])


@dataclass
class Service:
    """A channel on air; `conditions` may be changed at any time and hold for the next viewer."""

    reference: ServiceReference
    name: str
    loop: Loop
    conditions: Conditions = field(default=NO_FAULT)
    # Has a programme guide, in the API as well as on PID 0x12 of the stream.
    has_guide: bool = True
    # What the softcam relay sends instead: a scrambled service in the clear.
    relayed: Loop | None = None
    # File in the picon directory, if there is one.
    picon: str | None = None

    @property
    def programmes(self) -> Programmes:
        """What is on."""
        reference = self.reference
        of_multiplex = 7 * (reference.transport_stream_id - 1) + (reference.namespace & 0xFFFF)
        return Programmes(reference.service_id - 101 + of_multiplex)

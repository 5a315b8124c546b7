"""Services of the simulated receiver and how they are referred to."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from xg2g.simulator.loop import Loop
from xg2g.simulator.programmes import Programmes
from xg2g.simulator.tuners import Transponder


class Answer(Enum):
    """How the stream server answers once it has read a request for the service."""

    STREAM = "stream"
    # No tuner, or a service that the box does not know: 200, then an error as the body.
    REFUSE = "refuse"
    # No lock: 200, then the end.
    EMPTY = "empty"
    # Locked, but neither PAT nor PMT arrives: 200, then nothing, the socket stays open.
    SILENT = "silent"


@dataclass(frozen=True)
class Conditions:
    """The faults of one service; the default has none. Times count from the request."""

    answer: Answer = Answer.STREAM
    # Tuning and the wait for PAT and PMT: 200 comes at once, the first packet after this.
    first_byte_s: float = 0.3
    # A recording timer takes the tuner away: the stream ends.
    end_after_s: float | None = None
    # The connection is reset instead of closed at `end_after_s`.
    reset: bool = False
    # Bad reception: nothing more arrives, the socket stays open.
    stall_after_s: float | None = None
    # Every so many bursts one is cut in mid-packet, as a write that the box cancelled.
    cut_every_bursts: int | None = None
    # The programme clock of a new viewer stands this long before its 33-bit wrap.
    wrap_after_s: float | None = None


NO_FAULT = Conditions()


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

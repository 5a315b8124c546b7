"""Services of the simulated receiver: reference, faults, content."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from xg2g.simulator.loop import Loop
from xg2g.simulator.programmes import Programmes
from xg2g.simulator.tuners import Transponder


class Answer(Enum):
    """The stream server's answer to a request for the service."""

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
    # Tuning and the wait for PAT and PMT: the time from status 200 to the first packet.
    first_byte_s: float = 0.3
    # A recording timer takes the tuner away: the stream ends.
    end_after_s: float | None = None
    # The connection is reset instead of closed at `end_after_s`.
    reset: bool = False
    # Bad reception: nothing more arrives, the socket stays open.
    stall_after_s: float | None = None
    # One burst in `cut_every_bursts` ends in mid-packet, like a write that the box cancelled.
    cut_every_bursts: int | None = None
    # A new viewer's PCR wraps at 33 bits after this time.
    wrap_after_s: float | None = None


NO_FAULT = Conditions()


TV, RADIO, HD_TV = 0x01, 0x02, 0x19


class ServiceReference(NamedTuple):
    """A DVB service reference; its text is ten fields and a colon, with capital hex digits."""

    service_type: int
    service_id: int
    transport_stream_id: int
    original_network_id: int
    namespace: int

    def __str__(self) -> str:
        return "1:0:" + ":".join(f"{number:X}" for number in self) + ":0:0:0:"

    @property
    def transponder(self) -> Transponder:
        """Return the transponder that a tuner needs for this service."""
        return Transponder(self.namespace, self.transport_stream_id, self.original_network_id)


def parse_reference(text: str) -> ServiceReference | None:
    """Return the service that a reference names, ignoring its flags and `:Name` suffix.

    None for anything but a DVB service: too few fields, not hexadecimal, an IPTV or recording type,
    a marker or a bouquet.
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
    # A programme guide, in the API and on PID 0x12 of the stream.
    has_guide: bool = True
    # The descrambled service, which the softcam relay sends.
    relayed: Loop | None = None
    # File in the picon directory; None without a picon.
    picon: str | None = None

    @property
    def programmes(self) -> Programmes:
        """Return the service's schedule."""
        reference = self.reference
        of_multiplex = 7 * (reference.transport_stream_id - 1) + (reference.namespace & 0xFFFF)
        return Programmes(reference.service_id - 101 + of_multiplex)

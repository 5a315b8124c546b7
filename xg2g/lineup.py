"""The lineup: from the receiver's bouquets to numbered channels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from .receiver.service_reference import ServiceReference


@dataclass(frozen=True, slots=True)
class Service:
    """An entry of a bouquet that is no bouquet itself: a service, marker or group."""

    reference: ServiceReference
    name: str


@dataclass(frozen=True, slots=True)
class Bouquet:
    """A list as its owner arranged it, with the bouquets inside it in their places."""

    name: str
    entries: tuple["Service | Bouquet", ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """One thing to watch or hear, however many bouquets it is in."""

    reference: ServiceReference
    number: int
    """The number under which the receiver's remote control first has it, radio after television.
    No two channels have the same."""
    name: str
    groups: tuple[str, ...]
    """Names of the bouquets it is in."""

    @property
    def id(self) -> str:
        """`ServiceReference.channel_id`."""
        return self.reference.channel_id


@dataclass(frozen=True, slots=True)
class Lineup:
    """Every channel, in order of its number."""

    channels: tuple[Channel, ...] = ()
    left_out: int = 0
    """Entries that no tuner can bring: IPTV, recordings, groups of alternatives."""
    _by_id: dict[str, Channel] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {channel.id: channel for channel in self.channels})

    def find(self, channel_id: str) -> Channel | None:
        """Return the channel of this id, or None."""
        return self._by_id.get(channel_id)


def arrange(bouquets: Sequence[Bouquet]) -> Lineup:
    """Number the services of bouquets and make each a channel once.

    Counts as the receiver does: every service and numbered marker takes a number, a service that
    occurs again takes another one, which here stays unused.
    """
    channels: dict[str, Channel] = {}
    number = 0
    left_out = 0
    for group, service in _walk(bouquets):
        reference = service.reference
        number += reference.takes_a_number
        if reference.is_marker:
            continue
        if not reference.is_dvb_service:
            left_out += 1
            continue
        known = channels.get(reference.channel_id)
        if known is None:
            known = Channel(reference, number, _display_name(service), ())
        if group and group not in known.groups:
            known = replace(known, groups=(*known.groups, group))
        channels[reference.channel_id] = known
    return Lineup(tuple(channels.values()), left_out)


def _walk(bouquets: Sequence[Bouquet]) -> Iterator[tuple[str, Service]]:
    for bouquet in bouquets:
        for entry in bouquet.entries:
            if isinstance(entry, Bouquet):
                yield from _walk([entry])
            else:
                yield _printable(bouquet.name), entry


def _display_name(service: Service) -> str:
    # The name inside a reference may carry its provider: "Das Erste HD•ARD".
    own_name, _, _ = service.reference.name.partition("•")
    return _printable(service.name) or _printable(own_name) or f"Service {service.reference.sid}"


def _printable(name: str) -> str:
    """Drop control characters: DVB's emphasis marks U+0086 and U+0087 reach some lists."""
    return " ".join("".join(c for c in name if c.isprintable() or c.isspace()).split())

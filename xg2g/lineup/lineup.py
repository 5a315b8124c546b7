"""The lineup: numbered channels, and the bouquets that contain them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..receiver.service_reference import ServiceReference
from .naming import matching


@dataclass(frozen=True, slots=True)
class Channel:
    """A television or radio channel, in one bouquet or several."""

    id: str
    """Name of the channel in every URL, list and guide; see `sources.identity`."""
    number: int
    """The number on the receiver's remote control when the channel was first seen, or a number
    above all others when that was taken. It never changes, and no two channels share one."""
    name: str
    sources: tuple[ServiceReference, ...]
    """Its sources, at least one; the first that plays is used."""
    radio: bool = False
    picon: str = ""
    """Path of its picon at the receiver, or empty."""
    alternatives: str = ""
    """Path of its group of alternatives at the receiver; empty for a plain service."""

    @property
    def reference(self) -> ServiceReference:
        """The source that identifies it."""
        return self.sources[0]


@dataclass(frozen=True, slots=True)
class Group:
    """A bouquet as viewers see it."""

    name: str
    reference: str
    """Exactly as the receiver wrote it."""
    radio: bool
    channel_ids: tuple[str, ...]
    """In the order of the bouquet, each once."""


@dataclass(frozen=True, slots=True)
class Lineup:
    """Every channel in order of its number, and every bouquet in the receiver's order."""

    channels: tuple[Channel, ...] = ()
    groups: tuple[Group, ...] = ()
    _by_id: dict[str, Channel] = field(init=False, repr=False, compare=False)
    _by_number: dict[int, Channel] = field(init=False, repr=False, compare=False)
    _groups_of: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {channel.id: channel for channel in self.channels})
        by_number = {channel.number: channel for channel in self.channels}
        object.__setattr__(self, "_by_number", by_number)
        groups_of: dict[str, list[str]] = {}
        for group in self.groups:
            for channel_id in group.channel_ids:
                names = groups_of.setdefault(channel_id, [])
                if group.name not in names:
                    names.append(group.name)
        object.__setattr__(self, "_groups_of", groups_of)

    def find(self, channel_id: str) -> Channel | None:
        """Return the channel of this id, or None."""
        return self._by_id.get(channel_id)

    def by_number(self, number: int) -> Channel | None:
        """Return the channel of this number, or None."""
        return self._by_number.get(number)

    def group_names(self, channel: Channel) -> Sequence[str]:
        """Return the names of the bouquets that contain the channel."""
        return self._groups_of.get(channel.id, ())

    def select(
        self, *, bouquet: str | None = None, radio: bool | None = None
    ) -> tuple[Channel, ...] | None:
        """Return the channels of a bouquet, in its order, or all; with `radio` only radio (True)
        or only television (False).

        `naming.matching` compares the names; several bouquets of one name all count. None when
        there is no such bouquet.
        """
        channels = self.channels
        if bouquet is not None:
            names = matching(bouquet, (group.name for group in self.groups))
            if not names:
                return None
            groups = [group for group in self.groups if group.name in names]
            ids = dict.fromkeys(channel_id for g in groups for channel_id in g.channel_ids)
            channels = tuple(self._by_id[channel_id] for channel_id in ids)
        if radio is None:
            return channels
        return tuple(channel for channel in channels if channel.radio == radio)

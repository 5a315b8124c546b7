"""From the receiver's bouquets to channels that have no number yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..receiver.service_reference import ServiceReference
from .lineup import Group
from .naming import choose
from .sources import identity, is_playable, nameless


@dataclass(frozen=True, slots=True)
class Service:
    """An entry of a bouquet that is no bouquet itself: a service, marker or group."""

    reference: ServiceReference
    name: str
    alternatives: tuple[ServiceReference, ...] = ()
    """What a group of alternatives consists of, in its order."""
    picon: str = ""


@dataclass(frozen=True, slots=True)
class Bouquet:
    """A list as its owner arranged it, with the bouquets inside it in their places."""

    name: str
    entries: tuple["Service | Bouquet", ...]
    reference: str = ""
    """Exactly as the receiver wrote it."""
    radio: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A channel but for its number."""

    id: str
    position: int
    """The number under which the receiver's remote control first has it."""
    name: str
    sources: tuple[ServiceReference, ...]
    radio: bool
    picon: str
    alternatives: str
    """Which group of alternatives it is; empty for a plain service."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a reading of the receiver comes to."""

    candidates: tuple[Candidate, ...] = ()
    groups: tuple[Group, ...] = ()
    left_out: int = 0
    """Entries that cannot be played: recordings, protocols other than HTTP."""
    missing: tuple[str, ...] = ()
    """Bouquets that were wanted and are not there."""
    names: tuple[str, ...] = ()
    """Of all bouquets that are there, wanted or not."""
    wanted: tuple[str, ...] = ()
    """Bouquets that it was asked for; none for all."""


def arrange(
    bouquets: Sequence[Bouquet],
    *,
    wanted: Sequence[str] = (),
    known_groups: Mapping[str, str] | None = None,
) -> Arrangement:
    """Make each service of the wanted bouquets a channel once.

    Positions count as the receiver's do: every service and numbered marker of every bouquet takes
    a number, a service that occurs again takes another one, which here stays unused.

    A group of alternatives is the channel that its first playable member would be, so that making
    a service a group keeps the channel; `known_groups` (path of a group -> id of a channel) holds
    it to that when the members are put in another order.
    """
    names = tuple(dict.fromkeys(_names(bouquets)))
    choice = choose(wanted, names)
    candidates: dict[str, Candidate] = {}
    members: dict[str, tuple[Bouquet, dict[str, None]]] = {}
    position = left_out = 0
    for bouquet, name_path, service in _walk(bouquets, ()):
        selected = not wanted or not choice.names.isdisjoint(name_path)
        if selected:
            ids = members.setdefault(bouquet.reference or bouquet.name, (bouquet, {}))[1]
        if service is None:
            continue
        position += service.reference.takes_a_number
        if not selected or service.reference.is_marker:
            continue
        candidate = _candidate(service, bouquet, position, known_groups or {})
        if candidate is None:
            left_out += 1
            continue
        known = candidates.setdefault(candidate.id, candidate)
        if candidate.alternatives and not known.alternatives:
            # It stands alone as well: the group has more ways to play it.
            candidates[known.id] = replace(
                known, sources=candidate.sources, alternatives=candidate.alternatives
            )
        ids[candidate.id] = None
    groups = (
        Group(_printable(b.name), reference, b.radio, tuple(ids))
        for reference, (b, ids) in members.items()
        if ids
    )
    return Arrangement(
        tuple(candidates.values()), tuple(groups), left_out, choice.missing, names, tuple(wanted)
    )


def _names(bouquets: Sequence[Bouquet]) -> Iterator[str]:
    """Names of all bouquets, with those inside them."""
    for bouquet in bouquets:
        yield _printable(bouquet.name)
        yield from _names([each for each in bouquet.entries if isinstance(each, Bouquet)])


def _walk(
    bouquets: Sequence[Bouquet], above: tuple[str, ...]
) -> Iterator[tuple[Bouquet, tuple[str, ...], Service | None]]:
    """Every service with its bouquet and the names of that and those around it; each bouquet once
    without a service before them."""
    for bouquet in bouquets:
        name_path = (*above, _printable(bouquet.name))
        yield bouquet, name_path, None
        for entry in bouquet.entries:
            if isinstance(entry, Bouquet):
                yield from _walk([entry], name_path)
            else:
                yield bouquet, name_path, entry


def _candidate(
    service: Service, bouquet: Bouquet, position: int, known_groups: Mapping[str, str]
) -> Candidate | None:
    group = service.reference.path if service.reference.is_group else ""
    members = service.alternatives if group else (service.reference,)
    sources = tuple(dict.fromkeys(nameless(member) for member in members if is_playable(member)))
    if not sources:
        return None
    return Candidate(
        id=known_groups.get(group) or identity(sources[0]),
        position=position,
        name=_display_name(service, sources[0]),
        sources=sources,
        radio=bouquet.radio or sources[0].is_radio,
        picon=service.picon,
        alternatives=group,
    )


_JOINERS = "\u200c\u200d"
"""Characters that Persian and Indian scripts need."""


def _display_name(service: Service, source: ServiceReference) -> str:
    # The name inside a reference may carry its provider: "Das Erste HD•ARD".
    own_name, _, _ = service.reference.name.partition("•")
    return _printable(service.name) or _printable(own_name) or f"Service {source.sid}"


def _printable(name: str) -> str:
    """Drop control characters: DVB's emphasis marks U+0086 and U+0087 reach some lists, and marks
    of direction would turn what stands behind the name."""
    if not name.isprintable():
        name = "".join(c for c in name if c.isprintable() or c.isspace() or c in _JOINERS)
    return " ".join(name.split())

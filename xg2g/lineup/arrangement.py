"""Makes channels without numbers from the receiver's bouquets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..receiver.service_reference import ServiceReference
from .lineup import Group
from .naming import choose
from .sources import identity, is_playable, nameless


@dataclass(frozen=True, slots=True)
class Service:
    """An entry of a bouquet: a service, a marker or a group of alternatives."""

    reference: ServiceReference
    name: str
    alternatives: tuple[ServiceReference, ...] = ()
    """Members of a group of alternatives, in its order."""
    picon: str = ""


@dataclass(frozen=True, slots=True)
class Bouquet:
    """A list as its owner arranged it; bouquets inside it are among its entries."""

    name: str
    entries: tuple["Service | Bouquet", ...]
    reference: str = ""
    """Exactly as the receiver wrote it."""
    radio: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A channel without its number."""

    id: str
    position: int
    """Its lowest number on the receiver's remote control."""
    name: str
    sources: tuple[ServiceReference, ...]
    radio: bool
    picon: str
    alternatives: str
    """Path of its group of alternatives; empty for a plain service."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The channels and bouquets of one reading of the receiver."""

    candidates: tuple[Candidate, ...] = ()
    groups: tuple[Group, ...] = ()
    left_out: int = 0
    """Number of entries that cannot be played: recordings, protocols other than HTTP."""
    missing: tuple[str, ...] = ()
    """Wanted bouquets that the receiver does not have."""
    names: tuple[str, ...] = ()
    """Names of all the receiver's bouquets, wanted or not."""
    wanted: tuple[str, ...] = ()
    """Names of the wanted bouquets; empty for all."""


def arrange(
    bouquets: Sequence[Bouquet],
    *,
    wanted: Sequence[str] = (),
    known_groups: Mapping[str, str] | None = None,
) -> Arrangement:
    """Make one channel of each service in the wanted bouquets.

    Positions count as the receiver's do: every service and numbered marker of every bouquet takes
    a number. A service that occurs again takes another number, which stays unused here.

    A group of alternatives gets the id of its first playable member, so that the channel stays when
    its owner makes a group of it. `known_groups` (path of a group -> id of a channel) keeps the id
    when the members are put in another order.
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
            # The service is listed on its own as well; the group has more sources for it.
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
    """Yield the names of all bouquets, including those inside others."""
    for bouquet in bouquets:
        yield _printable(bouquet.name)
        yield from _names([each for each in bouquet.entries if isinstance(each, Bouquet)])


def _walk(
    bouquets: Sequence[Bouquet], above: tuple[str, ...]
) -> Iterator[tuple[Bouquet, tuple[str, ...], Service | None]]:
    """Yield each bouquet once without a service, then with each of its services. The names are
    those of the bouquet and of the bouquets around it."""
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
    """Drop control characters: DVB's emphasis marks U+0086 and U+0087 are in some lists, and marks
    of direction would change the text after the name."""
    if not name.isprintable():
        name = "".join(c for c in name if c.isprintable() or c.isspace() or c in _JOINERS)
    return " ".join(name.split())

"""The receiver's lists: bouquets and their entries."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..service_reference import ServiceReference
from .answers import number, text

TELEVISION = "tv"
RADIO = "radio"


@dataclass(frozen=True, slots=True)
class ListedService:
    """An entry of one of the receiver's lists: a service, bouquet or marker.

    Every request for a service or bouquet takes one. It comes from an answer, or from the stored
    parts of one.
    """

    reference: ServiceReference
    raw_reference: str
    """The reference exactly as the receiver wrote it. Only this may be sent back: for a bouquet
    reference with an error Enigma2 lists its whole database, or aborts."""
    name: str
    picon: str = ""
    """Path of the picon at the receiver, if the list was requested with picons and has one."""


_HIDDEN_REFERENCE = "1:832:D:0:0:0:0:0:0:0:"
HIDDEN = ListedService(ServiceReference.parse(_HIDDEN_REFERENCE), _HIDDEN_REFERENCE, "")
"""A numbered marker that the receiver does not list, since it is invisible. Owners put such markers
into bouquets to shift the numbers after them."""
_MOST_HIDDEN = 1000


@dataclass(frozen=True, slots=True)
class ListedBouquet:
    """A top bouquet with its entries; bouquets among them come without their own entries."""

    bouquet: ListedService
    entries: tuple[ListedService, ...]


def read_bouquets(entries: Iterable[object]) -> Iterator[ListedService]:
    """Parse the entries of `/api/bouquets`: pairs of reference and name."""
    for entry in entries:
        match entry:
            case [str(reference), name, *_]:
                yield from _listed(reference, name, None)


def read_services(entries: Iterable[object], last: object = None) -> Iterator[ListedService]:
    """Parse the entries of `/api/getservices`. A gap in the positions becomes `HIDDEN` entries.

    `last` is the position of the last entry, listed or not, if the receiver told it.
    """
    count = _PositionCounter()
    yield from _read_services(entries, count)
    yield from count.hidden_before(last)


def read_all_services(entries: Iterable[object]) -> Iterator[ListedBouquet]:
    """Parse the bouquets of `/api/getallservices`."""
    # Here positions continue from bouquet to bouquet.
    count = _PositionCounter()
    for entry in entries:
        match entry:
            case {"servicereference": str(reference), "subservices": list(services), **rest}:
                for bouquet in _listed(reference, rest.get("servicename"), None):
                    yield ListedBouquet(bouquet, tuple(_read_services(services, count)))


class _PositionCounter:
    """Counts positions as the receiver does, to find the entries that it leaves out."""

    def __init__(self) -> None:
        self._position = 0

    def next(self, entry: ListedService, position: object) -> Iterator[ListedService]:
        """Count an entry listed at `position`, and yield the hidden entries before it."""
        reference = entry.reference
        if reference.is_numbered_marker or not reference.is_marker:
            self._position += 1
        return self.hidden_before(position)

    def hidden_before(self, position: object) -> Iterator[ListedService]:
        """Yield the hidden entries that bring the count to `position`; markers have no position."""
        if at := number(position):
            missing = at - self._position
            self._position = at
            yield from (HIDDEN,) * (missing if missing <= _MOST_HIDDEN else 0)


def _read_services(entries: Iterable[object], count: _PositionCounter) -> Iterator[ListedService]:
    for entry in entries:
        match entry:
            case {"servicereference": str(reference), **rest}:
                for listed in _listed(reference, rest.get("servicename"), rest.get("picon")):
                    yield from count.next(listed, rest.get("pos"))
                    yield listed


def _listed(reference: str, name: object, picon: object) -> Iterator[ListedService]:
    """Yield the entry, or nothing if its reference is invalid; the other entries still count."""
    try:
        # JSON can hold half a surrogate pair, which can be neither stored nor sent back.
        reference.encode()
        parsed = ServiceReference.parse(reference)
    except ValueError:
        return
    yield ListedService(parsed, reference, text(name), text(picon))

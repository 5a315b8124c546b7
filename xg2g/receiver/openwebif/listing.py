"""Lists that the receiver gives out: bouquets, and what is in them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..service_reference import ServiceReference
from .answers import number, text

TELEVISION = "tv"
RADIO = "radio"


@dataclass(frozen=True, slots=True)
class ListedService:
    """One entry of a list that the receiver gave out: a service, bouquet or marker.

    Every question about a service or bouquet wants one. Make it from an answer, or from what was
    stored of one.
    """

    reference: ServiceReference
    raw_reference: str
    """Exactly as the receiver wrote it. Only such text may be sent back: a bouquet reference with
    an error in it makes Enigma2 list its whole database, or abort."""
    name: str
    picon: str = ""
    """Path of its picon at the receiver, if the list was asked for with picons and has one."""


_HIDDEN_REFERENCE = "1:832:D:0:0:0:0:0:0:0:"
HIDDEN = ListedService(ServiceReference.parse(_HIDDEN_REFERENCE), _HIDDEN_REFERENCE, "")
"""Stands for a numbered marker that the receiver does not list, since it is invisible. Owners put
them into bouquets so that the numbers after them fit."""
_MOST_HIDDEN = 1000


@dataclass(frozen=True, slots=True)
class ListedBouquet:
    """A top bouquet with what is in it; bouquets inside it are entries without theirs."""

    bouquet: ListedService
    entries: tuple[ListedService, ...]


def read_bouquets(entries: Iterable[object]) -> Iterator[ListedService]:
    """The entries of `/api/bouquets`: pairs of reference and name."""
    for entry in entries:
        match entry:
            case [str(reference), name, *_]:
                yield from _listed(reference, name, None)


def read_services(entries: Iterable[object], last: object = None) -> Iterator[ListedService]:
    """The entries of `/api/getservices`, with `HIDDEN` where positions say that one is left out.

    `last` is the position of the last entry, listed or not, if the receiver said it.
    """
    count = _Count()
    yield from _read_services(entries, count)
    yield from count.hidden_before(last)


def read_all_services(entries: Iterable[object]) -> Iterator[ListedBouquet]:
    """The bouquets of `/api/getallservices`."""
    # Here positions go on from bouquet to bouquet.
    count = _Count()
    for entry in entries:
        match entry:
            case {"servicereference": str(reference), "subservices": list(services), **rest}:
                for bouquet in _listed(reference, rest.get("servicename"), None):
                    yield ListedBouquet(bouquet, tuple(_read_services(services, count)))


class _Count:
    """Counts positions as the receiver does, to notice what it leaves out."""

    def __init__(self) -> None:
        self._position = 0

    def next(self, entry: ListedService, position: object) -> Iterator[ListedService]:
        """Count an entry that is listed at `position`, and give what is hidden before it."""
        reference = entry.reference
        if reference.is_numbered_marker or not reference.is_marker:
            self._position += 1
        return self.hidden_before(position)

    def hidden_before(self, position: object) -> Iterator[ListedService]:
        """What must be hidden for the count to be at `position`; markers have none."""
        if at := number(position):
            missing = at - self._position
            self._position = at
            yield from (HIDDEN,) * (missing if missing <= _MOST_HIDDEN else 0)


def _read_services(entries: Iterable[object], count: _Count) -> Iterator[ListedService]:
    for entry in entries:
        match entry:
            case {"servicereference": str(reference), **rest}:
                for listed in _listed(reference, rest.get("servicename"), rest.get("picon")):
                    yield from count.next(listed, rest.get("pos"))
                    yield listed


def _listed(reference: str, name: object, picon: object) -> Iterator[ListedService]:
    """The entry, or nothing for one whose reference makes no sense: the others count."""
    try:
        # JSON can hold half a character, which could neither be stored nor sent back.
        reference.encode()
        parsed = ServiceReference.parse(reference)
    except ValueError:
        return
    yield ListedService(parsed, reference, text(name), text(picon))

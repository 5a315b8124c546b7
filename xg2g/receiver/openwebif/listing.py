"""Lists that the receiver gives out: bouquets, and what is in them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..service_reference import ServiceReference
from .values import text

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


def read_services(entries: Iterable[object]) -> Iterator[ListedService]:
    """The entries of `/api/getservices`."""
    for entry in entries:
        match entry:
            case {"servicereference": str(reference), **rest}:
                yield from _listed(reference, rest.get("servicename"), rest.get("picon"))


def read_all_services(entries: Iterable[object]) -> Iterator[ListedBouquet]:
    """The bouquets of `/api/getallservices`."""
    for entry in entries:
        match entry:
            case {"subservices": list(services)}:
                for bouquet in read_services([entry]):
                    yield ListedBouquet(bouquet, tuple(read_services(services)))


def _listed(reference: str, name: object, picon: object) -> Iterator[ListedService]:
    """The entry, or nothing for one whose reference makes no sense: the others count."""
    try:
        # JSON can hold half a character, which could neither be stored nor sent back.
        reference.encode()
        parsed = ServiceReference.parse(reference)
    except ValueError:
        return
    yield ListedService(parsed, reference, text(name), text(picon))

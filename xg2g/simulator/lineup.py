"""The bouquets of the simulated receiver, and the services in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xg2g.simulator.cards import Services, services_on_air
from xg2g.simulator.service import Service, ServiceReference

WEB = "{web}"
"""Placeholder in a reference for the receiver's own `host:port`, percent-encoded."""


@dataclass(frozen=True)
class Entry:
    """A line of a bouquet: a reference as text, and the name shown for it."""

    reference: str
    name: str


@dataclass(frozen=True)
class Bouquet:
    """A list of services, markers and further bouquets; or of alternatives for one channel."""

    file: str
    name: str
    entries: Sequence[Entry]

    @property
    def reference(self) -> str:
        """Return the bouquet's reference in the API."""
        kind = "134" if self.file.startswith("alternatives.") else "7"
        return f'1:{kind}:1:0:0:0:0:0:0:0:FROM BOUQUET "{self.file}" ORDER BY bouquet'


@dataclass(frozen=True)
class Lineup:
    """All services by reference, and the bouquets: `tv` and `radio` at the root, `inner` below."""

    services: dict[ServiceReference, Service]
    tv: Sequence[Bouquet]
    radio: Sequence[Bouquet]
    inner: Sequence[Bouquet] = field(default=())
    broadcasts: dict[str, Service] = field(default_factory=dict)
    """Services that the receiver's own web server offers as IPTV, by file name."""

    def bouquets(self) -> Iterator[Bouquet]:
        """Yield every bouquet and every group of alternatives."""
        yield from (*self.tv, *self.radio, *self.inner)

    def bouquet(self, file: str) -> Bouquet | None:
        """Return the bouquet of this file, or None."""
        return next((bouquet for bouquet in self.bouquets() if bouquet.file == file), None)


def standard_lineup(
    sources: Sequence[Path] = (), *, copies: int = 1, channels: int = 0, bouquets: int = 1
) -> Lineup:
    """Make the services (see `services_on_air`) and their bouquets; `channels` more services
    stand in `bouquets` bouquets of their own.

    Raises RecordingError, with a message for the user, for a source that cannot be served.
    """
    on_air = services_on_air(sources, copies=copies, channels=channels)
    more = Bouquet("userbouquet.more.tv", "More", [_entry(on_air.three), _entry(on_air.one)])
    either = Bouquet(
        "alternatives.card_two.tv",
        "Card Two, either way",
        [_entry(on_air.two), _entry(on_air.three)],
    )
    tv = [
        _favourites(on_air, more),
        _plain("faults", "Faults", on_air.faults),
        _elsewhere(either),
        _plain("cards", "Test cards", on_air.cards),
    ]
    if on_air.recorded:
        tv.append(_plain("sources", "Sources", on_air.recorded))
    many = on_air.many
    for i in range(bouquets if many else 0):
        part = slice(i * len(many) // bouquets, (i + 1) * len(many) // bouquets)
        tv.append(_plain(f"many{i + 1}", f"Bouquet {i + 1}", many[part]))
    radio = Bouquet("userbouquet.favourites.radio", "Favourites (Radio)", [_entry(on_air.four)])
    services = {service.reference: service for service in on_air.all()}
    broadcasts = {"two.ts": on_air.two, "three.ts": on_air.three}
    return Lineup(services, tv, [radio], [more, either], broadcasts)


def _favourites(on_air: Services, more: Bouquet) -> Bouquet:
    """Return a bouquet with markers, numbered markers, a renamed service and an inner bouquet."""
    three = on_air.three
    return Bouquet(
        "userbouquet.favourites.tv",
        "Favourites (TV)",
        [
            Entry("1:64:0:0:0:0:0:0:0:0::Test cards", "Test cards"),
            _entry(on_air.one),
            _entry(on_air.two),
            # As bouquet editors store a renamed service.
            Entry(f"{three.reference}:{three.name}", three.name),
            Entry("1:320:0:0:0:0:0:0:0:0:", ""),
            Entry("1:64:1:0:0:0:0:0:0:0::Sound only", "Sound only"),
            _entry(on_air.four),
            Entry("1:832:D:0:0:0:0:0:0:0:", ""),
            _entry(on_air.five),
            _entry(on_air.six),
            Entry(more.reference, more.name),
            _entry(on_air.one),
        ],
    )


def _elsewhere(either: Bouquet) -> Bouquet:
    """Return a bouquet with a group of alternatives and IPTV entries.

    The bouquet editor invents the fields of an IPTV reference; its path is percent-encoded.
    """
    return Bouquet(
        "userbouquet.elsewhere.tv",
        "Elsewhere",
        [
            Entry(f"{either.reference}:{either.name}", either.name),
            Entry(f"4097:0:1:66:1:1:E00000:0:0:0:http%3a//{WEB}/iptv/two.ts:Web Two", "Web Two"),
            Entry(f"1:0:1:CA:2:1:E00000:0:0:0:http%3a//{WEB}/iptv/three.ts:Web Three", "Web Three"),
        ],
    )


def _plain(file: str, name: str, services: Sequence[Service]) -> Bouquet:
    return Bouquet(f"userbouquet.{file}.tv", name, [_entry(service) for service in services])


def _entry(service: Service) -> Entry:
    return Entry(str(service.reference), service.name)

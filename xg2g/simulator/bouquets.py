"""Bouquets as the receiver keeps them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xg2g.simulator.service import Service, ServiceReference

WEB = "{web}"
"""Stands in a reference for the receiver's own `host:port`, percent-encoded."""


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
        """The reference with which the API lists the bouquet."""
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
    """What the receiver's own web server plays as IPTV, by file name."""

    def bouquets(self) -> Iterator[Bouquet]:
        """Every bouquet and group of alternatives."""
        yield from (*self.tv, *self.radio, *self.inner)

    def bouquet(self, file: str) -> Bouquet | None:
        """The bouquet of this file."""
        return next((bouquet for bouquet in self.bouquets() if bouquet.file == file), None)

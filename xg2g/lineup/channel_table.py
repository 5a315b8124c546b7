"""The tables of channels with their numbers, and of bouquets."""

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from ..receiver.service_reference import ServiceReference
from ..store import metadata
from . import Channel, Group, Lineup
from .arrangement import Arrangement, Bouquet, Candidate, Service
from .numbering import assign

Arrange = Callable[[dict[str, str]], Arrangement]
"""Makes an arrangement, given the channel id of each known group of alternatives."""


@dataclass(frozen=True, slots=True)
class Change:
    """The lineup after an arrangement was stored, and what changed."""

    lineup: Lineup
    arrangement: Arrangement
    new: int
    removed: int


def load(connection: sqlite3.Connection) -> Lineup | None:
    """Return the stored lineup, or None."""
    groups = []
    for position, reference, name, radio in connection.execute(
        "SELECT position, reference, name, radio FROM bouquet ORDER BY position"
    ).fetchall():
        ids = connection.execute(
            "SELECT channel FROM membership WHERE bouquet = ? ORDER BY position", (position,)
        )
        groups.append(Group(name, reference, bool(radio), tuple(id_ for (id_,) in ids)))
    rows = connection.execute(
        "SELECT id, number, name, sources, radio, picon, alternatives FROM channel "
        "WHERE listed ORDER BY number"
    )
    channels = tuple(
        Channel(id_, number, name, _sources(sources), bool(radio), picon, alternatives)
        for id_, number, name, sources, radio, picon, alternatives in rows
    )
    return Lineup(channels, tuple(groups)) if channels else None


def bouquet_names(connection: sqlite3.Connection) -> tuple[str, ...] | None:
    """Return the names of all the receiver's bouquets, served or not; None if never stored."""
    return _names(connection, "bouquets")


def wanted_bouquets(connection: sqlite3.Connection) -> tuple[str, ...] | None:
    """Return the wanted bouquets of the stored lineup, as the settings named them, empty for all;
    None if never stored."""
    return _names(connection, "wanted")


def _names(connection: sqlite3.Connection, name: str) -> tuple[str, ...] | None:
    stored = metadata.get(connection, name)
    return None if stored is None else tuple(json.loads(stored))


def stored_bouquet(connection: sqlite3.Connection, reference: str) -> Bouquet | None:
    """Return a stored bouquet, which replaces one that the receiver cannot list; or None."""
    found = connection.execute(
        "SELECT position, name, radio FROM bouquet WHERE reference = ?", (reference,)
    ).fetchone()
    if found is None:
        return None
    position, name, radio = found
    rows = connection.execute(
        "SELECT name, sources, alternatives, picon FROM membership JOIN channel ON id = channel "
        "WHERE bouquet = ? ORDER BY membership.position",
        (position,),
    )
    services = []
    for channel_name, written, alternatives, picon in rows:
        sources = _sources(written)
        reference_of = _group(alternatives) if alternatives else sources[0]
        members = sources if alternatives else ()
        services.append(Service(reference_of, channel_name, members, picon))
    return Bouquet(name, tuple(services), reference, bool(radio))


def apply(connection: sqlite3.Connection, arrange: Arrange) -> Change:
    """Store an arrangement as the lineup. Channels keep the numbers that they have."""
    before = load(connection) or Lineup()
    known_groups = dict(
        connection.execute("SELECT alternatives, id FROM channel WHERE alternatives != ''")
    )
    taken = dict(connection.execute("SELECT id, number FROM channel"))
    arrangement = arrange(known_groups)
    numbers = assign(taken, arrangement.candidates)
    connection.execute("UPDATE channel SET listed = 0")
    connection.executemany(
        "INSERT INTO channel VALUES (?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (id) DO UPDATE SET "
        "name = excluded.name, radio = excluded.radio, sources = excluded.sources, listed = 1, "
        "alternatives = iif(excluded.alternatives = '', alternatives, excluded.alternatives), "
        "picon = excluded.picon",
        (_row(candidate, numbers[candidate.id]) for candidate in arrangement.candidates),
    )
    _write_groups(connection, arrangement.groups)
    metadata.put(connection, "bouquets", json.dumps(arrangement.names))
    metadata.put(connection, "wanted", json.dumps(arrangement.wanted))
    lineup = load(connection) or Lineup()
    if lineup != before:
        metadata.count_change(connection, "lineup")
    listed, listed_before = ({c.id for c in each.channels} for each in (lineup, before))
    return Change(lineup, arrangement, len(listed - listed_before), len(listed_before - listed))


def _write_groups(connection: sqlite3.Connection, groups: Iterable[Group]) -> None:
    connection.execute("DELETE FROM bouquet")
    for position, group in enumerate(groups):
        connection.execute(
            "INSERT INTO bouquet VALUES (?, ?, ?, ?)",
            (position, group.reference, group.name, group.radio),
        )
        connection.executemany(
            "INSERT INTO membership VALUES (?, ?, ?)",
            ((position, place, id_) for place, id_ in enumerate(group.channel_ids)),
        )


def _row(candidate: Candidate, number: int) -> tuple[object, ...]:
    return (
        candidate.id,
        number,
        candidate.name,
        candidate.radio,
        json.dumps([_written(source) for source in candidate.sources]),
        candidate.alternatives,
        candidate.picon,
    )


def _written(source: ServiceReference) -> str:
    return source.stream_path + quote(source.path, safe="/?&=")


def _sources(written: str) -> tuple[ServiceReference, ...]:
    return tuple(ServiceReference.parse(source) for source in json.loads(written))


def _group(path: str) -> ServiceReference:
    """Return a reference to a group of alternatives, with the fields that are used again."""
    return ServiceReference((1, 134, 1, 0, 0, 0, 0, 0, 0, 0), path)

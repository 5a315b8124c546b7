"""The table of programmes."""

import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from ..store import metadata
from .programme import Programme
from .timeline import merge

_COLUMNS = "begin_s, end_s, event, title, short, long, genre"
_READ_AT_S = "guide_read_s"


def of_channel(connection: sqlite3.Connection, channel_id: str) -> list[Programme]:
    """Return all programmes of a channel, in order."""
    return _programmes(
        connection,
        f"SELECT {_COLUMNS} FROM programme WHERE channel = ? ORDER BY begin_s",
        (channel_id,),
    )


def between(
    connection: sqlite3.Connection, channel_id: str, begin_s: int, end_s: int
) -> list[Programme]:
    """Return the programmes of a channel that run between `begin_s` and `end_s`, in order."""
    return _programmes(
        connection,
        f"SELECT {_COLUMNS} FROM programme "
        "WHERE channel = ? AND begin_s < ? AND end_s > ? ORDER BY begin_s",
        (channel_id, end_s, begin_s),
    )


Place = tuple[int, str]
"""Sort key of a programme among those of all channels: its begin, then its channel."""


def search(
    connection: sqlite3.Connection,
    begin_s: int,
    end_s: int,
    *,
    limit: int,
    after: Place | None = None,
    channel_ids: Sequence[str] | None = None,
    words: Sequence[str] = (),
) -> list[tuple[str, Programme]]:
    """Return at most `limit` programmes that run between `begin_s` and `end_s`, each with its
    channel's id, sorted by `Place`.

    They belong to `channel_ids`, or to any channel in the lineup, come after the place `after`, and
    have all `words` in their title or subtitle, in any case."""
    where = ["listed", "begin_s < ?", "end_s > ?", "(begin_s, channel) > (?, ?)"]
    values: list[object] = [end_s, begin_s, *(after or (-sys.maxsize, ""))]
    if channel_ids is not None:
        where.append(f"channel IN ({', '.join('?' * len(channel_ids))})")
        values += channel_ids
    for word in words:
        where.append("title || char(10) || short LIKE ? ESCAPE '!'")
        values.append(_pattern(word))
    rows = connection.execute(
        f"SELECT channel, {_COLUMNS} FROM programme JOIN channel ON id = channel "
        f"WHERE {' AND '.join(where)} ORDER BY begin_s, channel",
        values,
    )
    sought = [word.casefold() for word in words]
    found = ((channel_id, Programme(*row)) for channel_id, *row in rows)
    fitting = (each for each in found if _has(each[1], sought))
    return list(islice(fitting, limit))


def now_and_next(
    connection: sqlite3.Connection, now_s: int, within_s: int
) -> dict[str, list[Programme]]:
    """Return the programme at `now_s` and the next one for each channel of the lineup that has
    them, if they begin within `within_s`."""
    rows = connection.execute(
        f"SELECT channel, {_COLUMNS} FROM ("
        " SELECT programme.*, row_number() OVER (PARTITION BY channel ORDER BY begin_s) AS place"
        " FROM programme JOIN channel ON id = channel"
        " WHERE listed AND end_s > ? AND begin_s < ?"
        ") WHERE place <= 2 ORDER BY channel, begin_s",
        (now_s, now_s + within_s),
    )
    found: dict[str, list[Programme]] = {}
    for channel_id, *row in rows:
        found.setdefault(channel_id, []).append(Programme(*row))
    return found


def _pattern(word: str) -> str:
    """Return a pattern for SQLite, which ignores case in ASCII only; `_has` checks the rest."""
    # A title may have ß in its place.
    parts = re.split("ss", word, flags=re.IGNORECASE)
    return f"%{'%'.join(''.join(map(_either, part)) for part in parts)}%"


def _either(character: str) -> str:
    if not character.isascii():
        # In the other case a letter may be two, such as ß.
        return "%"
    return f"!{character}" if character in "!%_" else character


def _has(programme: Programme, sought: Sequence[str]) -> bool:
    if not sought:
        return True
    text = f"{programme.title}\n{programme.short}".casefold()
    return all(word in text for word in sought)


def count(connection: sqlite3.Connection) -> int:
    """Return the number of programmes."""
    (found,) = connection.execute("SELECT count(*) FROM programme").fetchone()
    return int(found)


def put(
    connection: sqlite3.Connection, received: Mapping[str, Sequence[Programme]]
) -> Counter[str]:
    """Merge received programmes, by channel, into the guide. Returns how many changed."""
    changed: Counter[str] = Counter()
    for channel_id, programmes in received.items():
        changes = merge(of_channel(connection, channel_id), programmes)
        connection.executemany(
            "DELETE FROM programme WHERE channel = ? AND begin_s = ?",
            ((channel_id, begin_s) for begin_s in changes.delete),
        )
        connection.executemany(
            "INSERT OR REPLACE INTO programme VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (_row(channel_id, programme) for programme in changes.put),
        )
        changed[channel_id] = len(changes.delete) + len(changes.put)
    if changed.total():
        metadata.count_change(connection, "guide")
    return changed


def mark_read(connection: sqlite3.Connection, at_s: int) -> None:
    """Store when the receiver's guide was last read to its end, in seconds since 1970."""
    metadata.put(connection, _READ_AT_S, str(at_s))


def was_read(connection: sqlite3.Connection) -> bool:
    """Return whether the receiver's guide was ever read to its end."""
    return metadata.get(connection, _READ_AT_S) is not None


def clear(connection: sqlite3.Connection) -> None:
    """Delete the guide, and the note that it was ever read."""
    if connection.execute("DELETE FROM programme").rowcount:
        metadata.count_change(connection, "guide")
    connection.execute("DELETE FROM reading")
    metadata.delete(connection, _READ_AT_S)


def delete_outside(connection: sqlite3.Connection, begin_s: int, end_s: int) -> int:
    """Delete programmes that end before `begin_s` or begin after `end_s`. Returns their number."""
    forgotten = connection.execute(
        "DELETE FROM programme WHERE end_s < ? OR begin_s > ?", (begin_s, end_s)
    ).rowcount
    if forgotten:
        metadata.count_change(connection, "guide")
    return forgotten


def _programmes(
    connection: sqlite3.Connection, query: str, parameters: Iterable[object]
) -> list[Programme]:
    return [Programme(*row) for row in connection.execute(query, tuple(parameters))]


def _row(channel_id: str, programme: Programme) -> tuple[object, ...]:
    return (
        channel_id,
        programme.begin_s,
        programme.end_s,
        programme.event,
        programme.title,
        programme.short,
        programme.long,
        programme.genre,
    )

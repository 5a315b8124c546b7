"""The guide in the file."""

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ..guide.programme import Programme
from ..guide.timeline import merge
from .facts import GUIDE_READ_S, bump

_COLUMNS = "begin_s, end_s, event, title, short, long, genre"


def of_channel(connection: sqlite3.Connection, channel_id: str) -> list[Programme]:
    """Every programme of a channel, in order."""
    return _programmes(
        connection,
        f"SELECT {_COLUMNS} FROM programme WHERE channel = ? ORDER BY begin_s",
        (channel_id,),
    )


def between(
    connection: sqlite3.Connection, channel_id: str, begin_s: int, end_s: int
) -> list[Programme]:
    """Programmes of a channel that run at some time from `begin_s` to `end_s`, in order."""
    return _programmes(
        connection,
        f"SELECT {_COLUMNS} FROM programme "
        "WHERE channel = ? AND begin_s < ? AND end_s > ? ORDER BY begin_s",
        (channel_id, end_s, begin_s),
    )


Place = tuple[int, str]
"""Of a programme among those of all channels: its begin, then its channel."""


def listed_between(
    connection: sqlite3.Connection,
    begin_s: int,
    end_s: int,
    *,
    limit: int,
    after: Place | None = None,
    channel_id: str | None = None,
) -> list[tuple[str, Programme]]:
    """At most `limit` programmes of one channel, or of all in the lineup, that run at some time
    from `begin_s` to `end_s`, in the order of their places; only those behind the place `after`,
    if it is given. Each comes with its channel."""
    rows = connection.execute(
        f"SELECT channel, {_COLUMNS} FROM programme JOIN channel ON id = channel "
        "WHERE listed AND begin_s < ? AND end_s > ? AND (begin_s, channel) > (?, ?) "
        "AND channel = coalesce(?, channel) ORDER BY begin_s, channel LIMIT ?",
        (end_s, begin_s, *(after or (-sys.maxsize, "")), channel_id, limit),
    )
    return [(channel_id, Programme(*row)) for channel_id, *row in rows]


def count(connection: sqlite3.Connection) -> int:
    """How many programmes there are."""
    (found,) = connection.execute("SELECT count(*) FROM programme").fetchone()
    return int(found)


def put(
    connection: sqlite3.Connection, received: Mapping[str, Sequence[Programme]]
) -> Counter[str]:
    """Merge what was received, by channel, into the guide; return how many programmes changed."""
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
        bump(connection, "guide")
    return changed


def clear(connection: sqlite3.Connection) -> None:
    """Forget all, and that it was ever read."""
    if connection.execute("DELETE FROM programme").rowcount:
        bump(connection, "guide")
    connection.execute("DELETE FROM reading")
    connection.execute("DELETE FROM fact WHERE name = ?", (GUIDE_READ_S,))


def keep(connection: sqlite3.Connection, begin_s: int, end_s: int) -> int:
    """Forget what ended before, or begins after; return how many programmes that were."""
    forgotten = connection.execute(
        "DELETE FROM programme WHERE end_s < ? OR begin_s > ?", (begin_s, end_s)
    ).rowcount
    if forgotten:
        bump(connection, "guide")
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

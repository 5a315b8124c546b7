"""Small named values (table `fact`): identities, and counters of content changes."""

import sqlite3
from collections.abc import Callable


def get(connection: sqlite3.Connection, name: str) -> str | None:
    """Return the value of this name, or None."""
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def get_or_make(connection: sqlite3.Connection, name: str, make: Callable[[], str]) -> str:
    """Return the value of this name; if there is none, store what `make` returns."""
    connection.execute("INSERT OR IGNORE INTO fact VALUES (?, ?)", (name, make()))
    return str(get(connection, name))


def put(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Store a value in place of the previous one of this name."""
    connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


def delete(connection: sqlite3.Connection, name: str) -> None:
    """Delete the value of this name, if there is one."""
    connection.execute("DELETE FROM fact WHERE name = ?", (name,))


def count_change(connection: sqlite3.Connection, content: str) -> None:
    """Count a change of `content`, which is "lineup" or "guide"."""
    connection.execute(
        "UPDATE fact SET value = CAST(value AS INTEGER) + 1 WHERE name = ?", (content,)
    )


def generation(connection: sqlite3.Connection) -> str:
    """Return a word that changes whenever the lineup, the guide or the whole file changes."""
    rows = connection.execute(
        "SELECT value FROM fact WHERE name IN ('file', 'lineup', 'guide') ORDER BY name"
    )
    return "-".join(value for (value,) in rows)

"""The tables, and the migrations of older files."""

import contextlib
import secrets
import sqlite3
from pathlib import Path

MIGRATIONS: tuple[str, ...] = (
    """
    -- Small named values: id of this file, counters of its changes, the device's identity.
    CREATE TABLE fact (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;

    -- Every channel that was ever seen. Rows are never deleted, since they hold the numbers.
    CREATE TABLE channel (
        id TEXT PRIMARY KEY,
        number INTEGER NOT NULL UNIQUE CHECK (number > 0),
        name TEXT NOT NULL,
        radio INTEGER NOT NULL,
        -- Its sources, the best first: a JSON array of service references.
        sources TEXT NOT NULL,
        -- The group of alternatives that it was first seen as, or ''.
        alternatives TEXT NOT NULL,
        listed INTEGER NOT NULL,
        picon TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE bouquet (
        position INTEGER PRIMARY KEY,
        -- Exactly as the receiver wrote it.
        reference TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        radio INTEGER NOT NULL
    );

    CREATE TABLE membership (
        bouquet INTEGER NOT NULL REFERENCES bouquet (position) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        channel TEXT NOT NULL REFERENCES channel (id),
        PRIMARY KEY (bouquet, position)
    ) WITHOUT ROWID;

    -- Programmes of one channel never overlap.
    CREATE TABLE programme (
        channel TEXT NOT NULL REFERENCES channel (id),
        begin_s INTEGER NOT NULL,
        end_s INTEGER NOT NULL CHECK (end_s > begin_s),
        event INTEGER NOT NULL,
        title TEXT NOT NULL,
        short TEXT NOT NULL,
        long TEXT NOT NULL,
        genre INTEGER,
        PRIMARY KEY (channel, begin_s)
    ) WITHOUT ROWID;
    CREATE INDEX programme_end ON programme (end_s);

    CREATE TABLE picon (
        channel TEXT PRIMARY KEY REFERENCES channel (id),
        asked_s INTEGER NOT NULL,
        -- NULL: the receiver has none.
        image BLOB
    );
    """,
    """
    -- When the guide of a channel was last read whole, and the end of what was read.
    CREATE TABLE reading (
        channel TEXT PRIMARY KEY REFERENCES channel (id),
        at_s INTEGER NOT NULL,
        until_s INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""Each migrates a file from the version that is its index to the next version."""

VERSION = len(MIGRATIONS)


class NewerVersionError(Exception):
    """The file was written by a later xg2g."""


def migrate(connection: sqlite3.Connection) -> None:
    """Migrate the file to the present version. Each step is done completely or not at all."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerVersionError
    for step in range(version, VERSION):
        script = f"BEGIN IMMEDIATE; {MIGRATIONS[step]}; PRAGMA user_version = {step + 1}; COMMIT;"
        connection.executescript(script)
    connection.execute(
        "INSERT OR IGNORE INTO fact VALUES ('file', ?), ('lineup', '0'), ('guide', '0')",
        (secrets.token_hex(8),),
    )


def salvage(damaged: Path, connection: sqlite3.Connection) -> int:
    """Copy the readable rows of a damaged file, except the guide and the picons, which the receiver
    has. Returns the number of channels that were saved."""
    for table in ("fact", "channel", "bouquet", "membership"):
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(
                sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)
            ) as old,
        ):
            rows = iter(old.execute(f"SELECT * FROM {table}"))
            while True:
                row = next(rows, None)
                if row is None:
                    break
                places = ", ".join("?" * len(row))
                with contextlib.suppress(sqlite3.IntegrityError):
                    connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)
    (channels,) = connection.execute("SELECT count(*) FROM channel").fetchone()
    return int(channels)

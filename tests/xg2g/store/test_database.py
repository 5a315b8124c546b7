"""What is kept, through crashes and damage."""

import asyncio
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from xg2g.guide.refresh_plan import load_readings
from xg2g.store.database import DAMAGED, FILE, Database, StoreError, UnwritableError
from xg2g.store.location import open_database
from xg2g.store.metadata import generation, get_or_make
from xg2g.store.schema import MIGRATIONS, VERSION

pytestmark = pytest.mark.anyio

KILLS = 12

# Writes channels one transaction after the other and says so after each.
WRITER = """
import asyncio, sys
from pathlib import Path
from xg2g.store.database import Database

async def main() -> None:
    async with Database.open(Path(sys.argv[1])) as database:
        (last,) = await database.read(
            lambda c: c.execute("SELECT coalesce(max(number), 0) FROM channel").fetchone()
        )
        for number in range(last + 1, last + 100_000):
            def work(connection, number=number):
                connection.execute(
                    "INSERT INTO channel VALUES (?, ?, 'x', 0, '[]', '', 1, '')",
                    (f"{number}", number),
                )
                connection.executemany(
                    "INSERT INTO programme VALUES (?, ?, ?, 1, 't', 's', 'l', NULL)",
                    ((f"{number}", n, n + 1) for n in range(50)),
                )
            await database.write(work)
            print(number, flush=True)

asyncio.run(main())
"""


async def channels(database: Database) -> list[tuple[str, int]]:
    return await database.read(
        lambda c: c.execute("SELECT id, number FROM channel ORDER BY number").fetchall()
    )


async def add_channel(database: Database, id_: str, number: int) -> None:
    await database.write(
        lambda c: c.execute(
            "INSERT INTO channel VALUES (?, ?, 'x', 0, '[]', '', 1, '')", (id_, number)
        )
    )


async def test_a_kill_at_any_moment_loses_no_finished_write(tmp_path: Path) -> None:
    reported = 0
    for _ in range(KILLS):
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(tmp_path), stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        said = await writer.stdout.readline()
        await asyncio.sleep(random.uniform(0, 0.15))
        writer.kill()
        said += await writer.stdout.read()
        await writer.wait()
        *lines, _ = said.split(b"\n")
        reported = int(lines[-1])

        async with Database.open(tmp_path) as database:
            kept = await channels(database)
            (programmes,) = await database.read(
                lambda c: c.execute("SELECT count(*) FROM programme").fetchone()
            )
        assert not (tmp_path / DAMAGED).exists()
        # Perhaps one more than was reported, never half of one.
        assert [number for _, number in kept] == list(range(1, len(kept) + 1))
        assert reported <= len(kept) <= reported + 1
        assert programmes == 50 * len(kept)


async def test_a_transaction_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO channel VALUES ('a', 1, 'x', 0, '[]', '', 1, '')")
        raise ValueError("in the middle")

    async with Database.open(tmp_path) as database:
        with pytest.raises(ValueError, match="in the middle"):
            await database.write(work)
        assert await channels(database) == []
        with pytest.raises(StoreError, match="data directory"):
            await database.write(lambda c: c.execute("INSERT INTO nowhere VALUES (1)"))
        await add_channel(database, "a", 1)
        assert await channels(database) == [("a", 1)]


async def test_two_channels_never_share_a_number(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        await add_channel(database, "a", 1)
        with pytest.raises(StoreError, match="number"):
            await add_channel(database, "b", 1)


async def test_a_snapshot_is_one_state_while_others_write(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        await add_channel(database, "a", 1)
        async with database.snapshot() as snapshot:
            cursor = await snapshot.read(lambda c: c.execute("SELECT id FROM channel"))
            await add_channel(database, "b", 2)
            assert await snapshot.read(lambda _: cursor.fetchall()) == [("a",)]
        assert len(await channels(database)) == 2


async def test_a_snapshot_ends_while_a_reader_was_cancelled_inside(tmp_path: Path) -> None:
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) "
    async with Database.open(tmp_path) as database:
        async with database.snapshot() as snapshot:
            reading = asyncio.create_task(
                snapshot.read(lambda c: c.execute(f"{count} SELECT sum(i) FROM n").fetchone())
            )
            await asyncio.sleep(0.01)
            reading.cancel()
        await add_channel(database, "a", 1)


async def test_a_second_daemon_is_told_to_take_another_directory(tmp_path: Path) -> None:
    async with Database.open(tmp_path):
        with pytest.raises(StoreError, match="another xg2g"):
            Database.open(tmp_path)
    await Database.open(tmp_path).aclose()


@pytest.mark.parametrize("damage", ["zeros", "page", "foreign", "cut off", "other tables"])
async def test_a_damaged_file_is_moved_aside_and_channels_are_saved_where_they_can_be_read(
    tmp_path: Path, damage: str
) -> None:
    file = tmp_path / FILE
    async with Database.open(tmp_path) as database:
        await add_channel(database, "a", 17)
        await database.write(lambda c: get_or_make(c, "device", lambda: "10439EFD"))
        await database.write(
            lambda c: c.executemany(
                "INSERT INTO programme VALUES ('a', ?, ?, 1, 't', 's', ?, NULL)",
                ((n, n + 1, "long" * 50) for n in range(5000)),
            )
        )
    content = file.read_bytes()
    match damage:
        case "zeros":
            file.write_bytes(bytes(len(content)))
        case "page":
            file.write_bytes(content[:-9000] + b"x" * 9000)
        case "foreign":
            file.write_bytes(b"not a database at all\n" * 1000)
        case "cut off":
            file.write_bytes(content[: len(content) // 2])
        case "other tables":
            file.unlink()
            with sqlite3.connect(file) as other:
                other.execute("CREATE TABLE fact (something)")
            other.close()
    async with Database.open(tmp_path) as database:
        kept = await channels(database)
        device = await database.write(lambda c: get_or_make(c, "device", lambda: "new"))
        await add_channel(database, "b", 1)
    assert (tmp_path / DAMAGED).exists()
    readable = damage == "page"
    assert kept == ([("a", 17)] if readable else [])
    assert device == ("10439EFD" if readable else "new")
    async with Database.open(tmp_path) as database:
        assert ("b", 1) in await channels(database)


async def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    await Database.open(tmp_path).aclose()
    with sqlite3.connect(tmp_path / FILE) as later:
        later.execute(f"PRAGMA user_version = {VERSION + 1}")
    later.close()
    with pytest.raises(StoreError, match="later version"):
        Database.open(tmp_path)
    assert not (tmp_path / DAMAGED).exists()


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """A place where nothing can be written, even by root: a file is in the way."""
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    yield in_the_way / "data"


async def test_without_a_writable_directory_one_line_says_so_and_xg2g_works(
    unwritable: Path,
) -> None:
    with pytest.raises(UnwritableError, match=r"choose another data\.dir$") as raised:
        Database.open(unwritable)
    assert "\n" not in str(raised.value)
    async with open_database(unwritable) as database:
        await add_channel(database, "a", 1)
        assert await channels(database) == [("a", 1)]


@pytest.mark.parametrize("trouble", ["no lock file", "locked"])
async def test_a_read_only_file_is_read_so_that_numbers_stay(
    tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(tmp_path) as database:
        await add_channel(database, "a", 17)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as other:
        if trouble == "locked":
            monkeypatch.setattr("xg2g.store.database._BUSY_S", 0.1)
            other.execute("BEGIN IMMEDIATE")
        else:
            (tmp_path / "lock").unlink()
            (tmp_path / "lock").mkdir()
        async with open_database(tmp_path) as database:
            assert await channels(database) == [("a", 17)]
            await add_channel(database, "b", 18)
    assert (tmp_path / FILE).exists()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as kept:
        assert kept.execute("SELECT id FROM channel").fetchall() == [("a",)]


async def test_a_file_of_every_earlier_version_becomes_one_of_today(tmp_path: Path) -> None:
    for version in range(1, VERSION):
        place = tmp_path / str(version)
        place.mkdir()
        with contextlib.closing(sqlite3.connect(place / FILE)) as earlier:
            for script in MIGRATIONS[:version]:
                earlier.executescript(script)
            earlier.execute(f"PRAGMA user_version = {version}")
            earlier.execute("INSERT INTO channel VALUES ('a', 17, 'A', 0, '[]', '', 1, '')")
            earlier.commit()
        async with Database.open(place) as database:
            assert await channels(database) == [("a", 17)]
            assert await database.read(load_readings) == {}
        assert not (place / DAMAGED).exists()


async def test_the_directory_is_systemds_or_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    async with open_database(None):
        assert (tmp_path / "home" / "xg2g" / FILE).exists()
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "windows"))
    async with open_database(None):
        assert (tmp_path / "windows" / "xg2g" / FILE).exists()
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path / 'state'}{os.pathsep}/nowhere")
    async with open_database(None):
        assert (tmp_path / "state" / FILE).exists()


async def test_two_files_never_have_the_same_generation(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "a") as one, Database.open(tmp_path / "b") as two:
        assert await one.read(generation) != await two.read(generation)
        assert await one.read(generation) == await one.read(generation)

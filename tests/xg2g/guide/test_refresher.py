"""Times and outcomes of refreshes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from xg2g.guide.refresher import RETRY_DELAYS_S, Refresher
from xg2g.lineup.arrangement import Bouquet
from xg2g.lineup.keeper import CONFIRMED_AFTER_S, LineupKeeper
from xg2g.receiver.errors import UnreachableError
from xg2g.store.database import Database

pytestmark = pytest.mark.anyio

INTERVAL_S = 3600


class Scene:
    """A receiver, and a clock that advances only in `sleep`."""

    def __init__(self, database: Database, *, sleeps: int) -> None:
        self.now_s = 1000.0
        self.asked: list[tuple[str, float]] = []
        self.broken: set[str] = set()
        self.sleeps = sleeps
        self.asleep = asyncio.Event()
        self.keeper = LineupKeeper(self._read, database, clock_s=lambda: self.now_s)
        self.refresher = self.make()

    def make(self) -> Refresher:
        return Refresher(
            self.keeper,
            self._guide,
            interval_s=INTERVAL_S,
            sleep=self._sleep,
            clock_s=lambda: self.now_s,
            jitter=lambda: 1.0,
        )

    async def run(self) -> list[tuple[str, float]]:
        """Run for a number of sleeps; return the requests with their times since the start."""
        task = asyncio.create_task(self.refresher.run())
        await asyncio.wait_for(self.asleep.wait(), 5)
        task.cancel()
        await asyncio.wait({task})
        return self.asked

    async def _sleep(self, delay_s: float) -> None:
        if not self.sleeps:
            self.asleep.set()
            await asyncio.Event().wait()
        self.sleeps -= 1
        self.now_s += delay_s

    async def _read(self) -> list[Bouquet]:
        self._ask("lineup")
        return []

    async def _guide(self) -> None:
        self._ask("guide")

    def _ask(self, what: str) -> None:
        self.asked.append((what, self.now_s - 1000))
        if what in self.broken:
            raise UnreachableError("off")


@asynccontextmanager
async def scene(tmp_path: Path, *, sleeps: int) -> AsyncIterator[Scene]:
    async with Database.open(tmp_path) as database:
        yield Scene(database, sleeps=sleeps)


async def test_lineup_and_then_guide_are_read_at_the_start_and_after_each_interval(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, sleeps=2) as running:
        asked = await running.run()
    assert asked == [(what, n * INTERVAL_S) for n in range(3) for what in ("lineup", "guide")]


async def test_a_failed_refresh_is_retried_at_growing_intervals(tmp_path: Path) -> None:
    tries = len(RETRY_DELAYS_S) + 2
    async with scene(tmp_path, sleeps=tries) as running:
        running.broken = {"lineup"}
        asked = await running.run()
    moments = [moment for _, moment in asked]
    waits = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
    assert {what for what, _ in asked} == {"lineup"}
    assert waits == [*RETRY_DELAYS_S, RETRY_DELAYS_S[-1], RETRY_DELAYS_S[-1]]


async def test_a_failed_guide_is_retried_without_the_lineup(tmp_path: Path) -> None:
    async with scene(tmp_path, sleeps=2) as running:
        running.broken = {"guide"}
        asked = await running.run()
    assert asked == [("lineup", 0), ("guide", 0), ("guide", 1), ("guide", 3)]


async def test_a_lineup_that_was_read_before_the_start_is_not_read_again(tmp_path: Path) -> None:
    async with scene(tmp_path, sleeps=1) as running:
        await running.keeper.load()
        running.refresher = running.make()
        asked = await running.run()
    assert asked == [
        ("lineup", 0),
        ("guide", 0),
        ("lineup", INTERVAL_S),
        ("guide", INTERVAL_S),
    ]


async def test_a_doubtful_lineup_is_read_again_soon(tmp_path: Path) -> None:
    async with scene(tmp_path, sleeps=1) as running:
        load = running.keeper.load

        async def doubt() -> object:
            await load()
            running.keeper.is_doubtful = True
            return running.keeper.lineup

        running.keeper.load = doubt  # type: ignore[method-assign,assignment]
        running.refresher = running.make()
        asked = await running.run()
    assert ("lineup", CONFIRMED_AFTER_S) in asked


async def test_a_requested_refresh_returns_what_is_read_afterwards(tmp_path: Path) -> None:
    async with scene(tmp_path, sleeps=0) as running:
        task = asyncio.create_task(running.refresher.run())
        await running.asleep.wait()
        running.now_s += 5
        await asyncio.wait_for(running.refresher.refresh_now(), 5)
        assert running.asked[2:] == [("lineup", 5), ("guide", 5)]
        running.broken = {"guide"}
        with pytest.raises(UnreachableError):
            await asyncio.wait_for(running.refresher.refresh_now(), 5)
        task.cancel()
        await asyncio.wait({task})


async def test_a_defect_in_a_refresh_does_not_end_the_refresher(tmp_path: Path) -> None:
    async with scene(tmp_path, sleeps=1) as running:

        async def fault() -> None:
            running.asked.append(("guide", running.now_s - 1000))
            raise ZeroDivisionError

        running.refresher = Refresher(
            running.keeper,
            fault,
            interval_s=INTERVAL_S,
            sleep=running._sleep,
            clock_s=lambda: running.now_s,
            jitter=lambda: 1.0,
        )
        asked = await running.run()
    assert asked == [("lineup", 0), ("guide", 0), ("guide", 1)]


async def test_repeated_refresh_requests_are_told_when_to_ask_again(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, sleeps=1) as it:
        assert it.refresher.ask() is not None, "the first reading is due anyway"
        await it.run()
        it.now_s += 1
        assert it.refresher.ask() is None
        it.now_s += 10
        assert it.refresher.ask() == 20


async def test_the_outcome_of_each_refresh_is_reported(tmp_path: Path) -> None:
    async with scene(tmp_path, sleeps=2) as it:
        it.broken.add("guide")
        await it.run()
        lineup, guide = it.refresher.progress()
    assert (lineup.name, lineup.succeeded, lineup.failed, lineup.trouble) == ("lineup", 1, 0, None)
    assert lineup.succeeded_at is not None
    assert (guide.name, guide.succeeded, guide.failed, guide.trouble) == ("guide", 0, 3, "off")
    assert (guide.succeeded_at, guide.duration_s, guide.running) == (None, 0, False)

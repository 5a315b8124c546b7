"""The guide from the receiver into the store."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xg2g.guide import programme_table
from xg2g.guide.keeper import GuideKeeper
from xg2g.guide.programme import Programme
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.lineup.keeper import LineupKeeper
from xg2g.receiver.errors import UnexpectedAnswerError, UnreachableError
from xg2g.receiver.openwebif import Event, ListedService
from xg2g.receiver.service_reference import ServiceReference
from xg2g.store.database import Database
from xg2g.store.metadata import generation

pytestmark = pytest.mark.anyio

NOW_S = 1_795_000_000
HOUR = timedelta(hours=1)


def reference(sid: int) -> ServiceReference:
    return ServiceReference.parse(f"1:0:19:{sid:X}:3FB:1:C00000:0:0:0:")


def bouquet(name: str, *services: Service) -> Bouquet:
    return Bouquet(
        name, services, f'1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "userbouquet.{name}.tv" ORDER BY bouquet'
    )


def service(sid: int) -> Service:
    return Service(reference(sid), f"Channel {sid}")


GROUP = ServiceReference.parse(
    '1:134:1:0:0:0:0:0:0:0:FROM BOUQUET "alternatives.a.tv" ORDER BY bouquet'
)


def event(of: ServiceReference, hour: int, title: str = "Title") -> Event:
    begin = datetime.fromtimestamp(NOW_S, UTC) + hour * HOUR
    return Event(of, hour & 0xFFFF, begin, HOUR, title, "", "", None)


class Guide:
    """A receiver's guide, by the bouquet's name and by service."""

    def __init__(self) -> None:
        self.of_bouquet: dict[str, Sequence[Event] | Exception] = {}
        self.of_service: dict[int, Sequence[Event]] = {}
        self.asked: list[str] = []
        self.days: list[int] = []
        self.window: tuple[datetime, int] | None = None

    async def events(
        self, bouquet: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        self.asked.append(bouquet.name)
        self.window = begin, minutes
        self.days.append(minutes // 1440)
        assert bouquet.raw_reference.startswith("1:7:1:")
        answer = self.of_bouquet.get(bouquet.name, ())
        if isinstance(answer, Exception):
            raise answer
        until = begin + timedelta(minutes=minutes)
        for it in answer:
            # What is over some receivers send as well.
            if it.begin <= until:
                yield it

    async def service_events(
        self, service: ListedService, *, begin: datetime, minutes: int
    ) -> AsyncIterator[Event]:
        self.asked.append(service.raw_reference)
        for it in self.of_service.get(service.reference.sid, ()):
            yield it


class Scene:
    def __init__(self, database: Database, *bouquets: Bouquet) -> None:
        self.now_s = float(NOW_S)
        self.database = database
        self.receiver = Guide()
        self.bouquets = bouquets
        self.lineup_keeper = LineupKeeper(self._read, database, clock_s=lambda: self.now_s)
        self.want(days=7)

    def want(self, *, days: int) -> None:
        self.keeper = GuideKeeper(
            self.receiver,
            self.lineup_keeper,
            self.database,
            days=days,
            past_hours=2,
            clock_s=lambda: self.now_s,
        )

    async def _read(self) -> Sequence[Bouquet]:
        return self.bouquets

    async def refresh(self) -> None:
        await self.lineup_keeper.load()
        await self.keeper.refresh()

    async def line(self, sid: int) -> list[Programme]:
        channel_id = reference(sid).channel_id
        return await self.database.read(lambda c: programme_table.of_channel(c, channel_id))

    async def hours(self, sid: int) -> list[int]:
        return [(it.begin_s - NOW_S) // 3600 for it in await self.line(sid)]


async def test_a_bouquets_guide_takes_one_request_for_the_days_in_the_settings(
    tmp_path: Path,
) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1), service(2)))
        scene.receiver.of_bouquet["a"] = [
            event(reference(1), 0),
            event(reference(1), 1),
            event(reference(2), 0),
            # Not a channel of the lineup.
            event(reference(99), 0),
        ]
        await scene.refresh()
        assert await scene.hours(1) == [0, 1]
        assert await scene.hours(2) == [0]
    assert scene.receiver.asked == ["a"]
    assert scene.receiver.window == (datetime.fromtimestamp(NOW_S, UTC), 7 * 24 * 60)


async def test_events_of_odd_or_unknown_length_are_shown(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1)))
        scene.receiver.of_bouquet["a"] = [
            # Runs, and began longer ago than what is over is kept.
            replace(event(reference(1), -3, "Night"), duration=timedelta(0)),
            replace(event(reference(1), 1, "News"), duration=timedelta(seconds=1800.5)),
            replace(event(reference(1), 2, "Film"), duration=timedelta(0)),
            event(reference(1), 4, "Talk"),
        ]
        await scene.refresh()
        line = await scene.line(1)
    shown = [(it.title, it.begin_s - NOW_S, it.end_s - NOW_S) for it in line]
    assert shown == [
        ("Night", -10800, 3600),
        ("News", 3600, 5400),
        ("Film", 7200, 14400),
        ("Talk", 14400, 18000),
    ]


async def test_a_bouquet_whose_channels_were_all_read_is_skipped(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(
            database,
            bouquet("a", service(1), service(2)),
            bouquet("b", service(2), service(1)),
            bouquet("c", service(2), service(3)),
        )
        await scene.refresh()
    assert scene.receiver.asked == ["a", "c"]


async def test_channels_are_read_one_by_one_if_the_receiver_has_no_guide_for_the_bouquet(
    tmp_path: Path,
) -> None:
    web = Service(ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//x/1:Web"), "Web")
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1), web, service(2)))
        scene.receiver.of_bouquet["a"] = UnexpectedAnswerError("no guide for the bouquet")
        scene.receiver.of_service = {1: [event(reference(1), 0)], 2: [event(reference(2), 3)]}
        await scene.refresh()
        assert (await scene.hours(1), await scene.hours(2)) == ([0], [3])
    assert scene.receiver.asked == ["a", reference(1).stream_path, reference(2).stream_path]


@pytest.mark.parametrize("written_as", [reference(1), GROUP])
async def test_a_group_of_alternatives_has_the_guide_of_its_first_member(
    tmp_path: Path, written_as: ServiceReference
) -> None:
    group = Service(GROUP, "Das Erste", (reference(1), reference(2)))
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", group))
        scene.receiver.of_bouquet["a"] = [event(written_as, 0)]
        await scene.refresh()
        assert await scene.hours(1) == [0]
        scene.receiver.of_bouquet["a"] = []
        scene.receiver.of_service = {1: [event(reference(1), 5)]}
        await scene.refresh()
        assert await scene.hours(1) == [0, 5]


async def test_a_web_stream_with_the_fields_of_a_service_has_its_guide(tmp_path: Path) -> None:
    web = ServiceReference.parse(f"4097{reference(1).stream_path[1:]}http%3a//x/1.ts:Web")
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", Service(web, "Web"), service(2)))
        scene.receiver.of_bouquet["a"] = [event(reference(1), 0), event(reference(2), 1)]
        await scene.refresh()
        lineup = scene.lineup_keeper.lineup
        assert lineup is not None
        channel_id = lineup.channels[0].id
        line = await database.read(lambda c: programme_table.of_channel(c, channel_id))
    assert [it.begin_s for it in line] == [NOW_S]


async def test_what_was_read_before_a_failure_is_kept(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", *(service(n) for n in range(1, 4))), bouquet("b"))
        scene.want(days=100)
        scene.bouquets = (
            bouquet("a", service(1), service(2)),
            bouquet("b", service(3)),
        )
        scene.receiver.of_bouquet["a"] = [
            event(reference(sid), hour) for sid in (1, 2) for hour in range(2001)
        ]
        scene.receiver.of_bouquet["b"] = UnreachableError("gone")
        with pytest.raises(UnreachableError):
            await scene.refresh()
        assert len(await scene.hours(1)) == 2001


async def test_programmes_are_deleted_by_time_and_not_by_an_empty_guide(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1)))
        scene.receiver.of_bouquet["a"] = [event(reference(1), hour) for hour in range(6)]
        await scene.refresh()
        known = scene.receiver.of_bouquet["a"]
        scene.receiver.of_bouquet["a"] = []
        await scene.refresh()
        assert await scene.hours(1) == [0, 1, 2, 3, 4, 5]
        scene.now_s += 4.5 * 3600
        await scene.refresh()
        assert await scene.hours(1) == [2, 3, 4, 5]
        first = await database.read(generation)
        scene.receiver.of_bouquet["a"] = known
        await scene.refresh()
        assert await scene.hours(1) == [2, 3, 4, 5]
        assert await database.read(generation) == first, "what is over comes not back"


async def test_the_same_guide_again_is_no_new_generation(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1)))
        scene.receiver.of_bouquet["a"] = [event(reference(1), hour) for hour in range(6)]
        await scene.refresh()
        first = await database.read(generation)
        await scene.refresh()
        assert await database.read(generation) == first
        scene.receiver.of_bouquet["a"] = [event(reference(1), 0, "Another title")]
        await scene.refresh()
        assert await database.read(generation) != first
        assert [it.title for it in await scene.line(1)][:2] == ["Another title", "Title"]


async def test_far_days_are_read_once_a_day_and_near_ones_always(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1), service(2)))
        scene.receiver.of_bouquet["a"] = [
            event(reference(sid), hour) for sid in (1, 2) for hour in range(100)
        ]
        for _ in range(9):
            await scene.refresh()
            scene.now_s += 6 * 3600
    # The first brings everything, the second shows that it was everything.
    assert scene.receiver.days == [7, 7, 2, 2, 2, 7, 2, 2, 2]


async def test_what_has_changed_on_a_far_day_is_there_a_day_later(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1)))
        titles = ["Title"] * 100
        scene.receiver.of_bouquet["a"] = [event(reference(1), h, t) for h, t in enumerate(titles)]
        await scene.refresh()
        await scene.refresh()
        titles[90] = "Another"
        scene.receiver.of_bouquet["a"] = [event(reference(1), h, t) for h, t in enumerate(titles)]
        scene.now_s += 24 * 3600
        await scene.refresh()
        assert scene.receiver.days == [7, 7, 7]
        assert "Another" in [programme.title for programme in await scene.line(1)]


async def test_a_channel_that_is_new_or_unsettled_is_read_whole(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1)), bouquet("b", service(2)))
        of = scene.receiver.of_bouquet
        of["a"] = [event(reference(1), hour) for hour in range(100)]
        for _ in range(3):
            await scene.refresh()
        scene.receiver.days.clear()
        scene.bouquets = (bouquet("a", service(1)), bouquet("b", service(2), service(3)))
        await scene.refresh()
        assert scene.receiver.days == [2, 7]
        # The receiver comes to know the guide of the second bouquet only now.
        of["b"] = [event(reference(2), hour) for hour in range(48)]
        await scene.refresh()
        of["b"] = [event(reference(2), hour) for hour in range(100)]
        await scene.refresh()
        await scene.refresh()
        await scene.refresh()
    assert scene.receiver.days[2:] == [2, 2, 2, 7, 2, 7, 2, 2]


async def test_more_days_are_read_at_once_and_fewer_are_kept_when_that_is_set(
    tmp_path: Path,
) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1)))
        scene.receiver.of_bouquet["a"] = [event(reference(1), hour) for hour in range(160)]
        for _ in range(3):
            await scene.refresh()
        scene.want(days=14)
        await scene.refresh()
        assert scene.receiver.days == [7, 7, 2, 14]
        scene.want(days=3)
        await scene.refresh()
        assert await scene.hours(1) == list(range(3 * 24 + 1))


async def test_a_reading_that_fails_in_the_middle_leaves_far_days_to_the_next(
    tmp_path: Path,
) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1)), bouquet("b", service(2)))
        scene.receiver.of_bouquet["b"] = UnreachableError("gone")
        for _ in range(2):
            with pytest.raises(UnreachableError):
                await scene.refresh()
    assert scene.receiver.days == [7, 7, 7, 7]


async def test_a_removed_channel_and_its_guide_come_back_together(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        scene = Scene(database, bouquet("a", service(1), service(2)))
        scene.receiver.of_bouquet["a"] = [event(reference(2), hour) for hour in range(6)]
        await scene.refresh()
        scene.bouquets = (bouquet("a", service(1)),)
        scene.receiver.of_bouquet["a"] = []
        await scene.refresh()
        assert await scene.hours(2) == [0, 1, 2, 3, 4, 5]

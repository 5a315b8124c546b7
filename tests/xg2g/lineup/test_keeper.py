"""The lineup over readings, failures, restarts and a receiver that loses its lists."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from xg2g.lineup import channel_table
from xg2g.lineup.arrangement import Bouquet
from xg2g.lineup.keeper import CONFIRMED_AFTER_S, LineupKeeper
from xg2g.lineup.reader import read_at_once, read_bouquets
from xg2g.receiver.errors import (
    ReceiverError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnreachableError,
)
from xg2g.receiver.openwebif import RADIO, TELEVISION, ListedBouquet, ListedService
from xg2g.receiver.service_reference import ServiceReference
from xg2g.store.database import Database
from xg2g.store.metadata import generation

pytestmark = pytest.mark.anyio


def bouquet_reference(name: str) -> str:
    return f'1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "userbouquet.{name}.tv" ORDER BY bouquet'


def group_reference(name: str) -> str:
    return f'1:134:1:0:0:0:0:0:0:0:FROM BOUQUET "alternatives.{name}.tv" ORDER BY bouquet'


def sid(number: int) -> str:
    return f"1:0:19:{number:X}:3FB:1:C00000:0:0:0:"


class Receiver:
    """Lists that a test changes as it likes."""

    def __init__(self, lists: dict[str, list[str] | ReceiverError]) -> None:
        self.lists = lists
        self.top = list(lists)
        self.radio: list[str] = []
        self.asked: list[str] = []
        self.at_once: ReceiverError | None = None

    async def bouquets(self, kind: str = TELEVISION) -> list[ListedService]:
        names = self.radio if kind == RADIO else self.top
        return [self._listed(bouquet_reference(name), name) for name in names]

    async def services(
        self, bouquet: ListedService, *, picons: bool = False
    ) -> list[ListedService]:
        self.asked.append(bouquet.raw_reference)
        content = self.lists[bouquet.raw_reference.split(".")[1]]
        if isinstance(content, ReceiverError):
            raise content
        return [self._listed(reference, f"Name of {reference}") for reference in content]

    async def all_services(self, kind: str = TELEVISION) -> list[ListedBouquet]:
        self.asked.append(f"all {kind}")
        if isinstance(self.at_once, ReceiverError):
            raise self.at_once
        asked = list(self.asked)
        listed = [
            ListedBouquet(bouquet, tuple(await self.services(bouquet)))
            for bouquet in await self.bouquets(kind)
        ]
        self.asked = asked
        return listed

    def _listed(self, reference: str, name: str) -> ListedService:
        return ListedService(ServiceReference.parse(reference), reference, name)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def keeper_of(
    receiver: Receiver, database: Database, clock: Clock | None = None, wanted: Sequence[str] = ()
) -> LineupKeeper:
    async def recall(reference: str) -> Bouquet | None:
        return await database.read(lambda c: channel_table.stored_bouquet(c, reference))

    return LineupKeeper(
        lambda: read_bouquets(receiver, recall),
        database,
        read_at_once=lambda: read_at_once(receiver, recall),
        wanted=wanted,
        clock_s=clock or Clock(),
    )


def numbers(keeper: LineupKeeper) -> dict[int, int]:
    assert keeper.lineup is not None
    return {channel.reference.sid: channel.number for channel in keeper.lineup.channels}


async def test_a_restart_has_the_lineup_at_once_without_the_receiver(tmp_path: Path) -> None:
    receiver = Receiver({"a": [sid(1), group_reference("g")], "b": [sid(1), sid(9)]})
    receiver.lists["g"] = [sid(2), sid(3)]
    receiver.top, receiver.radio = ["a"], ["b"]
    async with Database.open(tmp_path) as database:
        before = await keeper_of(receiver, database).load()
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(Receiver({"a": UnreachableError("off")}), database)
        await keeper.restore()
        assert keeper.lineup == before
        assert [channel.number for channel in before.channels] == [1, 2, 4]
        with pytest.raises(UnreachableError):
            await keeper.load()
        assert keeper.lineup == before
        assert str(keeper.trouble) == "off"


async def test_numbers_stay_over_removals_insertions_moves_and_restarts(tmp_path: Path) -> None:
    receiver = Receiver({"a": [sid(1), sid(2), sid(3)]})
    async with Database.open(tmp_path) as database:
        await keeper_of(receiver, database).load()
    receiver.lists["a"] = [sid(4), sid(3), sid(2)]
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        await keeper.load()
        assert numbers(keeper) == {2: 2, 3: 3, 4: 4}
    receiver.lists["a"] = [sid(2), sid(3), sid(1), sid(4)]
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        await keeper.load()
        assert numbers(keeper) == {1: 1, 2: 2, 3: 3, 4: 4}


async def test_a_bouquet_inside_itself_is_read_once(tmp_path: Path) -> None:
    receiver = Receiver({"a": [sid(1), bouquet_reference("b")], "b": [bouquet_reference("a")]})
    receiver.top = ["a"]
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        await keeper.load()
        receiver.asked.clear()
        await keeper.load()
    assert receiver.asked == [bouquet_reference("a"), bouquet_reference("b")]


@pytest.mark.parametrize("path", ["/media/hdd/movie/", "(type == 1) ORDER BY name", "FROM X"])
async def test_a_directory_other_than_a_bouquet_is_never_requested(
    tmp_path: Path, path: str
) -> None:
    directory = f"1:7:1:0:0:0:0:0:0:0:{path}"
    receiver = Receiver({"a": [sid(1), directory, directory.replace("1:7", "1:135", 1), sid(2)]})
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        await keeper.load()
        assert numbers(keeper) == {1: 1, 2: 2}
    assert set(receiver.asked) == {"all tv", "all radio", bouquet_reference("a")}


async def test_the_first_lineup_takes_two_requests_and_one_for_each_nested_list(
    tmp_path: Path,
) -> None:
    receiver = Receiver(
        {
            "a": [sid(1), group_reference("g"), bouquet_reference("inner"), sid(4)],
            "b": [sid(5)],
            "r": [sid(6)],
        }
    )
    receiver.lists |= {"g": [sid(2)], "inner": [sid(3)]}
    receiver.top, receiver.radio = ["a", "b"], ["r"]
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        first = await keeper.load_first()
        inner = [group_reference("g"), bouquet_reference("inner")]
        assert receiver.asked == ["all tv", "all radio", *inner]
        assert keeper.read_at_s is None, "the rest about the channels is still to come"
        assert numbers(keeper) == {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6}
        assert await keeper.load() == first
        assert keeper.read_at_s is not None


@pytest.mark.parametrize("trouble", [UnexpectedAnswerError("500"), TimeLimitError("too long")])
async def test_bouquets_are_read_one_by_one_if_the_receiver_cannot_list_all_at_once(
    tmp_path: Path, trouble: ReceiverError
) -> None:
    receiver = Receiver({"a": [sid(1)], "b": [sid(2)]})
    receiver.at_once = trouble
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        assert len((await keeper.load_first()).channels) == 2
        assert keeper.read_at_s is not None
        assert keeper.trouble is None
    assert receiver.asked == ["all tv", bouquet_reference("a"), bouquet_reference("b")]


async def test_alternatives_that_the_receiver_cannot_list_stay_as_they_were(
    tmp_path: Path,
) -> None:
    receiver = Receiver({"a": [sid(1), group_reference("g")], "g": [sid(2), sid(3)]})
    receiver.top = ["a"]
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        before = await keeper.load()
        receiver.lists["g"] = UnexpectedAnswerError("Processing Failed")
        assert await keeper.load() == before
        assert len(before.channels[1].sources) == 2


async def test_a_reading_that_fails_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    receiver = Receiver({"a": [sid(1)], "b": [sid(2)]})
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        before = await keeper.load()
        receiver.lists = {"a": [sid(7)], "b": UnreachableError("gone")}
        with pytest.raises(UnreachableError):
            await keeper.load()
        assert keeper.lineup == before
        await keeper.restore()
        assert keeper.lineup == before


async def test_a_bouquet_that_the_receiver_cannot_list_stays_as_it_was(tmp_path: Path) -> None:
    receiver = Receiver({"a": [sid(1)], "b": [sid(2), group_reference("g")]})
    receiver.lists["g"] = [sid(3), sid(4)]
    receiver.top = ["a", "b"]
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        before = await keeper.load()
        receiver.lists["b"] = UnexpectedAnswerError("Processing Failed")
        assert await keeper.load() == before
        receiver.lists["a"] = [sid(1), sid(5)]
        assert len((await keeper.load()).channels) == 4


async def test_an_unreadable_bouquet_does_not_keep_the_others_from_the_first_lineup(
    tmp_path: Path,
) -> None:
    receiver = Receiver({"a": UnexpectedAnswerError("Processing Failed"), "b": [sid(2)]})
    async with Database.open(tmp_path) as database:
        assert len((await keeper_of(receiver, database).load()).channels) == 1


async def test_a_receiver_without_lists_never_empties_the_lineup(tmp_path: Path) -> None:
    receiver, clock = Receiver({"a": [sid(1)]}), Clock()
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database, clock)
        before = await keeper.load()
        receiver.top = []
        for _ in range(3):
            assert await keeper.load() == before
            assert keeper.is_doubtful
            clock.now_s += CONFIRMED_AFTER_S


async def test_the_loss_of_most_channels_counts_once_it_is_confirmed(tmp_path: Path) -> None:
    receiver, clock = Receiver({"a": [sid(n) for n in range(1, 31)]}), Clock()
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database, clock)
        before = await keeper.load()
        receiver.lists["a"] = [sid(1)]
        assert await keeper.load() == before
        clock.now_s += CONFIRMED_AFTER_S - 1
        assert await keeper.load() == before
        clock.now_s += 1
        assert len((await keeper.load()).channels) == 1
        assert not keeper.is_doubtful


async def test_a_loss_that_heals_counts_from_the_beginning_the_next_time(tmp_path: Path) -> None:
    whole: list[str] = [sid(n) for n in range(1, 31)]
    receiver, clock = Receiver({"a": whole}), Clock()
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database, clock)
        before = await keeper.load()
        for _ in range(3):
            receiver.lists["a"] = [sid(1)]
            assert await keeper.load() == before
            clock.now_s += CONFIRMED_AFTER_S
            receiver.lists["a"] = list(whole)
            assert await keeper.load() == before


async def test_a_change_of_wanted_bouquets_counts_at_once(tmp_path: Path) -> None:
    receiver = Receiver({"a": [sid(n) for n in range(1, 31)], "b": [sid(99)]})
    async with Database.open(tmp_path) as database:
        await keeper_of(receiver, database).load()
        keeper = keeper_of(receiver, database, wanted=["B"])
        await keeper.restore()
        await keeper.load()
        assert numbers(keeper) == {99: 31}


async def test_only_a_change_makes_a_new_generation(tmp_path: Path) -> None:
    receiver = Receiver({"a": [sid(1)]})
    async with Database.open(tmp_path) as database:
        keeper = keeper_of(receiver, database)
        await keeper.load()
        first = await database.read(generation)
        await keeper.load()
        assert await database.read(generation) == first
        receiver.lists["a"] = [sid(1), sid(2)]
        await keeper.load()
        assert await database.read(generation) != first

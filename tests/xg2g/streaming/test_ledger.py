"""The tuner ledger: who gets a tuner, who makes way, and what follows when the receiver refuses."""

import math
from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from xg2g.receiver.service_reference import ServiceReference
from xg2g.streaming.ledger import (
    RELEASE_S,
    Evict,
    Grant,
    Ledger,
    Refuse,
    Retry,
    Share,
    Transponder,
    transponder,
)

ONE, OTHER, THIRD = (0xC00000, 1, 1), (0xC00000, 2, 1), (0xC00000, 3, 1)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(ledger: Ledger[str], holder: str, needed: Transponder | None) -> None:
    decision = ledger.request(holder, needed)
    assert not isinstance(decision, Refuse)
    if isinstance(decision, Evict):
        released(ledger, decision.holders)
    ledger.began(holder)


def left(ledger: Ledger[str], *holders: str) -> None:
    for holder in holders:
        ledger.lingers(holder)


def released(ledger: Ledger[str], holders: Iterable[str]) -> None:
    for holder in holders:
        ledger.release(holder)


@pytest.mark.parametrize(
    ("reference", "needed"),
    [
        ("1:0:19:283D:3FB:1:C00000:0:0:0:", (0xC00000, 0x3FB, 1)),
        ("1:0:19:2840:3FB:1:C00000:0:0:0:", (0xC00000, 0x3FB, 1)),
        ("1:0:19:283D:3FB:1:820000:0:0:0:", (0x820000, 0x3FB, 1)),
        ("1:0:19:283D:3FB:2:C00000:0:0:0:", (0xC00000, 0x3FB, 2)),
        ("4097:0:1:283D:3FB:1:C00000:0:0:0:http%3a//example.org/live.ts", None),
    ],
)
def test_a_transponder_is_namespace_stream_and_network(
    reference: str, needed: Transponder | None
) -> None:
    assert transponder(ServiceReference.parse(reference)) == needed


def test_services_of_one_transponder_share_a_tuner() -> None:
    ledger: Ledger[str] = Ledger(1)
    assert ledger.request("first", ONE) == Grant()
    assert ledger.request("another", ONE) == Share(), "also before the first one streams"
    assert ledger.in_use == 1


def test_what_needs_no_tuner_is_granted_and_not_counted() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "iptv", None)
    assert ledger.request("another iptv", None) == Grant()
    assert ledger.in_use == 0
    assert ledger.request("dvb", ONE) == Grant()
    assert ledger.request("a third iptv", None) == Grant()


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (1, "the receiver's only tuner is in use"),
        (2, "all 2 tuners of the receiver are in use"),
    ],
)
def test_a_refusal_says_how_many_tuners_are_in_use(limit: int, reason: str) -> None:
    ledger: Ledger[int] = Ledger(limit)
    for n in range(limit):
        assert ledger.request(n, (0, n, 0)) == Grant()
    assert ledger.request(99, THIRD) == Refuse(reason)


def test_who_is_refused_holds_nothing() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "viewer", ONE)
    assert isinstance(ledger.request("late", OTHER), Refuse)
    ledger.release("viewer")
    assert ledger.in_use == 0
    assert ledger.request("late", OTHER) == Grant()


def test_the_one_left_first_makes_way_first() -> None:
    ledger: Ledger[str] = Ledger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "b", "a")
    assert ledger.request("c", THIRD) == Evict(("b",))
    assert ledger.lingering == ("a",)


def test_who_was_watched_again_counts_as_left_at_the_latest_leave() -> None:
    ledger: Ledger[str] = Ledger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a", "b")
    ledger.watched("a")
    left(ledger, "a")
    assert ledger.lingering == ("b", "a")
    assert ledger.request("c", THIRD) == Evict(("b",))


def test_only_those_make_way_that_free_a_tuner() -> None:
    ledger: Ledger[str] = Ledger(2)
    opened(ledger, "watched", ONE)
    opened(ledger, "beside it", ONE)
    opened(ledger, "iptv", None)
    opened(ledger, "alone", OTHER)
    left(ledger, "beside it", "iptv", "alone")
    assert ledger.request("c", THIRD) == Evict(("alone",))
    assert ledger.lingering == ("beside it", "iptv")


def test_a_tuner_whose_channels_all_linger_is_freed_by_evicting_all_of_them() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "a", ONE)
    opened(ledger, "b", ONE)
    left(ledger, "b", "a")
    assert ledger.request("c", OTHER) == Evict(("b", "a"))


def test_a_tuner_is_as_old_as_the_channel_of_it_that_was_left_last() -> None:
    ledger: Ledger[str] = Ledger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "a too", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a", "b", "a too")
    assert ledger.request("c", THIRD) == Evict(("b",))


def test_nobody_makes_way_where_that_does_not_suffice() -> None:
    ledger: Ledger[str] = Ledger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a")
    ledger.limit = 1
    assert ledger.request("c", THIRD) == Refuse("the receiver's only tuner is in use")
    assert ledger.lingering == ("a",)
    left(ledger, "b")
    assert ledger.request("c", THIRD) == Evict(("a", "b")), "and all of them where it does"


def test_two_requests_at_once_evict_two() -> None:
    ledger: Ledger[str] = Ledger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a", "b")
    assert ledger.request("c", THIRD) == Evict(("a",))
    assert ledger.request("d", (0, 4, 0)) == Evict(("b",))
    assert isinstance(ledger.request("e", (0, 5, 0)), Refuse), "both are reserved already"


def test_a_reserved_tuner_is_free_when_its_request_is_given_up() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    assert ledger.request("c", THIRD) == Evict(("a",))
    ledger.release("c")
    assert ledger.request("d", OTHER) == Grant()


def test_the_transponder_of_an_evicted_channel_needs_a_tuner_again() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    assert ledger.request("c", OTHER) == Evict(("a",))
    assert isinstance(ledger.request("a again", ONE), Refuse)


def test_nobody_can_watch_what_was_evicted() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    ledger.request("c", OTHER)
    with pytest.raises(ValueError, match="closing"):
        ledger.watched("a")


def test_a_channel_that_closes_leaves_its_tuner_to_the_next() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "a", ONE)
    ledger.closing("a")
    assert ledger.in_use == 0
    assert ledger.tuned == ledger.lingering == ()
    assert ledger.request("b", OTHER) == Grant()


def test_a_lease_comes_back_once() -> None:
    ledger: Ledger[str] = Ledger(1)
    opened(ledger, "a", ONE)
    opened(ledger, "b", ONE)
    ledger.release("a")
    ledger.release("a")
    ledger.closing("a")
    assert ledger.in_use == 1
    assert isinstance(ledger.request("c", OTHER), Refuse)


def test_a_holder_has_one_lease() -> None:
    ledger: Ledger[str] = Ledger(2)
    opened(ledger, "a", ONE)
    with pytest.raises(ValueError, match="lease"):
        ledger.request("a", OTHER)
    for note in (ledger.began, ledger.lingers, ledger.watched, ledger.lost, ledger.refused):
        with pytest.raises(KeyError):
            note("nobody")


def test_without_a_known_limit_every_request_is_granted() -> None:
    ledger: Ledger[int] = Ledger(None)
    for n in range(20):
        assert ledger.request(n, (0, n, 0)) == Grant()
        ledger.began(n)
        ledger.lingers(n)
    assert ledger.in_use == len(ledger.lingering) == 20
    ledger.limit = 3
    assert ledger.request(20, (0, 0, 0)) == Share(), "a share costs nothing, also above the limit"
    assert isinstance(ledger.request(21, (0, 21, 0)), Evict)
    assert ledger.in_use == 3
    ledger.limit = 5
    assert ledger.request(22, (0, 22, 0)) == Grant()


def test_tuned_is_one_streaming_channel_of_each_transponder(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(3, clock)
    opened(ledger, "a", ONE)
    opened(ledger, "a too", ONE)
    opened(ledger, "iptv", None)
    opened(ledger, "b", OTHER)
    ledger.request("asks", THIRD)
    assert sorted(ledger.tuned) == ["a too", "b"]
    ledger.lost("b")
    assert ledger.tuned == ("a too",)
    assert ledger.in_use == 3


def test_a_refusal_by_the_receiver_is_final_when_nothing_can_come_free(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(2, clock)
    opened(ledger, "watched", ONE)
    ledger.request("a", OTHER)
    assert ledger.refused("a") is None
    ledger.release("a")
    ledger.request("b", OTHER)
    assert ledger.refused("b") is None, "the refused request has freed no tuner"


def test_a_receiver_that_has_not_freed_the_last_tuner_yet_is_asked_again(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(1, clock)
    opened(ledger, "a", ONE)
    ledger.release("a")
    ledger.request("b", OTHER)
    for wait_s in RELEASE_S:
        assert ledger.refused("b") == Retry((), wait_s)
        clock.now_s += wait_s
    assert ledger.refused("b") is None
    ledger.release("b")

    clock.now_s += 0.001
    ledger.request("c", OTHER)
    assert ledger.refused("c") is None, "it has had its time"


def test_whether_a_tuner_may_come_free_is_asked_at_each_refusal(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(1, clock)
    opened(ledger, "a", ONE)
    ledger.release("a")
    ledger.request("b", OTHER)
    assert ledger.refused("b") == Retry((), RELEASE_S[0])
    clock.now_s += sum(RELEASE_S) + 0.001
    assert ledger.refused("b") is None


def test_a_refusal_while_a_stream_still_closes_is_not_final(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(2, clock)
    opened(ledger, "a", ONE)
    ledger.closing("a")
    clock.now_s += 60
    ledger.request("b", OTHER)
    assert ledger.refused("b") == Retry((), RELEASE_S[0])


def test_what_needs_no_tuner_frees_none(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(1, clock)
    opened(ledger, "iptv", None)
    ledger.closing("iptv")
    ledger.request("b", OTHER)
    assert ledger.refused("b") is None
    ledger.release("iptv")
    assert ledger.refused("b") is None


@pytest.mark.parametrize("limit", [None, 4])
def test_when_the_receiver_refuses_every_idle_tuner_but_the_shared_one_is_given_up(
    limit: int | None, clock: Clock
) -> None:
    ledger: Ledger[str] = Ledger(limit, clock)
    opened(ledger, "watched", (0, 4, 0))
    opened(ledger, "beside it", (0, 4, 0))
    opened(ledger, "shared", ONE)
    opened(ledger, "b", OTHER)
    opened(ledger, "c", THIRD)
    left(ledger, "c", "shared", "beside it", "b")
    ledger.request("a", ONE)
    assert ledger.refused("a") == Retry(("c", "b"), RELEASE_S[0])
    released(ledger, ("c", "b"))
    assert ledger.in_use == 2
    assert ledger.refused("a") == Retry((), RELEASE_S[1]), "they may still be held there"


def test_who_is_evicted_after_a_refusal_is_always_told(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(2, clock)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    ledger.lost("a")
    clock.now_s += 60
    ledger.request("b", OTHER)
    assert ledger.refused("b") == Retry(("a",), RELEASE_S[0]), "though it has no stream just now"
    assert ledger.lingering == ()


def test_a_tuner_stays_reserved_while_the_receiver_is_asked_again(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(1, clock)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    assert ledger.request("b", OTHER) == Evict(("a",))
    ledger.release("a")
    assert ledger.refused("b") == Retry((), RELEASE_S[0])
    assert isinstance(ledger.request("c", THIRD), Refuse)


def test_nobody_makes_way_for_a_request_that_is_given_up(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(3, clock)
    opened(ledger, "a", ONE)
    ledger.release("a")
    ledger.request("b", OTHER)
    for _ in RELEASE_S:
        assert ledger.refused("b") is not None
    opened(ledger, "c", THIRD)
    left(ledger, "c")
    assert ledger.refused("b") is None
    assert ledger.lingering == ("c",)


def test_a_lost_stream_is_opened_again_with_its_lease_and_fresh_patience(clock: Clock) -> None:
    ledger: Ledger[str] = Ledger(1, clock)
    opened(ledger, "a", ONE)
    clock.now_s += 3600
    for _ in range(2):
        ledger.lost("a")
        assert isinstance(ledger.request("b", OTHER), Refuse)
        for wait_s in RELEASE_S:
            assert ledger.refused("a") == Retry((), wait_s), "the receiver may still hold it"
        ledger.began("a")


LIMITS = st.none() | st.integers(1, 4)
NEEDED = st.none() | st.builds(lambda n: (0xC00000, n, 1), st.integers(0, 5))


class Household(RuleBasedStateMachine):
    """Viewers of all kinds over one ledger, beside a plain list of who has what."""

    holders = Bundle("holders")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.ledger: Ledger[int] = Ledger(None, self.clock)
        self.numbers = 0
        self.needs: dict[int, Transponder | None] = {}
        self.left: dict[int, int] = {}
        self.closing: set[int] = set()
        self.streaming: set[int] = set()
        self.highest: float = 0
        """The most that may be tuned: the limit, or what was tuned when it was lowered."""

    def tuned(self, *without: int) -> set[Transponder]:
        gone = {*self.closing, *without}
        return {n for holder, n in self.needs.items() if n is not None and holder not in gone}

    def last_left(self, needed: Transponder | None) -> float:
        return max(
            self.left.get(holder, math.inf)
            for holder, n in self.needs.items()
            if n == needed and holder not in self.closing
        )

    def check_eviction(self, evicted: tuple[int, ...], own: Transponder | None) -> None:
        """Each of them lingers and frees a tuner that the request does not share."""
        assert list(evicted) == sorted(evicted, key=self.left.__getitem__)
        assert not self.closing & set(evicted)
        freed = {self.needs[holder] for holder in evicted}
        assert None not in freed
        assert own not in freed
        assert self.tuned(*evicted) == self.tuned() - freed

    @rule(limit=LIMITS)
    def limits(self, limit: int | None) -> None:
        self.ledger.limit = limit
        self.highest = max(len(self.tuned()), math.inf if limit is None else limit)

    @rule(target=holders, needed=NEEDED)
    def requests(self, needed: Transponder | None) -> object:
        limit = math.inf if self.ledger.limit is None else self.ledger.limit
        before, holder = self.tuned(), self.numbers
        self.numbers += 1
        decision = self.ledger.request(holder, needed)
        excess = 0 if needed is None or needed in before else len(before) + 1 - limit
        idle = sorted(left for n in before if (left := self.last_left(n)) < math.inf)
        if isinstance(decision, Refuse):
            assert excess > len(idle)
            assert decision.reason.endswith("in use")
            assert self.ledger.in_use == len(before)
            return multiple()
        if isinstance(decision, Evict):
            self.check_eviction(decision.holders, needed)
            freed = {self.needs[each] for each in decision.holders}
            assert len(freed) == excess > 0
            assert sorted(map(self.last_left, freed)) == idle[: len(freed)], "the oldest ones"
            self.closing |= set(decision.holders)
        else:
            assert excess <= 0
            assert isinstance(decision, Share) == (needed in before)
        self.needs[holder] = needed
        return holder

    @rule(holder=holders)
    def begins(self, holder: int) -> None:
        if holder not in self.closing | self.streaming:
            self.ledger.began(holder)
            self.streaming.add(holder)

    @rule(holder=holders, later_s=st.floats(0, 5))
    def is_refused(self, holder: int, later_s: float) -> None:
        if holder in self.closing | self.streaming:
            return
        self.clock.now_s += later_s
        before, own = self.tuned(), self.needs[holder]
        idle = {n for n in before - {own} if self.last_left(n) < math.inf}
        retry = self.ledger.refused(holder)
        if retry is not None:
            assert retry.wait_s in RELEASE_S
            self.check_eviction(retry.holders, own)
            assert {self.needs[each] for each in retry.holders} == idle
            self.closing |= set(retry.holders)

    @rule(holder=holders)
    def loses_its_stream(self, holder: int) -> None:
        if holder in self.streaming - self.closing:
            self.ledger.lost(holder)
            self.streaming.remove(holder)

    @rule(holder=holders)
    def is_left(self, holder: int) -> None:
        if holder in self.streaming - self.closing:
            self.ledger.lingers(holder)
            self.left.pop(holder, None)
            self.left[holder] = self.numbers = self.numbers + 1

    @rule(holder=holders)
    def is_watched_again(self, holder: int) -> None:
        if holder not in self.closing:
            self.ledger.watched(holder)
            self.left.pop(holder, None)

    @rule(holder=holders)
    def starts_to_close(self, holder: int) -> None:
        self.ledger.closing(holder)
        self.closing.add(holder)

    @rule(holder=consumes(holders), times=st.integers(1, 2))
    def is_released(self, holder: int, times: int) -> None:
        for _ in range(times):
            self.ledger.release(holder)
        del self.needs[holder]
        self.left.pop(holder, None)
        self.closing.discard(holder)
        self.streaming.discard(holder)

    @invariant()
    def what_it_tells_is_what_there_is(self) -> None:
        tuned = self.tuned()
        assert self.ledger.in_use == len(tuned)
        lingering = [holder for holder in self.left if holder not in self.closing]
        assert list(self.ledger.lingering) == sorted(lingering, key=self.left.__getitem__)
        told = {self.needs[holder] for holder in self.ledger.tuned}
        assert told == {self.needs[h] for h in self.streaming - self.closing} - {None}

    @invariant()
    def no_more_are_tuned_than_there_are_unless_the_limit_was_lowered(self) -> None:
        limit = self.ledger.limit
        tuned = len(self.tuned())
        if limit is not None:
            self.highest = max(limit, min(self.highest, tuned))
            assert tuned <= self.highest

    def teardown(self) -> None:
        for holder in self.needs:
            self.ledger.release(holder)
        assert self.ledger.in_use == 0
        assert self.ledger.tuned == self.ledger.lingering == ()
        self.ledger.limit = 2
        got = [self.ledger.request(-n, (1, n, 1)) for n in (1, 2, 3)]
        assert got == [Grant(), Grant(), Refuse("all 2 tuners of the receiver are in use")]


Household.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_household = Household.TestCase

"""The tuner ledger, in any order of calls, beside a plain list of leases."""

import math

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

from tests.xg2g.receiver.clock import Time
from xg2g.streaming.tuner_ledger import (
    RELEASE_S,
    Evict,
    Grant,
    Refuse,
    Share,
    Transponder,
    TunerLedger,
)

LIMITS = st.none() | st.integers(1, 4)


NEEDED = st.none() | st.builds(lambda n: (0xC00000, n, 1), st.integers(0, 5))


class LedgerModel(RuleBasedStateMachine):
    """Viewers of all kinds over one ledger, beside a plain list of who has what."""

    holders = Bundle("holders")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Time()
        self.ledger: TunerLedger[int] = TunerLedger(None, self.clock.now)
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


LedgerModel.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_ledger_model = LedgerModel.TestCase

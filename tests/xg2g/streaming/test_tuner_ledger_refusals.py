"""The tuner ledger when the receiver refuses a stream."""

import pytest

from tests.xg2g.receiver.clock import Time
from tests.xg2g.streaming.leases import ONE, OTHER, THIRD, left, opened, released
from xg2g.streaming.tuner_ledger import RELEASE_S, Evict, Refuse, Retry, TunerLedger


def test_a_refusal_by_the_receiver_is_final_when_nothing_can_come_free(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(2, clock.now)
    opened(ledger, "watched", ONE)
    ledger.request("a", OTHER)
    assert ledger.refused("a") is None
    ledger.release("a")
    ledger.request("b", OTHER)
    assert ledger.refused("b") is None, "the refused request has freed no tuner"


def test_a_receiver_that_has_not_freed_the_last_tuner_yet_is_asked_again(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(1, clock.now)
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


def test_whether_a_tuner_may_come_free_is_asked_at_each_refusal(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(1, clock.now)
    opened(ledger, "a", ONE)
    ledger.release("a")
    ledger.request("b", OTHER)
    assert ledger.refused("b") == Retry((), RELEASE_S[0])
    clock.now_s += sum(RELEASE_S) + 0.001
    assert ledger.refused("b") is None


def test_a_refusal_while_a_stream_still_closes_is_not_final(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(2, clock.now)
    opened(ledger, "a", ONE)
    ledger.closing("a")
    clock.now_s += 60
    ledger.request("b", OTHER)
    assert ledger.refused("b") == Retry((), RELEASE_S[0])


def test_a_service_without_a_tuner_frees_none(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(1, clock.now)
    opened(ledger, "iptv", None)
    ledger.closing("iptv")
    ledger.request("b", OTHER)
    assert ledger.refused("b") is None
    ledger.release("iptv")
    assert ledger.refused("b") is None


@pytest.mark.parametrize("limit", [None, 4])
def test_when_the_receiver_refuses_every_idle_tuner_but_the_shared_one_is_given_up(
    limit: int | None, clock: Time
) -> None:
    ledger: TunerLedger[str] = TunerLedger(limit, clock.now)
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


def test_every_holder_that_is_evicted_after_a_refusal_is_returned(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(2, clock.now)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    ledger.lost("a")
    clock.now_s += 60
    ledger.request("b", OTHER)
    assert ledger.refused("b") == Retry(("a",), RELEASE_S[0]), "though it has no stream just now"
    assert ledger.lingering == ()


def test_a_tuner_stays_reserved_while_the_receiver_is_asked_again(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(1, clock.now)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    assert ledger.request("b", OTHER) == Evict(("a",))
    ledger.release("a")
    assert ledger.refused("b") == Retry((), RELEASE_S[0])
    assert isinstance(ledger.request("c", THIRD), Refuse)


def test_no_holder_makes_way_for_a_request_that_is_given_up(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(3, clock.now)
    opened(ledger, "a", ONE)
    ledger.release("a")
    ledger.request("b", OTHER)
    for _ in RELEASE_S:
        assert ledger.refused("b") is not None
    opened(ledger, "c", THIRD)
    left(ledger, "c")
    assert ledger.refused("b") is None
    assert ledger.lingering == ("c",)


def test_a_lost_stream_is_opened_again_with_its_lease_and_fresh_patience(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(1, clock.now)
    opened(ledger, "a", ONE)
    clock.now_s += 3600
    for _ in range(2):
        ledger.lost("a")
        assert isinstance(ledger.request("b", OTHER), Refuse)
        for wait_s in RELEASE_S:
            assert ledger.refused("a") == Retry((), wait_s), "the receiver may still hold it"
        ledger.began("a")

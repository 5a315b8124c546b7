"""The tuner ledger: which channel gets a tuner, and which gives one up."""

import pytest

from tests.xg2g.receiver.clock import Time
from tests.xg2g.streaming.leases import ONE, OTHER, THIRD, left, opened
from xg2g.receiver.service_reference import ServiceReference
from xg2g.streaming.tuner_ledger import (
    Evict,
    Grant,
    Refuse,
    Share,
    Transponder,
    TunerLedger,
    transponder,
)


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
    ledger: TunerLedger[str] = TunerLedger(1)
    assert ledger.request("first", ONE) == Grant()
    assert ledger.request("another", ONE) == Share(), "also before the first one streams"
    assert ledger.in_use == 1


def test_a_request_without_a_tuner_is_granted_and_not_counted() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
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
    ledger: TunerLedger[int] = TunerLedger(limit)
    for n in range(limit):
        assert ledger.request(n, (0, n, 0)) == Grant()
    assert ledger.request(99, THIRD) == Refuse(reason)


def test_a_refused_request_holds_nothing() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
    opened(ledger, "viewer", ONE)
    assert isinstance(ledger.request("late", OTHER), Refuse)
    ledger.release("viewer")
    assert ledger.in_use == 0
    assert ledger.request("late", OTHER) == Grant()


def test_the_one_left_first_makes_way_first() -> None:
    ledger: TunerLedger[str] = TunerLedger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "b", "a")
    assert ledger.request("c", THIRD) == Evict(("b",))
    assert ledger.lingering == ("a",)


def test_a_holder_that_was_watched_again_counts_from_its_latest_leave() -> None:
    ledger: TunerLedger[str] = TunerLedger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a", "b")
    ledger.watched("a")
    left(ledger, "a")
    assert ledger.lingering == ("b", "a")
    assert ledger.request("c", THIRD) == Evict(("b",))


def test_only_those_make_way_that_free_a_tuner() -> None:
    ledger: TunerLedger[str] = TunerLedger(2)
    opened(ledger, "watched", ONE)
    opened(ledger, "beside it", ONE)
    opened(ledger, "iptv", None)
    opened(ledger, "alone", OTHER)
    left(ledger, "beside it", "iptv", "alone")
    assert ledger.request("c", THIRD) == Evict(("alone",))
    assert ledger.lingering == ("beside it", "iptv")


def test_a_tuner_whose_channels_all_linger_is_freed_by_evicting_all_of_them() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
    opened(ledger, "a", ONE)
    opened(ledger, "b", ONE)
    left(ledger, "b", "a")
    assert ledger.request("c", OTHER) == Evict(("b", "a"))


def test_a_tuner_is_as_old_as_the_channel_of_it_that_was_left_last() -> None:
    ledger: TunerLedger[str] = TunerLedger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "a too", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a", "b", "a too")
    assert ledger.request("c", THIRD) == Evict(("b",))


def test_no_holder_makes_way_where_that_does_not_suffice() -> None:
    ledger: TunerLedger[str] = TunerLedger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a")
    ledger.limit = 1
    assert ledger.request("c", THIRD) == Refuse("the receiver's only tuner is in use")
    assert ledger.lingering == ("a",)
    left(ledger, "b")
    assert ledger.request("c", THIRD) == Evict(("a", "b")), "and all of them where it does"


def test_two_requests_at_once_evict_two() -> None:
    ledger: TunerLedger[str] = TunerLedger(2)
    opened(ledger, "a", ONE)
    opened(ledger, "b", OTHER)
    left(ledger, "a", "b")
    assert ledger.request("c", THIRD) == Evict(("a",))
    assert ledger.request("d", (0, 4, 0)) == Evict(("b",))
    assert isinstance(ledger.request("e", (0, 5, 0)), Refuse), "both are reserved already"


def test_a_reserved_tuner_is_free_when_its_request_is_given_up() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    assert ledger.request("c", THIRD) == Evict(("a",))
    ledger.release("c")
    assert ledger.request("d", OTHER) == Grant()


def test_the_transponder_of_an_evicted_channel_needs_a_tuner_again() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    assert ledger.request("c", OTHER) == Evict(("a",))
    assert isinstance(ledger.request("a again", ONE), Refuse)


def test_an_evicted_holder_cannot_be_watched() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
    opened(ledger, "a", ONE)
    left(ledger, "a")
    ledger.request("c", OTHER)
    with pytest.raises(ValueError, match="closing"):
        ledger.watched("a")


def test_a_channel_that_closes_leaves_its_tuner_to_the_next() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
    opened(ledger, "a", ONE)
    ledger.closing("a")
    assert ledger.in_use == 0
    assert ledger.tuned == ledger.lingering == ()
    assert ledger.request("b", OTHER) == Grant()


def test_a_lease_comes_back_once() -> None:
    ledger: TunerLedger[str] = TunerLedger(1)
    opened(ledger, "a", ONE)
    opened(ledger, "b", ONE)
    ledger.release("a")
    ledger.release("a")
    ledger.closing("a")
    assert ledger.in_use == 1
    assert isinstance(ledger.request("c", OTHER), Refuse)


def test_a_holder_has_one_lease() -> None:
    ledger: TunerLedger[str] = TunerLedger(2)
    opened(ledger, "a", ONE)
    with pytest.raises(ValueError, match="lease"):
        ledger.request("a", OTHER)
    for note in (ledger.began, ledger.lingers, ledger.watched, ledger.lost, ledger.refused):
        with pytest.raises(KeyError):
            note("nobody")


def test_without_a_known_limit_every_request_is_granted() -> None:
    ledger: TunerLedger[int] = TunerLedger(None)
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


def test_tuned_is_one_streaming_channel_of_each_transponder(clock: Time) -> None:
    ledger: TunerLedger[str] = TunerLedger(3, clock.now)
    opened(ledger, "a", ONE)
    opened(ledger, "a too", ONE)
    opened(ledger, "iptv", None)
    opened(ledger, "b", OTHER)
    ledger.request("asks", THIRD)
    assert sorted(ledger.tuned) == ["a too", "b"]
    ledger.lost("b")
    assert ledger.tuned == ("a too",)
    assert ledger.in_use == 3

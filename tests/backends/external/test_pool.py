"""Which service is asked, and for how long one that failed is not."""

import pytest

from xg2g_backends.external.pool import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    LONGEST_REFUSAL_S,
    Rotation,
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_services_take_turns(clock: Clock) -> None:
    rotation = Rotation("abc", clock)
    assert [rotation.ready()[0] for _ in range(6)] == list("abcabc")
    assert rotation.ready() == ["a", "b", "c"]


def test_a_service_that_failed_pauses_and_is_the_last_resort_meanwhile(clock: Clock) -> None:
    rotation = Rotation("ab", clock)
    rotation.failed("a")
    assert rotation.ready() == ["b"]
    assert rotation.all() == ["b", "a"]
    rotation.failed("b")
    assert rotation.ready() == []
    assert rotation.next_due_in_s() == pytest.approx(FIRST_PAUSE_S)
    clock.now_s += FIRST_PAUSE_S
    assert sorted(rotation.ready()) == ["a", "b"]


def test_pauses_grow_to_a_limit_and_end_with_a_success(clock: Clock) -> None:
    rotation = Rotation("a", clock)
    pauses_s = []
    for _ in range(200):
        rotation.failed("a")
        pauses_s.append(rotation.next_due_in_s())
        clock.now_s += pauses_s[-1]
    assert pauses_s[:3] == pytest.approx([FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S])
    assert max(pauses_s) == pytest.approx(LONGEST_PAUSE_S)
    assert rotation.worked("a")
    assert rotation.ready() == ["a"]
    rotation.failed("a")
    assert rotation.next_due_in_s() == pytest.approx(FIRST_PAUSE_S)


def test_only_the_first_failure_and_the_recovery_are_reported(clock: Clock) -> None:
    rotation = Rotation("a", clock)
    assert not rotation.worked("a")
    assert [rotation.failed("a") for _ in range(3)] == [True, False, False]
    clock.now_s += LONGEST_PAUSE_S
    assert not rotation.failed("a")
    assert [rotation.worked("a") for _ in range(2)] == [True, False]


def test_streams_that_notice_a_loss_together_do_not_make_the_pause_longer(clock: Clock) -> None:
    rotation = Rotation("a", clock)
    for _ in range(20):
        rotation.failed("a")
    assert rotation.next_due_in_s() == pytest.approx(FIRST_PAUSE_S)


@pytest.mark.parametrize(
    ("asked_s", "pause_s"), [(5, 5), (0, FIRST_PAUSE_S), (1e9, LONGEST_REFUSAL_S)]
)
def test_a_full_service_pauses_for_its_retry_after_within_limits(
    clock: Clock, asked_s: float, pause_s: float
) -> None:
    rotation = Rotation("a", clock)
    rotation.refused("a", asked_s)
    assert rotation.next_due_in_s() == pytest.approx(pause_s)

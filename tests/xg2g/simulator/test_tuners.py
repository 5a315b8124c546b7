"""The tuner pool: shared by transponder, slow to let go."""

import pytest

from tests.xg2g.simulator.virtual_clock import VirtualClock
from xg2g.simulator.tuners import RELEASE_S, Transponder, TunerPool

ASTRA_1 = Transponder(0xC00000, 1, 1)
ASTRA_2 = Transponder(0xC00000, 2, 1)
HOTBIRD_1 = Transponder(0x820000, 1, 1)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def test_services_of_one_transponder_share_a_tuner(clock: VirtualClock) -> None:
    pool = TunerPool(1, clock.now)
    assert pool.acquire(ASTRA_1)
    assert pool.acquire(ASTRA_1)
    assert pool.tuned == [ASTRA_1]


@pytest.mark.parametrize("other", [ASTRA_2, HOTBIRD_1, ASTRA_1._replace(original_network_id=2)])
def test_another_transponder_needs_another_tuner(clock: VirtualClock, other: Transponder) -> None:
    pool = TunerPool(1, clock.now)
    assert pool.acquire(ASTRA_1)
    assert not pool.available(other)
    assert not pool.acquire(other)
    assert TunerPool(2, clock.now).acquire(other)


def test_a_tuner_is_free_only_some_time_after_its_last_viewer(clock: VirtualClock) -> None:
    pool = TunerPool(1, clock.now)
    pool.acquire(ASTRA_1)
    pool.acquire(ASTRA_1)
    pool.release(ASTRA_1)
    clock.advance(RELEASE_S)
    assert not pool.available(ASTRA_2), "one viewer is left"
    pool.release(ASTRA_1)
    clock.advance(RELEASE_S - 0.01)
    assert not pool.acquire(ASTRA_2)
    clock.advance(0.01)
    assert pool.acquire(ASTRA_2)


def test_a_tuner_that_is_not_yet_free_serves_its_transponder_again(clock: VirtualClock) -> None:
    pool = TunerPool(1, clock.now)
    pool.acquire(ASTRA_1)
    pool.release(ASTRA_1)
    assert pool.acquire(ASTRA_1)
    clock.advance(10 * RELEASE_S)
    assert not pool.available(ASTRA_2), "the second use counts, not the first one's end"


def test_a_tuner_that_was_not_acquired_cannot_be_released(clock: VirtualClock) -> None:
    pool = TunerPool(1, clock.now)
    with pytest.raises(ValueError, match="no tuner"):
        pool.release(ASTRA_1)
    pool.acquire(ASTRA_1)
    pool.release(ASTRA_1)
    with pytest.raises(ValueError, match="no tuner"):
        pool.release(ASTRA_1)

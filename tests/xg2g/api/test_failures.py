"""Wrong tokens are counted, within limits."""

from xg2g.web.api.failures import ALLOWED, FORGOTTEN_AFTER_S, PLACES, Failures


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def fail(failures: Failures, address: str, times: int) -> None:
    for _ in range(times):
        failures.add(address)


def test_the_last_one_that_is_allowed_makes_an_address_wait_until_it_is_forgotten() -> None:
    clock = Clock()
    failures = Failures(clock)
    fail(failures, "192.0.2.1", ALLOWED - 1)
    assert failures.wait_s("192.0.2.1") == 0
    fail(failures, "192.0.2.1", 1)
    assert failures.wait_s("192.0.2.1") == FORGOTTEN_AFTER_S
    assert failures.wait_s("192.0.2.2") == 0
    clock.now_s += FORGOTTEN_AFTER_S
    assert failures.wait_s("192.0.2.1") == 0
    fail(failures, "192.0.2.1", 1)
    assert failures.wait_s("192.0.2.1") == 0


def test_neighbours_in_an_ipv6_network_are_one_place() -> None:
    failures = Failures(Clock())
    for last in range(ALLOWED):
        failures.add(f"2001:db8::{last:x}")
    assert failures.wait_s("2001:db8::ffff") > 0
    assert failures.wait_s("2001:db8:0:1::1") == 0


def test_an_address_of_ipv4_is_the_same_in_the_clothes_of_ipv6() -> None:
    failures = Failures(Clock())
    fail(failures, "::ffff:192.0.2.1", ALLOWED)
    assert failures.wait_s("::ffff:192.0.2.1") > 0
    assert failures.wait_s("::ffff:192.0.2.2") == 0


def test_only_so_many_places_are_remembered() -> None:
    failures = Failures(Clock())
    fail(failures, "192.0.2.1", ALLOWED)
    for number in range(PLACES - 1):
        failures.add(f"10.0.{number // 256}.{number % 256}")
    assert failures.wait_s("192.0.2.1") > 0
    failures.add("198.51.100.1")
    assert len(failures) == PLACES
    assert failures.wait_s("192.0.2.1") == 0

"""Wrong tokens are counted by network, within limits."""

from xg2g.web.http.access import (
    WRONG_TOKENS_ALLOWED,
    WRONG_TOKENS_FORGOTTEN_AFTER_S,
    WRONG_TOKENS_NETWORKS,
    WrongTokens,
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def fail(wrong_tokens: WrongTokens, address: str, times: int) -> None:
    for _ in range(times):
        wrong_tokens.add(address)


def test_after_the_allowed_number_an_address_waits_until_its_tokens_are_forgotten() -> None:
    clock = Clock()
    wrong_tokens = WrongTokens(clock)
    fail(wrong_tokens, "192.0.2.1", WRONG_TOKENS_ALLOWED - 1)
    assert wrong_tokens.wait_s("192.0.2.1") == 0
    fail(wrong_tokens, "192.0.2.1", 1)
    assert wrong_tokens.wait_s("192.0.2.1") == WRONG_TOKENS_FORGOTTEN_AFTER_S
    assert wrong_tokens.wait_s("192.0.2.2") == 0
    clock.now_s += WRONG_TOKENS_FORGOTTEN_AFTER_S
    assert wrong_tokens.wait_s("192.0.2.1") == 0
    fail(wrong_tokens, "192.0.2.1", 1)
    assert wrong_tokens.wait_s("192.0.2.1") == 0


def test_addresses_of_one_ipv6_network_are_counted_together() -> None:
    wrong_tokens = WrongTokens(Clock())
    for last in range(WRONG_TOKENS_ALLOWED):
        wrong_tokens.add(f"2001:db8::{last:x}")
    assert wrong_tokens.wait_s("2001:db8::ffff") > 0
    assert wrong_tokens.wait_s("2001:db8:0:1::1") == 0


def test_an_ipv4_address_mapped_into_ipv6_counts_as_the_ipv4_address() -> None:
    wrong_tokens = WrongTokens(Clock())
    fail(wrong_tokens, "::ffff:192.0.2.1", WRONG_TOKENS_ALLOWED)
    assert wrong_tokens.wait_s("::ffff:192.0.2.1") > 0
    assert wrong_tokens.wait_s("::ffff:192.0.2.2") == 0


def test_the_number_of_networks_that_are_remembered_is_limited() -> None:
    wrong_tokens = WrongTokens(Clock())
    fail(wrong_tokens, "192.0.2.1", WRONG_TOKENS_ALLOWED)
    for number in range(WRONG_TOKENS_NETWORKS - 1):
        wrong_tokens.add(f"10.0.{number // 256}.{number % 256}")
    assert wrong_tokens.wait_s("192.0.2.1") > 0
    wrong_tokens.add("198.51.100.1")
    assert len(wrong_tokens) == WRONG_TOKENS_NETWORKS
    assert wrong_tokens.wait_s("192.0.2.1") == 0

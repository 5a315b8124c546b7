"""The breaker that leaves a failing receiver alone."""

from xg2g.receiver.openwebif.circuit_breaker import BreakerState, CircuitBreaker, Closed, Open


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def breaker() -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    return CircuitBreaker(threshold=3, pause_s=15, now=clock), clock


def test_it_opens_after_failures_in_a_row_and_no_earlier() -> None:
    subject, _ = breaker()
    for _ in range(2):
        subject.failed("off")
    subject.succeeded()
    for _ in range(2):
        subject.failed("off")
    assert (subject.state, subject.state_now) == (Closed(failures=2), BreakerState.CLOSED)
    subject.failed("the third")
    rest = Open(until_s=1015, reason="the third")
    assert (subject.state_now, subject.blocking()) == (BreakerState.OPEN, rest)


def test_after_the_pause_one_trial_decides() -> None:
    subject, clock = breaker()
    for _ in range(3):
        subject.failed("off")
    clock.now_s += 15
    assert (subject.state_now, subject.blocking()) == (BreakerState.HALF_OPEN, None)
    subject.failed("still off")
    assert subject.blocking() == Open(until_s=1030, reason="still off")
    clock.now_s += 15
    subject.succeeded()
    assert subject.state == Closed(failures=0)

"""The receiver's tuners: one for each transponder in use, released after its last user."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

# Enigma2 releases the tuner of a channel without users after this time.
RELEASE_S = 3.0


class Transponder(NamedTuple):
    """The target of a tuner: services that agree in these three values share one."""

    namespace: int
    transport_stream_id: int
    original_network_id: int


@dataclass
class _Tuner:
    transponder: Transponder | None = None
    users: int = 0
    unused_since_s: float = field(default=float("-inf"))


class TunerPool:
    """The tuners; every call decides at once. `now` is a monotonic clock in seconds."""

    def __init__(self, count: int, now: Callable[[], float], release_s: float = RELEASE_S) -> None:
        self._tuners = [_Tuner() for _ in range(count)]
        self._now = now
        self._release_s = release_s
        self.closed = False
        """True when recordings hold all tuners: `acquire` fails for new transponders."""

    def acquire(self, transponder: Transponder) -> bool:
        """Take a share of a tuner for the transponder; False if all are in use for others."""
        tuner = self._tuned_to(transponder) or self._free()
        if tuner is None:
            return False
        tuner.transponder = transponder
        tuner.users += 1
        return True

    def release(self, transponder: Transponder, *, at_once: bool = False) -> None:
        """Return one share. After `release_s`, or `at_once`, the tuner is free for others."""
        tuner = self._tuned_to(transponder)
        if tuner is None or tuner.users == 0:
            raise ValueError(f"no tuner is in use for {transponder}")
        tuner.users -= 1
        if tuner.users == 0:
            tuner.unused_since_s = float("-inf") if at_once else self._now()

    def available(self, transponder: Transponder, *, instead_of: Transponder | None = None) -> bool:
        """Return True if `acquire` would succeed now, or after one user of `instead_of` leaves."""
        given_up = self._tuned_to(instead_of) if instead_of else None
        return (
            self._tuned_to(transponder) is not None
            or self._free() is not None
            or (given_up is not None and given_up.users == 1)
        )

    @property
    def tuned(self) -> list[Transponder | None]:
        """Return the transponder of each tuner, None for a free one."""
        return [None if self._is_free(tuner) else tuner.transponder for tuner in self._tuners]

    def _tuned_to(self, transponder: Transponder) -> _Tuner | None:
        found = (t for t in self._tuners if t.transponder == transponder and not self._is_free(t))
        return next(found, None)

    def _free(self) -> _Tuner | None:
        if self.closed:
            return None
        return next((tuner for tuner in self._tuners if self._is_free(tuner)), None)

    def _is_free(self, tuner: _Tuner) -> bool:
        return tuner.users == 0 and self._now() - tuner.unused_since_s >= self._release_s

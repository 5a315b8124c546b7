"""The tuner ledger: decides which streams get a tuner of the receiver. It awaits nothing.

A tuner receives a transponder with all its services. So tuners are counted by
transponder, and another service of a tuned transponder needs no further tuner.

An upstream without viewers lingers and keeps its tuner until a request for another transponder
needs it. A receiver frees a tuner only seconds after its stream was closed, and recordings or the
television may use some of its tuners. So a receiver that refuses although a tuner is free by this
count is asked again for a while, but only if a tuner may come free.
"""

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from ..receiver.service_reference import ServiceReference

Holder = TypeVar("Holder", bound=Hashable)

RELEASE_S: Final = (0.5, 1.0, 2.0)
"""Waits before the receiver is asked again, one for each refusal."""

Transponder = tuple[int, int, int]
"""Namespace, transport stream id, original network id."""


def transponder(service: ServiceReference) -> Transponder | None:
    """Return the transponder of a service; None if the service needs no tuner."""
    if not service.is_dvb_service:
        return None
    _, _, _, _, tsid, onid, namespace, *_ = service.numbers
    return namespace, tsid, onid


@dataclass(frozen=True, slots=True)
class Grant:
    """Open the stream: a tuner is free, or the service needs none."""


@dataclass(frozen=True, slots=True)
class Share:
    """Open the stream: a tuner receives this transponder already."""


@dataclass(frozen=True, slots=True)
class Evict(Generic[Holder]):
    """Close these lingering holders, then open the stream: the tuner is reserved for it."""

    holders: tuple[Holder, ...]
    """One or more, in the order in which viewers left them."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not open the stream; the request holds nothing."""

    reason: str
    """One line for users."""


Decision: TypeAlias = Grant | Share | Evict[Holder] | Refuse


@dataclass(frozen=True, slots=True)
class Retry(Generic[Holder]):
    """Close these holders, wait, then ask the receiver again; the tuner stays reserved."""

    holders: tuple[Holder, ...]
    """Lingering holders of other tuners, in the order in which viewers left them; may be empty."""
    wait_s: float


@dataclass(eq=False, slots=True)
class _Lease:
    transponder: Transponder | None
    refusals: int = 0
    is_streaming: bool = False
    left: int | None = None
    """Number of the leave since which it has no viewers; None while it has."""
    is_closing: bool = False
    """Its tuner is free, or reserved for another holder: it only has to finish closing."""


class TunerLedger(Generic[Holder]):
    """The leases of one receiver's tuners.

    A holder opens one stream of the receiver; equal holders are the same one. The calls for it
    are `request`; then `began`, or `refused` for each refusal of the receiver; `lingers` and
    `watched` as viewers leave and come; `closing` when it starts to close its stream; and `release`
    in the end, whatever happened. Calls for a holder without a lease raise `KeyError`, except
    `closing` and `release`, which then do nothing.
    """

    def __init__(
        self, limit: int | None = None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`limit` is the number of tuners; None while it is unknown: then only the receiver
        refuses."""
        self.limit = limit
        """May change at any time. Leases above a lowered limit stay until they are released."""
        self._clock_s = clock_s
        self._leases: dict[Holder, _Lease] = {}
        self._leaves = 0
        self._freed_at_s = -math.inf

    @property
    def in_use(self) -> int:
        """Number of tuners that are tuned or reserved; those of closing holders do not count."""
        return len(self._tuned())

    @property
    def lingering(self) -> tuple[Holder, ...]:
        """Holders without viewers that are not closing, in the order in which viewers left them."""
        return self._in_order(lambda lease: True)

    @property
    def tuned(self) -> tuple[Holder, ...]:
        """One streaming holder of each transponder."""
        by_transponder = {
            lease.transponder: holder
            for holder, lease in self._leases.items()
            if lease.transponder is not None and lease.is_streaming and not lease.is_closing
        }
        return tuple(by_transponder.values())

    def request(self, holder: Holder, needed: Transponder | None) -> Decision[Holder]:
        """Decide whether the holder may open a stream that needs this transponder.

        Unless refused, it has a lease from now on. Evicted holders count as closing from now on,
        so two requests never evict the same one. Raises `ValueError` if the holder has a lease.
        """
        if holder in self._leases:
            raise ValueError("the holder has a lease already")
        tuned = self._tuned()
        evicted: tuple[Holder, ...] = ()
        if needed is not None and needed not in tuned and self.limit is not None:
            excess = len(tuned) + 1 - self.limit
            idle = self._idle_the_longest_first(tuned)
            if excess > len(idle):
                return Refuse(_all_in_use(self.limit))
            evicted = self._evict(idle[: max(0, excess)])
        self._leases[holder] = _Lease(needed)
        if evicted:
            return Evict(evicted)
        return Share() if needed in tuned else Grant()

    def began(self, holder: Holder) -> None:
        """Note that the receiver streams to the holder."""
        lease = self._leases[holder]
        lease.is_streaming, lease.refusals = True, 0

    def refused(self, holder: Holder) -> Retry[Holder] | None:
        """Decide what follows when the receiver refused the holder's stream.

        None: give up, since no tuner is about to come free, or the receiver was asked often enough.
        """
        lease = self._leases[holder]
        if lease.refusals == len(RELEASE_S):
            return None
        # Nobody knows which tuner would help: some may not reach the satellite.
        idle = self._idle_the_longest_first(self._tuned() - {lease.transponder})
        if not idle and not self._may_come_free():
            return None
        wait_s = RELEASE_S[lease.refusals]
        lease.refusals += 1
        return Retry(self._evict(idle), wait_s)

    def lost(self, holder: Holder) -> None:
        """Note that the holder's stream ended and is to be opened again, with the same lease."""
        lease = self._leases[holder]
        self._note_freed(lease)
        lease.is_streaming = False

    def lingers(self, holder: Holder) -> None:
        """Note that the last viewer left: the holder may be evicted."""
        self._leaves += 1
        self._leases[holder].left = self._leaves

    def watched(self, holder: Holder) -> None:
        """Note that the holder has viewers. Raises `ValueError` if it is closing."""
        lease = self._leases[holder]
        if lease.is_closing:
            raise ValueError("the holder is closing")
        lease.left = None

    def closing(self, holder: Holder) -> None:
        """Note that the holder closes its stream and takes no more viewers."""
        if (lease := self._leases.get(holder)) is not None:
            lease.is_closing = True

    def release(self, holder: Holder) -> None:
        """Give the lease back: the holder's stream is closed, or was never opened."""
        if (lease := self._leases.pop(holder, None)) is not None:
            self._note_freed(lease)

    def _tuned(self) -> set[Transponder]:
        return {
            lease.transponder
            for lease in self._leases.values()
            if lease.transponder is not None and not lease.is_closing
        }

    def _idle_the_longest_first(self, tuned: set[Transponder]) -> list[Transponder]:
        """Return the transponders of these that are free once their lingering holders close."""
        last_left: dict[Transponder, float] = dict.fromkeys(tuned, 0)
        for lease in self._leases.values():
            if lease.transponder in last_left and not lease.is_closing:
                left = math.inf if lease.left is None else lease.left
                last_left[lease.transponder] = max(left, last_left[lease.transponder])
        idle = (needed for needed, left in last_left.items() if left < math.inf)
        return sorted(idle, key=last_left.__getitem__)

    def _evict(self, transponders: list[Transponder]) -> tuple[Holder, ...]:
        evicted = self._in_order(lambda lease: lease.transponder in transponders)
        for holder in evicted:
            self._leases[holder].is_closing = True
        return evicted

    def _in_order(self, wanted: Callable[[_Lease], bool]) -> tuple[Holder, ...]:
        """Return the lingering holders among these, in the order in which viewers left them."""
        left = {
            holder: lease.left
            for holder, lease in self._leases.items()
            if lease.left is not None and not lease.is_closing and wanted(lease)
        }
        return tuple(sorted(left, key=left.__getitem__))

    def _note_freed(self, lease: _Lease) -> None:
        if lease.is_streaming and lease.transponder is not None:
            self._freed_at_s = self._clock_s()

    def _may_come_free(self) -> bool:
        """Return whether xg2g is closing a stream, or closed one so recently that the receiver may
        still hold its tuner."""
        return self._clock_s() - self._freed_at_s <= sum(RELEASE_S) or any(
            lease.is_closing and lease.is_streaming and lease.transponder is not None
            for lease in self._leases.values()
        )


def _all_in_use(limit: int) -> str:
    if limit == 1:
        return "the receiver's only tuner is in use"
    return f"all {limit} tuners of the receiver are in use"

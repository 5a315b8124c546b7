"""Tracks the clients of an HLS output by their requests, and detects when all have left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ...streaming.timers import CallLater, Timer

LEFT_S: Final = 0.5
"""How long the output continues after every client has announced that it leaves, or has closed its
connection before the channel opened."""
SILENT_LOW_LATENCY_S: Final = 0.5
"""Time without a request after which a low-latency client counts as gone: while it plays, it always
has a request waiting."""
MAX_CLIENTS: Final = 1000
"""Maximum number of clients of an output that are tracked separately."""


@dataclass(slots=True)
class _Client:
    asked_s: float
    pending: int = 0
    """Number of its requests that are being answered."""
    waits: bool = False
    """It has requested a part or playlist that did not exist yet, as low-latency clients do."""
    has_left: bool = False
    """It has announced that it leaves, and sent no request since."""
    has_broken_off: bool = False
    """It has closed its connection while it waited, and sent no request since."""


class Clients:
    """Counts clients, and detects when all have left.

    A low-latency client counts as gone after half a second without a request. Other clients send
    one request per target duration: they count as gone after two target durations without one.
    """

    def __init__(
        self,
        now: Callable[[], float],
        later: CallLater,
        *,
        silent_limit_s: Callable[[], float],
        is_open: Callable[[], bool],
        on_away: Callable[[bool], None],
        on_gone: Callable[[], None],
    ) -> None:
        """`silent_limit_s` returns the time without a request after which a client counts as gone,
        and `is_open` whether the first playlist exists. `on_away` is called with True when all
        clients seem to have left and with False when a request comes, `on_gone` when all have left.
        """
        self._now = now
        self._later = later
        self._silent_limit_s = silent_limit_s
        self._is_open = is_open
        self._on_away = on_away
        self._on_gone = on_gone
        self._by_name: dict[str, _Client] = {}
        self._pending = 0
        self._asked_s = now()
        self._is_closed = False
        self._gone_timer: Timer | None = None
        self._away_timer: Timer | None = None

    def __len__(self) -> int:
        """Return the number of clients that sent a request lately."""
        since_s = self._now() - self._silent_limit_s()
        return sum(
            it.pending > 0 or (it.asked_s > since_s and not it.has_left)
            for it in self._by_name.values()
        )

    @contextmanager
    def asking(self, name: str, *, waits: bool = False) -> Iterator[None]:
        """Count a request while the context is open. `waits`: it is for a part or playlist that
        does not exist yet."""
        self._pending += 1
        client = self._by_name.get(name)
        if client is None:
            client = _Client(self._now())
            if len(self._by_name) < MAX_CLIENTS:
                self._by_name[name] = client
        client.pending += 1
        client.has_left = client.has_broken_off = False
        client.waits |= waits
        self._report_away(False)
        try:
            yield
        finally:
            self._pending -= 1
            client.pending -= 1
            client.asked_s = self._asked_s = self._now()
            self._check_absence()

    def break_off(self, name: str) -> None:
        """Note that a client closed its connection while it waited."""
        if (client := self._by_name.get(name)) is not None:
            client.has_broken_off = True

    def leave(self, name: str) -> None:
        """Note that a client says that it leaves. It comes back with its next request."""
        if (client := self._by_name.get(name)) is not None:
            client.has_left = True
            self._check_absence()

    def check(self) -> None:
        """Call `on_gone` if nobody has been there for long enough, or look again later."""
        self._cancel(self._gone_timer)
        now_s, limit_s = self._now(), self._silent_limit_s()
        self._by_name = {
            name: it
            for name, it in self._by_name.items()
            if it.pending or now_s - it.asked_s < limit_s
        }
        if self._have_all_left:
            limit_s = LEFT_S
        since_s = now_s if self._pending else self._asked_s
        if now_s - since_s >= limit_s:
            self._on_gone()
            return
        self._gone_timer = self._later(since_s + limit_s - now_s, self.check)

    def close(self) -> None:
        """Stop the timers: the output has ended."""
        self._is_closed = True
        self._cancel(self._gone_timer)
        self._cancel(self._away_timer)

    @property
    def _have_all_left(self) -> bool:
        """Whether all have said so, or have not waited for the channel to open."""
        clients = self._by_name.values()
        return not self._is_open() or (bool(clients) and all(it.has_left for it in clients))

    def _check_absence(self) -> None:
        if self._pending or self._is_closed:
            return
        clients = self._by_name.values()
        if self._have_all_left:
            self.check()
        self._cancel(self._away_timer)
        if all(it.has_left or it.has_broken_off for it in clients):
            self._report_away(True)
        elif all(it.waits or it.has_left for it in clients):
            self._away_timer = self._later(SILENT_LOW_LATENCY_S, lambda: self._report_away(True))

    def _report_away(self, is_away: bool) -> None:
        self._cancel(self._away_timer)
        self._away_timer = None
        self._on_away(is_away)

    @staticmethod
    def _cancel(timer: Timer | None) -> None:
        if timer is not None:
            timer.cancel()

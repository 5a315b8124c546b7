"""The streams that failed last, and why: players show their users nothing of it."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

KEPT = 20
"""Failures that are remembered; an older one is forgotten for another."""
LONGEST_ID = 64
"""Characters of what a client asked for, whatever that was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A stream that did not open, or that broke."""

    at: datetime
    """When it last happened."""
    channel_id: str
    """What was asked for, which need not be a channel."""
    channel_name: str | None
    """None for what is in no bouquet."""
    viewer: str | None
    """Where the request came from; a proxy's address, if there is one."""
    status: int | None
    """The HTTP status that the viewer got; None when the stream had begun."""
    outcome: str
    """A word for programs."""
    reason: str
    """One line for a user: what is wrong, and what to do."""
    times: int = 1
    """How often in a row: players try again by themselves."""


class Failures:
    """The last failures, the latest first."""

    def __init__(self, today: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._today = today
        self._kept: deque[Failure] = deque(maxlen=KEPT)

    def __iter__(self) -> Iterator[Failure]:
        return iter(tuple(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def add(
        self,
        *,
        channel_id: str,
        channel_name: str | None,
        viewer: str | None,
        status: int | None,
        outcome: str,
        reason: str,
    ) -> Failure:
        """Remember a failure. The same one again is one that happened more often."""
        failure = Failure(
            at=self._today(),
            channel_id="".join(c if c.isprintable() else "?" for c in channel_id[:LONGEST_ID]),
            channel_name=channel_name,
            viewer=viewer,
            status=status,
            outcome=outcome,
            reason=reason,
        )
        for before in self._kept:
            if replace(before, at=failure.at, times=1) == failure:
                self._kept.remove(before)
                failure = replace(failure, times=before.times + 1)
                break
        self._kept.appendleft(failure)
        return failure

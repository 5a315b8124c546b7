"""The latest stream failures with their reasons, which players do not show."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

KEPT = 20
"""Maximum number of failures that are kept; a new one replaces the oldest."""
LONGEST_ID = 64
"""Maximum length of the requested id, which clients can choose freely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A stream that did not open, or that broke."""

    at: datetime
    """When it last happened."""
    channel_id: str
    """The requested id, which need not be a channel's."""
    channel_name: str | None
    """None for a service that is in no bouquet."""
    viewer: str | None
    """Remote address of the request; behind a proxy, the proxy's."""
    status: int | None
    """HTTP status of the answer; None when the stream had begun."""
    outcome: str
    """Machine-readable outcome."""
    reason: str
    """One line for users: the problem, then the fix."""
    times: int = 1
    """Number of the same failures in a row: players try again by themselves."""


class Failures:
    """The latest failures, the newest first."""

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
        """Add a failure. The same one again is counted at the one that is kept."""
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

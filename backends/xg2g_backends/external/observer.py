"""What the daemon may want to count."""

from typing import Protocol


class Observer(Protocol):
    """Told what happens between this backend and its services. Must not raise."""

    def retried(self) -> None:
        """A request was sent again, since its answer was lost."""

    def taken_over(self) -> None:
        """A stream whose transcoder was lost goes on with a new remuxer."""

    def fallen_back(self) -> None:
        """A stream is converted in this process, since no transcoder can be had."""

    def dropped(self, count: int) -> None:
        """So many bytes of input were dropped while no transcoder could be had."""


class Unobserved:
    """Counts nothing."""

    def retried(self) -> None:
        pass

    def taken_over(self) -> None:
        pass

    def fallen_back(self) -> None:
        pass

    def dropped(self, count: int) -> None:
        pass

"""Events of the external backend that a caller may want to count."""

from typing import Protocol


class Observer(Protocol):
    """Receiver of events between this backend and its transcoders. Its methods must not raise."""

    def retried(self) -> None:
        """A request was sent again because its response was lost."""

    def spliced(self) -> None:
        """A stream that lost its transcoder continues with a new remuxer."""

    def fallen_back(self) -> None:
        """A stream is converted in this process because no transcoder is available."""

    def dropped(self, count: int) -> None:
        """Input was dropped while no transcoder was available; `count` is in bytes."""


class NoObserver:
    """An observer that ignores every event."""

    def retried(self) -> None:
        pass

    def spliced(self) -> None:
        pass

    def fallen_back(self) -> None:
        pass

    def dropped(self, count: int) -> None:
        pass

"""A flag that calls whoever waits for it, without a task for each of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Signal:
    """Is set once, and stays so."""

    def __init__(self) -> None:
        self._is_set = False
        self._calls: list[Callable[[], None]] = []

    def set(self) -> None:
        """Set it, and call everybody who waits."""
        self._is_set = True
        for call in tuple(self._calls):
            call()

    def is_set(self) -> bool:
        """Return whether it was set."""
        return self._is_set

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Call when it is set, at once if it was, for as long as the context is open."""
        self._calls.append(call)
        try:
            if self._is_set:
                call()
            yield
        finally:
            self._calls.remove(call)

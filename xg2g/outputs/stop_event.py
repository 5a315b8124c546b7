"""An event that ends streams."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StopEvent:
    """A request to end streams, which is made once and stays.

    It runs callbacks, where `asyncio.Event` would need a waiting task for each stream.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._callbacks: list[Callable[[], None]] = []

    def set(self) -> None:
        """Make the request, and run the callbacks."""
        self._is_set = True
        for callback in tuple(self._callbacks):
            callback()

    def is_set(self) -> bool:
        """Return whether the request was made."""
        return self._is_set

    @contextmanager
    def on_set(self, callback: Callable[[], None]) -> Iterator[None]:
        """Run a callback when the request is made, while the context is open; at once if it was
        made before."""
        self._callbacks.append(callback)
        try:
            if self._is_set:
                callback()
            yield
        finally:
            self._callbacks.remove(callback)

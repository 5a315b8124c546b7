"""What has to be done to its end even if the caller is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

LAST_ERRANDS_S: Final = 2.0
"""For what is still to be done when the backend closes."""


class Errands:
    """Owns tasks that outlive the calls that began them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin `work`; it ends by itself, or with `aclose`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Begin `work` and wait for it. A caller who is cancelled leaves it running."""
        return await asyncio.shield(self.start(work))

    async def aclose(self) -> None:
        """Let what is under way end, for a moment, and cancel the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_ERRANDS_S)
        for task in tuple(self._tasks):
            task.cancel()

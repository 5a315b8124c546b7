"""Tasks that run to their end even when the caller is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

CLOSE_TIMEOUT_S: Final = 2.0
"""How long `aclose` waits for the tasks that are under way."""


class BackgroundTasks:
    """Owner of tasks that outlive the calls that started them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start `work`. It ends by itself, or with `aclose`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Start `work` and wait for it. Cancelling the caller does not cancel `work`."""
        return await asyncio.shield(self.start(work))

    async def aclose(self) -> None:
        """Wait up to `CLOSE_TIMEOUT_S` for the tasks, then cancel the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_TIMEOUT_S)
        for task in tuple(self._tasks):
            task.cancel()

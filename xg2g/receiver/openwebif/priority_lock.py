"""A lock with priority: urgent tasks get it before the others."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class PriorityLock:
    """A lock for tasks. Urgent ones come first, and equals in the order in which they asked."""

    def __init__(self) -> None:
        self._is_held = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def hold(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Wait for the lock, and hold it while the context is open."""
        await self._acquire(self._urgent if urgent else self._others)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, queue: deque[asyncio.Future[None]]) -> None:
        if not self._is_held:
            self._is_held = True
            return
        waiting = asyncio.get_running_loop().create_future()
        queue.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while queue := self._urgent or self._others:
            waiting = queue.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return
        self._is_held = False

"""Whose question is asked next."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turn:
    """One at a time; among those who wait, a viewer before everybody else."""

    def __init__(self) -> None:
        self._taken = False
        self._viewers: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def taken(self, *, by_viewer: bool = False) -> AsyncIterator[None]:
        """Wait for the turn, and have it for as long as the context is open."""
        await self._take(self._viewers if by_viewer else self._others)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        if not self._taken:
            self._taken = True
            return
        waiting = asyncio.get_running_loop().create_future()
        queue.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while queue := self._viewers or self._others:
            waiting = queue.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return
        self._taken = False

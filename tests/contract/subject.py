"""A backend under test."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from xg2g_backends.base import Backend, Remuxer


@dataclass(frozen=True)
class Subject:
    """A backend, and how a test makes a call of one of its remuxers stay inside."""

    backend: Backend
    hold: Callable[[Remuxer], None]
    """The next `process` of this remuxer stays inside until `release`."""
    held: Callable[[], int]
    """How many calls stay inside now."""
    release: Callable[[], None]

    async def until_freed(self) -> None:
        """Wait until no remuxer is open: a call that was cancelled may still be inside."""
        while (await self.backend.check()).open_remuxers:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def until_held(self, calls: int) -> None:
        """Wait until this many calls are held inside; the test's timeout is the limit."""
        while self.held() != calls:  # noqa: ASYNC110 - a thread that is inside tells nobody
            await asyncio.sleep(0.001)

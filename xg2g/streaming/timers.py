"""Delayed calls, which tests replace."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeAlias


class Timer(Protocol):
    """A delayed call."""

    def cancel(self) -> None:
        """Cancel the call."""
        ...


CallLater: TypeAlias = Callable[[float, Callable[[], None]], Timer]
"""Makes a call after a delay in seconds."""


def call_later(delay_s: float, call: Callable[[], None]) -> Timer:
    """Make a call after a delay in seconds of the event loop's time."""
    return asyncio.get_running_loop().call_later(delay_s, call)

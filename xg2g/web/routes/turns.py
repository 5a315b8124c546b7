"""Long work in the event loop, with turns for everybody else in between."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

AT_A_TIME = 100
"""Rows of an answer: one to three milliseconds."""


async def mapped(make: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Make something of each item."""
    made = list[B]()
    for item in items:
        made.append(make(item))
        if len(made) % AT_A_TIME == 0:
            await asyncio.sleep(0)
    return made

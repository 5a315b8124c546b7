"""A delay that an event can end early."""

import asyncio
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]


async def pause(delay_s: float, wake: asyncio.Event, sleep: Sleep) -> None:
    """Wait for `delay_s` seconds, or until `wake` is set, which is cleared first."""
    wake.clear()
    both = {asyncio.ensure_future(sleep(delay_s)), asyncio.create_task(wake.wait())}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in both:
            each.cancel()
        await asyncio.gather(*both, return_exceptions=True)

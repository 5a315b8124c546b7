"""A delay that an event can end early."""

import asyncio

import pytest

from xg2g.readiness.pause import pause

pytestmark = pytest.mark.anyio


async def forever(_: float) -> None:
    await asyncio.Event().wait()


async def test_a_pause_ends_after_its_time() -> None:
    asked_s: list[float] = []

    async def sleep(delay_s: float) -> None:
        asked_s.append(delay_s)

    async with asyncio.timeout(5):
        await pause(3600, asyncio.Event(), sleep)
    assert asked_s == [3600]


async def test_a_pause_ends_when_it_is_woken() -> None:
    woken = asyncio.Event()
    asyncio.get_running_loop().call_soon(woken.set)
    async with asyncio.timeout(5):
        await pause(3600, woken, forever)


@pytest.mark.parametrize("turns", range(4))
async def test_a_pause_can_be_cancelled_at_the_moment_when_it_is_woken(turns: int) -> None:
    woken = asyncio.Event()
    pausing = asyncio.create_task(pause(3600, woken, forever))
    await asyncio.sleep(0)
    woken.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    was_over = pausing.done()
    pausing.cancel()
    await asyncio.wait({pausing}, timeout=5)
    assert pausing.cancelled() or was_over

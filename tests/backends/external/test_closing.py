"""Calls after the end, callers that are cancelled, and closing."""

import asyncio
import gc
import warnings

import pytest

from tests.backends.external.stand_in import stand_in
from tests.backends.external.world import STREAM, World, one_service
from xg2g_backends.errors import (
    ClosedError,
    FinishedError,
)

pytestmark = pytest.mark.anyio


async def test_calls_after_the_end_are_refused() -> None:
    async with one_service() as (world, _):
        remuxer = await world.open()
        await remuxer.finish()
        with pytest.raises(FinishedError):
            await remuxer.process(STREAM)
        await remuxer.aclose()
        with pytest.raises(ClosedError):
            await remuxer.process(STREAM)


async def test_a_caller_cancelled_while_opening_leaves_no_remuxer_behind() -> None:
    async with one_service() as (world, service):
        opening = asyncio.create_task(world.open())
        while not service.requests:  # noqa: ASYNC110
            await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await world.backend.aclose()
        assert len(service.all) == 1
        assert not service.remotes


async def test_a_caller_cancelled_while_closing_leaves_no_remuxer_behind() -> None:
    async with one_service() as (world, service):
        remuxer = await world.open()
        closing = asyncio.create_task(remuxer.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await world.backend.aclose()
        assert not service.remotes


async def test_a_stream_opens_on_a_service_that_another_stream_gives_up_meanwhile() -> None:
    async with one_service() as (world, service):
        [remote] = world.backend._context.pool.transcoders
        opening = asyncio.create_task(world.open())
        while not service.all:
            remote.forget_description()
            await asyncio.sleep(0)
        async with await opening as remuxer:
            assert (await remuxer.process(STREAM)).data == STREAM


async def test_closing_does_not_wait_for_a_lost_service() -> None:
    async with stand_in() as service:
        made = World([service], live=True, fallback=None)
        remuxer = await made.open()
    await remuxer.aclose()
    await made.backend.aclose()


async def test_a_remuxer_that_was_not_closed_is_a_resource_warning() -> None:
    async with one_service() as (world, _):
        remuxer = await world.open()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del remuxer
            gc.collect()
    assert [str(w.message).split()[0] for w in caught if "ExternalRemuxer" in str(w.message)] == [
        "<xg2g_backends.external.remuxer.ExternalRemuxer"
    ]

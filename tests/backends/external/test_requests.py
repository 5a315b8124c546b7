"""Which transcoder gets a remuxer, and how chunks become requests."""

import asyncio

import pytest

from tests.backends.external.stand_in import Refusal, stand_in
from tests.backends.external.world import PIECES, STREAM, one_service, world
from xg2g_backends.base import Piece, RemuxOptions
from xg2g_backends.errors import (
    InvalidArgumentError,
    UnavailableError,
)
from xg2g_backends.external.transcoder import INSTANCES_ASKED

pytestmark = pytest.mark.anyio


async def test_streams_spread_over_the_services() -> None:
    async with stand_in() as first, stand_in() as second, world(first, second) as made:
        remuxers = [await made.open() for _ in range(6)]
        assert (len(first.remotes), len(second.remotes)) == (3, 3)
        for remuxer in remuxers:
            await remuxer.aclose()
        assert (len(first.remotes), len(second.remotes)) == (0, 0)


async def test_a_full_service_pauses_and_the_next_one_gets_the_stream() -> None:
    async with stand_in() as first, stand_in() as second, world(first, second) as made:
        first.refusals.append(Refusal(503, "Full", {"retry-after": "5"}))
        remuxers = [await made.open() for _ in range(4)]
        assert (len(first.remotes), len(second.remotes)) == (0, 4)
        made.clock.now_s += 5
        remuxers += [await made.open(), await made.open()]
        assert (len(first.remotes), len(second.remotes)) == (1, 5)
        for remuxer in remuxers:
            await remuxer.aclose()


@pytest.mark.parametrize("retry_after", ["nan", "inf", "-5", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_full_service_with_a_strange_retry_after_is_tried_again_soon(
    retry_after: str,
) -> None:
    async with one_service() as (world, service):
        service.refusals.append(Refusal(503, "Full", {"retry-after": retry_after}))
        with pytest.raises(UnavailableError):
            await world.open()
        pool = world.backend._context.pool
        assert pool.next_due_in_s() == pytest.approx(1)
        world.clock.now_s += 1.01
        await (await pool.open_now(RemuxOptions())).aclose()


async def test_when_every_service_is_full_the_stream_is_refused_with_the_reason() -> None:
    async with one_service() as (world, service):
        service.refusals.append(Refusal(503, "Full", {"retry-after": "5"}))
        with pytest.raises(UnavailableError, match="is full: Full"):
            await world.open()


async def test_options_that_a_service_refuses_are_an_invalid_argument() -> None:
    async with one_service() as (world, service):
        service.refusals.append(Refusal(400, "InvalidArgument"))
        with pytest.raises(InvalidArgumentError):
            await world.open()


async def test_a_service_too_old_for_a_splice_does_not_end_the_stream() -> None:
    async with stand_in() as first, stand_in() as second, world(first, second) as made:
        async with await made.open() as remuxer:
            await remuxer.process(PIECES[0])
            first.die()
            second.refusals.append(Refusal(400, "InvalidArgument"))
            assert (await remuxer.process(PIECES[1])).data
        assert [remote.options["generation"] for remote in first.all] == [0, 1]


async def test_bodies_are_no_longer_than_the_service_accepts() -> None:
    async with one_service() as (world, service):
        service.description["max_body_bytes"] = 5000
        async with await world.open() as remuxer:
            output = (await remuxer.process(STREAM)).data
    assert output == STREAM
    assert max(map(len, service.all[0].bodies)) == 5000


async def test_chunks_that_arrive_during_a_request_leave_together_in_the_next() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        outputs = await asyncio.gather(*map(remuxer.process, PIECES[:5]))
    # The first call had the turn before the others were made.
    assert list(map(len, service.all[0].bodies)) == [30_000, 120_000]
    # One output goes on where the one before it ends, and the rest of a packet is held.
    assert Piece.joined(outputs).data == STREAM[: 150_000 - 150_000 % 188]


async def test_connections_are_reused() -> None:
    async with one_service() as (world, service), await world.open() as remuxer:
        opening = service.connections
        for piece in PIECES:
            await remuxer.process(piece)
    assert service.connections == opening + 1


async def test_each_remuxer_is_opened_on_a_new_connection_so_that_a_load_balancer_chooses() -> None:
    async with one_service() as (world, service):
        for _ in range(3):
            async with await world.open() as remuxer:
                await remuxer.process(PIECES[0])
    assert len({id(connection) for connection in service.opened_on}) == 3


async def test_requests_follow_a_location_past_the_load_balancer_with_the_token() -> None:
    async with stand_in() as balancer, stand_in() as instance, world(balancer) as made:
        for service in (balancer, instance):
            service.token = "secret"
        balancer.location = f"{instance.address.url}/v1/remuxers/"
        instance.remotes = balancer.remotes
        async with await made.open() as remuxer:
            assert (await remuxer.process(STREAM)).data == STREAM
        assert not balancer.remotes
    assert [request.split()[0] for request in balancer.requests] == ["GET", "POST"]
    assert {request.split()[0] for request in instance.requests} == {"POST", "DELETE"}


async def test_a_lost_instance_does_not_make_its_load_balancer_pause() -> None:
    async with stand_in() as balancer, world(balancer) as made:
        async with stand_in() as instance:
            balancer.location = f"{instance.address.url}/v1/remuxers/"
            instance.remotes = balancer.remotes
            remuxer = await made.open()
        balancer.location = "/v1/remuxers/"
        assert (await remuxer.process(STREAM)).data
        await remuxer.aclose()
    assert [remote.options["generation"] for remote in balancer.all] == [0, 1]


@pytest.mark.parametrize(
    "refusal",
    [Refusal(503, "Stopping"), Refusal(503, "Full", {"retry-after": "30"}), Refusal(502, "")],
)
async def test_a_viewer_is_not_refused_while_another_instance_has_room(refusal: Refusal) -> None:
    async with stand_in() as balancer, stand_in() as instance, world(balancer) as made:
        balancer.location = f"{instance.address.url}/v1/remuxers/"
        instance.remotes = balancer.remotes
        async with await made.open():
            balancer.refusals.extend([refusal] * (INSTANCES_ASKED - 1))
            async with await made.open():
                assert len(balancer.remotes) == 2
            assert made.backend._context.pool.next_due_in_s() == 0


async def test_instances_that_all_refuse_refuse_the_viewer() -> None:
    async with stand_in() as balancer, stand_in() as instance, world(balancer) as made:
        balancer.location = f"{instance.address.url}/v1/remuxers/"
        instance.remotes = balancer.remotes
        async with await made.open():
            balancer.refusals.extend([Refusal(503, "Full")] * 2 * INSTANCES_ASKED)
            with pytest.raises(UnavailableError, match="is full"):
                await made.open()
            assert len(balancer.refusals) == INSTANCES_ASKED


async def test_a_service_that_is_one_instance_refuses_once() -> None:
    async with one_service() as (world, service), await world.open():
        service.refusals.extend([Refusal(503, "Full")] * 2)
        with pytest.raises(UnavailableError, match="is full"):
            await world.open()
        assert len(service.refusals) == 1

"""Clients of an output: who is still there, and what is held for them."""

import pytest

from tests.xg2g.outputs.hls.doubles import house
from tests.xg2g.streaming.receiver import turns
from xg2g.metrics import Outcome

pytestmark = pytest.mark.anyio


async def test_an_output_ends_two_target_durations_after_the_last_request() -> None:
    async with house() as home:
        output = await home.plays()
        limit_s = 2 * output.presentation.target_duration
        await home.clock.passes(limit_s - 0.1)
        assert not output.is_over
        with output.clients.asking("player"):
            pass
        await home.clock.passes(limit_s - 0.1)
        assert not output.is_over
        assert len(home.viewers) == 1
        await home.clock.passes(0.2)
        home.assert_nothing_held()
        assert home.outcome(Outcome.VIEWER_LEFT) == 1


async def test_a_request_that_waits_keeps_the_output() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("player", waits=True):
            await home.clock.passes(60)
            assert not output.is_over
        await home.clock.passes(60)
        home.assert_nothing_held()


async def test_players_are_counted_separately_and_forgotten() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("another"):
            assert output.viewer.count() == 2
        await home.clock.passes(2 * output.presentation.target_duration - 1)
        with output.clients.asking("another"):
            await home.clock.passes(2)
            assert output.viewer.count() == 1


async def test_a_player_that_says_it_leaves_ends_the_output_within_a_second() -> None:
    async with house() as home:
        output = await home.plays()
        output.clients.leave("player")
        (reader,) = home.source.open_now
        assert reader.makes_way
        await home.clock.passes(1)
        home.assert_nothing_held()


async def test_a_player_that_comes_back_at_once_has_not_left() -> None:
    async with house() as home:
        output = await home.plays()
        output.clients.leave("player")
        with output.clients.asking("player"):
            (reader,) = home.source.open_now
            assert not reader.makes_way
        await home.clock.passes(1)
        assert not output.is_over


async def test_a_player_that_leaves_does_not_end_the_output_for_others() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("another"):
            pass
        output.clients.leave("player")
        (reader,) = home.source.open_now
        await home.clock.passes(1)
        assert not output.is_over
        assert not reader.makes_way


async def test_low_latency_players_that_are_silent_let_the_tuner_go() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("player", waits=True):
            pass
        (reader,) = home.source.open_now
        moments = [reader.makes_way]
        await home.clock.passes(0.6)
        moments.append(reader.makes_way)
        assert moments == [False, True]
        with output.clients.asking("player", waits=True):
            assert not reader.makes_way


async def test_a_player_that_is_back_keeps_the_tuner_when_another_one_leaves() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("player", waits=True):
            pass
        with output.clients.asking("another", waits=True):
            pass
        output.clients.leave("another")
        (reader,) = home.source.open_now
        with output.clients.asking("player", waits=True):
            await home.clock.passes(2)
            assert not reader.makes_way


async def test_players_without_low_latency_keep_the_tuner_between_their_requests() -> None:
    async with house() as home:
        output = await home.plays()
        (reader,) = home.source.open_now
        await home.clock.passes(1.9 * output.presentation.target_duration)
        assert not output.is_over
        assert not reader.makes_way


async def test_a_tuner_that_was_let_go_and_is_taken_ends_the_output_without_a_trace() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("player", waits=True):
            output.clients.break_off("player")
        (reader,) = home.source.open_now
        assert reader.makes_way
        home.source.pieces.put_nowait(b"")
        await home.source.sent
        home.assert_nothing_held()
        assert home.outcome(Outcome.VIEWER_LEFT) == 1


async def test_an_opening_output_that_all_players_left_ends() -> None:
    async with house() as home:
        output = home.open()
        with output.clients.asking("player"):
            await turns()
        await home.clock.passes(0.6)
        assert output.is_over
        assert list(home.failures) == []
        home.assert_nothing_held()


async def test_a_player_that_vanished_long_ago_does_not_keep_the_tuner() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("low latency", waits=True):
            await home.clock.passes(60)
        await home.clock.passes(0.6)
        (reader,) = home.source.open_now
        assert reader.makes_way

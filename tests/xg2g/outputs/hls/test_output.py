"""The life of an output: its requests, and what ends it."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from tests.xg2g.outputs.hls.doubles import CLIP, MPEG2, house
from tests.xg2g.streaming.receiver import turns
from xg2g.metrics import Outcome
from xg2g.outputs.hls import output as outputs_module
from xg2g.outputs.hls import packaging as packaging_module
from xg2g.outputs.hls.output import ENDED_S, RefusedError
from xg2g.outputs.hls.outputs import MAX_OUTPUTS, TooManyError
from xg2g.outputs.hls.requests import Decision
from xg2g.receiver.errors import NoTunerError, UnreachableError
from xg2g_backends.base import RemuxOptions
from xg2g_backends.errors import UnavailableError

pytestmark = pytest.mark.anyio


async def test_a_request_waits_no_longer_than_it_is_allowed_to() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("player", waits=True):
            waiting = asyncio.create_task(output.decided(lambda: Decision.WAIT, within_s=6))
            await home.clock.passes(5.9)
            assert not waiting.done()
            assert len(output.waiting) == 1
            await home.clock.passes(0.2)
            assert await waiting is Decision.WAIT
        assert len(output.waiting) == 0


async def test_a_request_whose_client_left_waits_no_more() -> None:
    async with house() as home:
        output = await home.plays()
        waiting = asyncio.create_task(output.decided(lambda: Decision.WAIT, within_s=6))
        await turns()
        waiting.cancel()
        await asyncio.wait({waiting})
        assert len(output.waiting) == 0


async def test_a_segment_answers_the_requests_that_wait_for_it_alone() -> None:
    async with house() as home:
        output = await home.plays()
        number, part = output.presentation.renditions["video"].position

        def until(wanted: int) -> Callable[[], Decision]:
            return lambda: (
                Decision.SERVE
                if output.presentation.renditions["video"].has(wanted, None)
                else Decision.WAIT
            )

        next_one, later = (
            asyncio.create_task(output.decided(until(wanted), within_s=60))
            for wanted in (number, number + 1000)
        )
        await turns()
        home.source.send(CLIP)
        assert await asyncio.wait_for(next_one, 20) is Decision.SERVE
        assert not later.done()
        later.cancel()


async def test_all_requests_for_a_channel_find_the_same_output() -> None:
    async with house() as home:
        found = {home.open() for _ in range(50)}
        await turns()
    assert len(found) == 1
    assert home.source.opened == 1


@pytest.mark.parametrize("changed", ["options", "receiver"])
async def test_after_other_settings_a_channel_is_opened_anew_and_its_players_play_on(
    changed: str,
) -> None:
    async with house() as home:
        before = await home.plays()
        other = {"options": RemuxOptions(bitrate=128_000), "receiver": object()}
        setattr(home.source, changed, other[changed])
        after = home.open()
        assert after is not before
        assert home.open() is after
        assert home.outputs.find("one", before.run) is before
        assert not before.is_over


async def test_a_playlist_is_written_once_for_all_clients_and_anew_after_each_change() -> None:
    async with house() as home:
        output = await home.plays()
        first = output.playlist("video")
        assert output.playlist("video") is first
        home.source.send(CLIP)
        await home.source.sent
        assert output.playlist("video").plain != first.plain


async def test_the_next_output_of_a_channel_has_another_run() -> None:
    async with house() as home:
        first = await home.plays()
        await home.clock.passes(60)
        second = await home.plays()
        assert second.run != first.run
        assert home.outputs.find("one", first.run) is None
        assert home.outputs.find("one", second.run) is second
        assert home.outputs.find("other", second.run) is None


async def test_the_playlists_of_a_stream_that_ended_say_so_for_a_while() -> None:
    async with house() as home:
        output = await home.plays()
        with output.clients.asking("player", waits=True):
            waiting = asyncio.create_task(output.decided(lambda: Decision.WAIT, within_s=60))
            await turns()
            home.source.pieces.put_nowait(b"")
            await asyncio.wait_for(waiting, 20)
        assert b"#EXT-X-ENDLIST" in output.playlist("video").plain
        assert len(home.viewers) == 0
        assert home.outputs.find("one", output.run) is output
        assert home.open() is not output
        await home.clock.passes(ENDED_S)
        assert home.outputs.find("one", output.run) is None
        assert home.outcome(Outcome.RECEIVER_ENDED) == 1


async def test_a_stream_that_broke_is_a_failure_and_ends_the_playlists() -> None:
    async with house() as home:
        output = await home.plays()
        home.source.pieces.put_nowait(UnreachableError("the receiver is gone"))
        await home.source.sent
        assert output.is_over
        assert b"#EXT-X-ENDLIST" in output.playlist("video").plain
        (failure,) = home.failures
        assert (failure.reason, failure.status) == ("the receiver is gone", None)
        assert home.outcome(Outcome.RECEIVER_UNREACHABLE) == 1
        await home.clock.passes(ENDED_S)


async def test_all_requests_for_a_channel_that_does_not_open_get_the_reason_of_one_failure() -> (
    None
):
    async with house() as home:
        home.source.error = NoTunerError("all tuners are in use")
        output = home.open()
        answers = await asyncio.gather(*(output.ready() for _ in range(5)), return_exceptions=True)
        for each in answers:
            assert isinstance(each, RefusedError)
            assert (each.refusal.status, str(each)) == (503, "all tuners are in use")
        (failure,) = home.failures
        assert (failure.times, failure.status) == (1, 503)
        home.assert_nothing_held()


async def test_a_channel_whose_picture_no_player_decodes_is_refused_at_once() -> None:
    async with house() as home:
        output = home.open()
        home.source.send(MPEG2)
        with pytest.raises(RefusedError) as refused:
            await output.ready()
        assert refused.value.refusal.status == 406
        assert "MPEG-2" in str(refused.value)
        home.assert_nothing_held()


async def test_a_stream_without_anything_to_play_is_refused_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packaging_module, "FIRST_PLAYLIST_S", 0.05)
    async with house() as home:
        output = home.open()
        home.source.send(b"\x47\x1f\xff\x10".ljust(188, b"\xff") * 100)
        with output.clients.asking("player"), pytest.raises(RefusedError) as refused:
            await output.ready()
        assert refused.value.refusal.status == 504
        home.assert_nothing_held()


async def test_without_the_library_no_tuner_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: Any) -> None:
        raise UnavailableError("the library does not load")

    monkeypatch.setattr(outputs_module, "Packager", fails)
    async with house() as home:
        output = home.open()
        with pytest.raises(RefusedError) as refused:
            await output.ready()
        assert (refused.value.refusal.status, str(refused.value)) == (
            503,
            "the library does not load",
        )
        assert home.source.opened == 0


async def test_an_output_that_is_terminated_is_over_for_all() -> None:
    async with house() as home:
        output = await home.plays()
        (viewer,) = home.viewers
        viewer.terminated.set()
        await turns()
        assert not home.source.open_now
        assert b"#EXT-X-ENDLIST" in output.playlist("video").plain
        assert home.outcome(Outcome.TERMINATED) == 1
        await home.clock.passes(ENDED_S)


async def test_a_stream_that_breaks_while_it_is_terminated_is_reported_once() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with house() as home:
        output = await home.plays()
        home.source.error_at_end = UnreachableError("the receiver is gone")
        (viewer,) = home.viewers
        viewer.terminated.set()
        await turns()
        assert output.is_over
        assert home.outcome(Outcome.TERMINATED) == 1
        await home.clock.passes(ENDED_S)
    # What nobody asked of a task is told when it is collected.
    del output, viewer, home
    gc.collect()
    await turns()
    assert told == []


@pytest.mark.parametrize("is_playing", [True, False])
async def test_the_end_of_the_daemon_ends_every_output(is_playing: bool) -> None:
    async with house() as home:
        output = await home.plays() if is_playing else home.open()
        await turns()
        with output.clients.asking("player", waits=True):
            waiting = asyncio.create_task(output.decided(lambda: Decision.WAIT, within_s=60))
            ready = asyncio.create_task(output.ready())
            await turns()
            home.stopping.set()
            await asyncio.wait({waiting, ready}, timeout=20)
            assert waiting.done()
            assert (ready.exception() is None) is is_playing
        home.assert_nothing_held()
        assert home.outcome(Outcome.SHUTDOWN) == 1


async def test_there_are_no_more_outputs_than_are_allowed() -> None:
    async with house() as home:
        for number in range(MAX_OUTPUTS):
            home.open(str(number))
        with pytest.raises(TooManyError):
            home.open("one too many")
        assert home.open("0") in set(home.outputs)

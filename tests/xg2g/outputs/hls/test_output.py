"""The life of an output: who asks, who left, and what ends it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import xg2g.simulator
from tests.xg2g.streaming.receiver import turns
from xg2g.metrics import Metrics, Outcome
from xg2g.outputs.failures import Failures
from xg2g.outputs.hls import output as outputs_module
from xg2g.outputs.hls.options import HlsOptions
from xg2g.outputs.hls.output import ENDED_S, HlsOutput, RefusedError
from xg2g.outputs.hls.outputs import MAX_OUTPUTS, HlsOutputs, TooManyError
from xg2g.outputs.hls.pace import AHEAD_S, Pace
from xg2g.outputs.hls.requests import Decision
from xg2g.outputs.stop_event import StopEvent
from xg2g.outputs.viewers import Viewers
from xg2g.receiver.errors import NoTunerError, ReceiverError, UnreachableError
from xg2g.receiver.service_reference import ServiceReference
from xg2g_backends.base import RemuxStats
from xg2g_backends.errors import UnavailableError

pytestmark = pytest.mark.anyio

CLIP = (Path(xg2g.simulator.__file__).parent / "clips" / "one-hd.ts").read_bytes()
MPEG2 = (Path(xg2g.simulator.__file__).parent / "clips" / "mpeg2.ts").read_bytes()
PIECE_BYTES = 188 * 200
MANY = 2000
"""Turns of the event loop in which all that was sent is read."""
SERVICE = ServiceReference.parse("1:0:19:65:1:1:C00000:0:0:0:")


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._calls: list[tuple[float, Callable[[], None], Timer]] = []

    def now(self) -> float:
        return self.now_s

    def later(self, delay_s: float, call: Callable[[], None]) -> "Timer":
        timer = Timer()
        self._calls.append((self.now_s + delay_s, call, timer))
        return timer

    async def passes(self, seconds: float) -> None:
        """Let this time pass, with everybody having a turn at each moment that somebody waits
        for."""
        until_s = self.now_s + seconds
        while True:
            await turns()
            self._calls = [each for each in self._calls if not each[2].cancelled]
            due = [each for each in self._calls if each[0] <= until_s]
            if not due:
                break
            first = min(due, key=lambda each: each[0])
            self._calls.remove(first)
            self.now_s = max(self.now_s, first[0])
            first[1]()
        self.now_s = until_s
        await turns()

    @property
    def pending(self) -> int:
        return sum(not timer.cancelled for _, _, timer in self._calls)


class Timer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Reader:
    """Reads what a test sends."""

    def __init__(self, pieces: "asyncio.Queue[bytes | Exception]") -> None:
        self._pieces = pieces
        self.makes_way = False
        self.unread_bytes = 0
        self.may_rush = False

    async def read(self) -> bytes:
        piece = await self._pieces.get()
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def stats(self) -> RemuxStats:
        return RemuxStats()


class Source:
    """In the place of the hub: a stream each time, of what a test sends."""

    def __init__(self) -> None:
        self.opened = 0
        self.open_now: list[Reader] = []
        self.error: ReceiverError | None = None
        self.error_at_end: ReceiverError | None = None
        self.pieces: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    @asynccontextmanager
    async def open_first(
        self, services: Sequence[ServiceReference], *, from_oldest: bool = False
    ) -> AsyncIterator[Reader]:
        assert from_oldest
        self.opened += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        reader = Reader(self.pieces)
        self.open_now.append(reader)
        try:
            yield reader
        finally:
            self.open_now.remove(reader)
            if self.error_at_end is not None:
                raise self.error_at_end

    def send(self, clip: bytes) -> None:
        for at in range(0, len(clip), PIECE_BYTES):
            self.pieces.put_nowait(clip[at : at + PIECE_BYTES])

    @property
    async def sent(self) -> None:
        """All was read."""
        async with asyncio.timeout(20):
            while not self.pieces.empty():  # noqa: ASYNC110
                await asyncio.sleep(0)
        await turns()


class House:
    """The outputs of a daemon, and what they stand on."""

    def __init__(self, options: HlsOptions | None = None) -> None:
        self.clock = Clock()
        self.source = Source()
        self.metrics = Metrics()
        self.viewers = Viewers()
        self.failures = Failures()
        self.stopping = StopEvent()
        hub: Any = self.source
        self.outputs = HlsOutputs(
            hub,
            options or HlsOptions(),
            metrics=self.metrics,
            viewers=self.viewers,
            failures=self.failures,
            stopping=self.stopping,
            now=self.clock.now,
            today=lambda: datetime(2026, 11, 26, tzinfo=UTC),
            later=self.clock.later,
        )

    def open(self, channel_id: str = "one") -> HlsOutput:
        return self.outputs.get_or_open(channel_id, [SERVICE], name="One", address="192.0.2.1")

    async def plays(self) -> HlsOutput:
        """An output whose first playlist is there."""
        output = self.open()
        self.source.send(CLIP)
        with output.asking("player"):
            await output.ready()
            await self.source.sent
        return output

    def outcome(self, outcome: Outcome) -> float:
        count: float = self.metrics.outcomes.labels(outcome)._value.get()
        return count

    def assert_nothing_held(self) -> None:
        assert not self.source.open_now
        assert len(self.viewers) == 0
        assert self.metrics.streams._value.get() == 0
        assert len(self.outputs) == 0
        assert self.clock.pending == 0


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    built = House()
    try:
        yield built
    finally:
        await built.outputs.aclose()
        built.assert_nothing_held()


async def test_an_output_ends_two_target_durations_after_the_last_request() -> None:
    async with house() as home:
        output = await home.plays()
        limit_s = 2 * output.presentation.target_duration
        await home.clock.passes(limit_s - 0.1)
        assert not output.is_over
        with output.asking("player"):
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
        with output.asking("player", waits=True):
            await home.clock.passes(60)
            assert not output.is_over
        await home.clock.passes(60)
        home.assert_nothing_held()


async def test_a_request_waits_no_longer_than_it_is_allowed_to() -> None:
    async with house() as home:
        output = await home.plays()
        with output.asking("player", waits=True):
            waiting = asyncio.create_task(output.decided(lambda: Decision.WAIT, within_s=6))
            await home.clock.passes(5.9)
            assert not waiting.done()
            assert output.waiting == 1
            await home.clock.passes(0.2)
            assert await waiting is Decision.WAIT
        assert output.waiting == 0


async def test_a_request_whose_client_left_waits_no_more() -> None:
    async with house() as home:
        output = await home.plays()
        waiting = asyncio.create_task(output.decided(lambda: Decision.WAIT, within_s=6))
        await turns()
        waiting.cancel()
        await asyncio.wait({waiting})
        assert output.waiting == 0


async def test_what_comes_answers_those_who_wait_for_it_and_nobody_else() -> None:
    async with house() as home:
        output = await home.plays()
        number, part = output.presentation.position("video")

        def until(wanted: int) -> Callable[[], Decision]:
            return lambda: (
                Decision.SERVE if output.presentation.has("video", wanted, None) else Decision.WAIT
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


async def test_all_who_come_for_a_channel_find_the_same_output() -> None:
    async with house() as home:
        found = {home.open() for _ in range(50)}
        await turns()
    assert len(found) == 1
    assert home.source.opened == 1


async def test_the_next_output_of_a_channel_has_another_run() -> None:
    async with house() as home:
        first = await home.plays()
        await home.clock.passes(60)
        second = await home.plays()
        assert second.run != first.run
        assert home.outputs.find("one", first.run) is None
        assert home.outputs.find("one", second.run) is second
        assert home.outputs.find("other", second.run) is None


async def test_a_stream_that_ended_is_told_to_those_who_watch_and_kept_for_a_while() -> None:
    async with house() as home:
        output = await home.plays()
        with output.asking("player", waits=True):
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


async def test_a_stream_that_broke_is_told_as_a_failure_and_ends_the_playlists() -> None:
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


async def test_all_who_wait_for_a_channel_that_does_not_open_are_told_why_once() -> None:
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
    monkeypatch.setattr(outputs_module, "FIRST_PLAYLIST_S", 0.05)
    async with house() as home:
        output = home.open()
        home.source.send(b"\x47\x1f\xff\x10".ljust(188, b"\xff") * 100)
        with output.asking("player"), pytest.raises(RefusedError) as refused:
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


async def test_who_ends_an_output_ends_it_for_everybody() -> None:
    async with house() as home:
        output = await home.plays()
        (viewer,) = home.viewers
        viewer.terminated.set()
        await turns()
        assert not home.source.open_now
        assert b"#EXT-X-ENDLIST" in output.playlist("video").plain
        assert home.outcome(Outcome.TERMINATED) == 1
        await home.clock.passes(ENDED_S)


async def test_a_stream_that_breaks_while_somebody_ends_it_is_told_once() -> None:
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
        with output.asking("player", waits=True):
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


async def test_players_are_told_apart_and_forgotten() -> None:
    async with house() as home:
        output = await home.plays()
        with output.asking("another"):
            assert output.viewer.count() == 2
        await home.clock.passes(2 * output.presentation.target_duration - 1)
        with output.asking("another"):
            await home.clock.passes(2)
            assert output.viewer.count() == 1


async def test_a_player_that_says_it_leaves_ends_the_output_within_a_second() -> None:
    async with house() as home:
        output = await home.plays()
        output.leave("player")
        (reader,) = home.source.open_now
        assert reader.makes_way
        await home.clock.passes(1)
        home.assert_nothing_held()


async def test_a_player_that_comes_back_at_once_has_not_left() -> None:
    async with house() as home:
        output = await home.plays()
        output.leave("player")
        with output.asking("player"):
            (reader,) = home.source.open_now
            assert not reader.makes_way
        await home.clock.passes(1)
        assert not output.is_over


async def test_a_player_that_leaves_takes_nobody_else_along() -> None:
    async with house() as home:
        output = await home.plays()
        with output.asking("another"):
            pass
        output.leave("player")
        (reader,) = home.source.open_now
        await home.clock.passes(1)
        assert not output.is_over
        assert not reader.makes_way


async def test_low_latency_players_that_are_silent_let_the_tuner_go() -> None:
    async with house() as home:
        output = await home.plays()
        with output.asking("player", waits=True):
            pass
        (reader,) = home.source.open_now
        moments = [reader.makes_way]
        await home.clock.passes(0.6)
        moments.append(reader.makes_way)
        assert moments == [False, True]
        with output.asking("player", waits=True):
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
        with output.asking("player", waits=True):
            output.break_off("player")
        (reader,) = home.source.open_now
        assert reader.makes_way
        home.source.pieces.put_nowait(b"")
        await home.source.sent
        home.assert_nothing_held()
        assert home.outcome(Outcome.VIEWER_LEFT) == 1


async def test_nobody_waits_for_a_channel_that_everybody_has_left_before_it_opened() -> None:
    async with house() as home:
        output = home.open()
        with output.asking("player"):
            await turns()
        await home.clock.passes(0.6)
        assert output.is_over
        assert list(home.failures) == []
        home.assert_nothing_held()


async def test_a_player_that_vanished_long_ago_does_not_keep_the_tuner() -> None:
    async with house() as home:
        output = await home.plays()
        with output.asking("low latency", waits=True):
            await home.clock.passes(60)
        await home.clock.passes(0.6)
        (reader,) = home.source.open_now
        assert reader.makes_way


async def test_a_film_on_the_web_is_packaged_no_faster_than_it_plays() -> None:
    async with house() as home:
        output = home.open()
        await turns()
        (reader,) = home.source.open_now
        reader.may_rush, reader.unread_bytes = True, 1
        for _ in range(20):
            home.source.send(CLIP)
        with output.asking("player"):
            await output.ready()
            await turns(MANY)
            length_s = output.presentation.listed_s
            assert home.source.pieces.qsize() > 0
            assert AHEAD_S - 5 < length_s < AHEAD_S + 10
            for _ in range(20):
                await home.clock.passes(1)
                await turns(MANY)
            assert 15 < output.presentation.listed_s - length_s < 25
            assert b"#EXTINF" in output.playlist("video").plain


async def test_a_clock_that_is_a_little_fast_is_never_waited_for() -> None:
    clock = Clock()
    pace = Pace(clock.now)
    for _ in range(100_000):
        clock.now_s += 10
        assert pace.wait_s(10 * (1 + 50e-6)) == 0

"""The metrics show how long the event loop is blocked."""

import asyncio
import time

import pytest

from tests.harness.scripted_daemon import daemon, until
from tests.harness.stream_server import plays_endlessly
from xg2g.app.loop_watch import INTERVAL_S, LoopWatch
from xg2g.metrics import Metrics

pytestmark = pytest.mark.anyio


class Loop:
    """An event loop whose timer is late by a given time."""

    def __init__(self, *turns: tuple[float, float]) -> None:
        """Each turn: how late the timer is, and how long the thread worked."""
        self.now_s = self.worked_s = 0.0
        self._turns = list(turns)

    async def sleep(self, delay_s: float) -> None:
        if not self._turns:
            raise asyncio.CancelledError
        late_s, worked_s = self._turns.pop(0)
        self.now_s += delay_s + late_s
        self.worked_s += worked_s


async def watch(*turns: tuple[float, float]) -> Metrics:
    loop, metrics = Loop(*turns), Metrics()
    watch = LoopWatch(
        metrics, clock_s=lambda: loop.now_s, worked_s=lambda: loop.worked_s, sleep=loop.sleep
    )
    with pytest.raises(asyncio.CancelledError):
        await watch.run()
    return metrics


async def test_the_longest_blocking_is_kept() -> None:
    metrics = await watch((0.0, 0.001), (0.3, 0.31), (0.01, 0.02))
    assert metrics.event_loop.longest_s._value.get() == pytest.approx(0.3)


async def test_time_in_which_the_machine_ran_other_processes_does_not_count() -> None:
    metrics = await watch((5.0, 0.002), (0.0, INTERVAL_S))
    assert metrics.event_loop.longest_s._value.get() == pytest.approx(0.002)


async def test_blocking_for_a_second_is_logged_once_a_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await watch((1.5, 2.0), (1.5, 2.0), (60.0, 60.0))
    assert capsys.readouterr().out.count("the event loop was blocked") == 2


async def test_the_metrics_show_how_long_the_event_loop_was_blocked() -> None:
    def held_s(text: bytes) -> float:
        name = b"xg2g_event_loop_longest_hold_seconds "
        (line,) = [line for line in text.splitlines() if line.startswith(name)]
        return float(line.split()[1])

    async with daemon(plays_endlessly) as gateway:
        longest_hold_s = gateway.gateway.metrics.event_loop.longest_s
        await asyncio.sleep(0)
        # The timer is late by the blocked time minus the rest of the interval.
        until_s = time.thread_time() + INTERVAL_S + 0.1
        while time.thread_time() < until_s:
            pass
        await until(lambda: longest_hold_s._value.get() > 0.02)
        assert held_s((await gateway.get("/metrics"))[2]) > 0.02

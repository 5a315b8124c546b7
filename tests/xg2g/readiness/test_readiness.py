"""Marks and probes of a part."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from xg2g.readiness import READY, Finding, Part, Readiness, State
from xg2g.readiness.readiness import FRESH_S, PROBE_DELAYS_S

pytestmark = pytest.mark.anyio

GONE = Finding(State.NOT_READY, "the transcoder is gone")


class Scene:
    """A part that works or fails, and a clock that advances only in `sleep`."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.sleeps = 0
        self.asleep = asyncio.Event()
        self.found = READY
        self.probed: list[float] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.readiness = Readiness(
            {Part.TRANSCODER: self._probe}, clock_s=lambda: self.now_s, sleep=self._sleep
        )

    @property
    def state(self) -> State:
        return self.readiness.finding(Part.TRANSCODER).state

    async def pass_sleeps(self, count: int) -> list[float]:
        """Let a number of sleeps pass; return the times of probes since the start."""
        self.sleeps = count
        self.asleep.clear()
        await asyncio.wait_for(self.asleep.wait(), 5)
        return [at_s - 1000 for at_s in self.probed]

    async def _sleep(self, delay_s: float) -> None:
        while not self.sleeps:
            self.asleep.set()
            # Until the next sleep may pass; a wake-up ends this one.
            await asyncio.sleep(0)
        self.sleeps -= 1
        self.now_s += delay_s

    async def _probe(self) -> Finding:
        self.probed.append(self.now_s)
        found = self.found
        await self.gate.wait()
        return found


@asynccontextmanager
async def running() -> AsyncIterator[Scene]:
    scene = Scene()
    task = asyncio.create_task(scene.readiness.run())
    try:
        yield scene
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until_probed(scene: Scene, times: int) -> None:
    async with asyncio.timeout(5):
        while len(scene.probed) < times:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_a_failure_counts_at_once_and_is_probed_at_growing_intervals() -> None:
    async with running() as scene:
        scene.found = GONE
        scene.readiness.failed(Part.TRANSCODER, "a stream failed")
        assert scene.readiness.finding(Part.TRANSCODER) == Finding(
            State.NOT_READY, "a stream failed"
        )
        probed = await scene.pass_sleeps(6)
        first, *waits = PROBE_DELAYS_S
        assert probed == [first + sum(waits[:n]) for n in range(5)] + [
            first + sum(waits) + PROBE_DELAYS_S[-1]
        ]
        assert scene.readiness.finding(Part.TRANSCODER) == GONE


async def test_a_part_that_works_again_is_unmarked_and_no_longer_probed() -> None:
    async with running() as scene:
        scene.readiness.failed(Part.TRANSCODER, "a stream failed")
        scene.sleeps = 1
        await until_probed(scene, 1)
        async with asyncio.timeout(5):
            while scene.state is not State.READY:  # noqa: ASYNC110
                await asyncio.sleep(0)
        scene.now_s += 1000
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(scene.probed) == 1


async def test_many_failures_do_not_hasten_the_probes() -> None:
    async with running() as scene:
        scene.found = GONE
        scene.readiness.failed(Part.TRANSCODER, "a stream failed")
        await scene.pass_sleeps(3)
        before = len(scene.probed)
        for _ in range(100):
            scene.readiness.failed(Part.TRANSCODER, "a stream failed")
            scene.readiness.suspect(Part.TRANSCODER)
            await asyncio.sleep(0)
        assert len(scene.probed) <= before + 1


async def test_any_success_unmarks_a_part() -> None:
    async with running() as scene:
        scene.readiness.failed(Part.TRANSCODER, "a stream failed")
        scene.readiness.worked(Part.TRANSCODER)
        assert scene.state is State.READY


async def test_a_probe_that_began_before_a_failure_does_not_hide_it() -> None:
    async with running() as scene:
        scene.gate.clear()
        scene.readiness.suspect(Part.TRANSCODER)
        await until_probed(scene, 1)
        scene.readiness.failed(Part.TRANSCODER, "a stream failed")
        scene.gate.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert scene.state is State.NOT_READY


async def test_a_suspected_part_is_probed_before_it_is_marked() -> None:
    async with running() as scene:
        scene.readiness.suspect(Part.TRANSCODER)
        assert scene.state is State.READY
        scene.found = GONE
        await until_probed(scene, 1)
        async with asyncio.timeout(5):
            while scene.state is State.READY:  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_a_status_request_uses_recent_findings_and_probes_for_others() -> None:
    scene = Scene()
    await scene.readiness.examine(within_s=5)
    scene.found = GONE
    scene.now_s += FRESH_S - 0.1
    await scene.readiness.examine(within_s=5)
    assert (len(scene.probed), scene.state) == (1, State.READY)
    scene.now_s += 0.2
    await scene.readiness.examine(within_s=5)
    assert (len(scene.probed), scene.state) == (2, State.NOT_READY)


async def test_status_requests_share_one_probe_and_wait_no_longer_than_they_set() -> None:
    scene = Scene()
    scene.gate.clear()
    await asyncio.gather(*(scene.readiness.examine(within_s=0.01) for _ in range(20)))
    assert len(scene.probed) == 1
    scene.found = GONE
    scene.gate.set()
    await scene.readiness.examine(within_s=5)
    assert len(scene.probed) == 1


async def test_a_probe_with_a_defect_changes_nothing_and_ends_nothing() -> None:
    async def broken() -> Finding:
        raise RuntimeError("a defect")

    readiness = Readiness({Part.TRANSCODER: broken})
    await readiness.examine(within_s=5)
    assert readiness.finding(Part.TRANSCODER) == READY

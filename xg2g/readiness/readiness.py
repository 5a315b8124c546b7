"""Remembers which part of the way to a viewer fails, and notices when it works again.

A part is marked by a stream that fails. While it is marked it is probed again and again, with
growing waits. Whoever asks how things are has parts probed that nothing is known of lately, so that
the answer is true when nobody watches, too.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

from .pause import Sleep, pause
from .state import READY, Finding, State

log = structlog.get_logger()

Probe = Callable[[], Awaitable[Finding]]
"""Finds out how a part is; takes no tuner and bounds its own time."""

PROBE_DELAYS_S = (1, 2, 5, 10, 30)
"""Waits between probes of a part that is marked; the last one stays."""
FRESH_S = 5.0
"""How long a finding is good enough for whoever asks: a receiver is a small computer."""


class Part(StrEnum):
    """What lies between a viewer and the picture."""

    STREAM_SERVER = "stream_server"
    """The receiver's stream port."""
    WEB_INTERFACE = "web_interface"
    """The receiver's lists and guide."""
    TRANSCODER = "transcoder"
    """Where sound is converted."""


@dataclass(slots=True)
class _Watched:
    part: Part
    probe: Probe
    finding: Finding = READY
    checked_s: float = -math.inf
    """When the finding was made."""
    since_s: float = 0.0
    """Since when the part is in this state."""
    evidence: int = 0
    """Counts findings: a probe that began before the latest one says nothing new."""
    attempts: int = 0
    due_s: float = math.inf
    """When to probe; infinite while nothing is marked."""
    probing: asyncio.Task[None] | None = None


class Readiness:
    """The parts of one daemon. `run` has to run for marks to go away by themselves."""

    def __init__(
        self,
        probes: Mapping[Part, Probe] | None = None,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """A part without a probe is always ready. `clock_s` and `sleep` are for tests."""
        self._parts: dict[Part, _Watched] = {}
        for part, probe in (probes or {}).items():
            self.watch(part, probe)
        self._clock_s = clock_s
        self._sleep = sleep
        self._wake = asyncio.Event()

    def watch(self, part: Part, probe: Probe) -> None:
        """Have a part probed so from now on."""
        self._parts[part] = _Watched(part, probe)

    def finding(self, part: Part) -> Finding:
        """How the part is, as far as is known."""
        watched = self._parts.get(part)
        return watched.finding if watched else READY

    def __iter__(self) -> Iterator[tuple[Part, Finding]]:
        return iter([(part, watched.finding) for part, watched in self._parts.items()])

    def failed(self, part: Part, reason: str) -> None:
        """Mark a part: a stream has just failed by it. `reason` is one line for a user."""
        if watched := self._parts.get(part):
            self._record(watched, Finding(State.NOT_READY, reason))
            self._wake.set()

    def worked(self, part: Part) -> None:
        """Take the mark away: a stream has just come through."""
        if watched := self._parts.get(part):
            self._record(watched, READY)

    def suspect(self, part: Part) -> None:
        """Have a part probed soon: something happened that it may be the cause of."""
        if watched := self._parts.get(part):
            # Many streams at once may have the same suspicion.
            soon_s = max(self._clock_s(), watched.checked_s + PROBE_DELAYS_S[0])
            watched.due_s = min(watched.due_s, soon_s)
            self._wake.set()

    async def examine(self, *, within_s: float) -> None:
        """Probe every part that has no finding of the last `FRESH_S`.

        Returns when that is done, after `within_s` at the latest; what takes longer goes on.
        """
        oldest_s = self._clock_s() - FRESH_S
        stale = [it for it in self._parts.values() if it.checked_s < oldest_s]
        if stale:
            await asyncio.wait({self._probed(it) for it in stale}, timeout=within_s)

    async def run(self) -> None:
        """Probe what is marked, until cancelled."""
        try:
            while True:
                due_s = min((it.due_s for it in self._parts.values()), default=math.inf)
                delay_s = due_s - self._clock_s()
                if math.isinf(delay_s):
                    self._wake.clear()
                    await self._wake.wait()
                elif delay_s > 0:
                    await pause(delay_s, self._wake, self._sleep)
                else:
                    due = [it for it in self._parts.values() if it.due_s <= self._clock_s()]
                    for watched in due:
                        # Until the probe says when to probe again.
                        watched.due_s = math.inf
                    await asyncio.gather(*map(self._probed, due))
        finally:
            probing = {it.probing for it in self._parts.values() if it.probing}
            for task in probing:
                task.cancel()
            if probing:
                await asyncio.wait(probing)

    def _probed(self, watched: _Watched) -> asyncio.Task[None]:
        """The probe that is under way, or a new one."""
        if watched.probing is None or watched.probing.done():
            watched.probing = asyncio.create_task(self._examine(watched))
        return watched.probing

    async def _examine(self, watched: _Watched) -> None:
        evidence = watched.evidence
        try:
            finding = await watched.probe()
        except Exception:
            # A fault of ours must not end what notices recoveries.
            log.exception("probe failed", part=watched.part.value)
            finding = watched.finding
        if watched.evidence == evidence:
            self._record(watched, finding)

    def _record(self, watched: _Watched, finding: Finding) -> None:
        now_s, before = self._clock_s(), watched.finding
        watched.evidence += 1
        watched.checked_s = now_s
        watched.finding = finding
        if finding.state is not before.state:
            self._tell(watched, before, now_s)
            watched.since_s, watched.attempts = now_s, 0
        if finding.state is State.READY:
            watched.due_s = math.inf
        elif math.isinf(watched.due_s):
            self._plan(watched)

    def _plan(self, watched: _Watched) -> None:
        delay_s = PROBE_DELAYS_S[min(watched.attempts, len(PROBE_DELAYS_S) - 1)]
        watched.attempts += 1
        watched.due_s = self._clock_s() + delay_s

    def _tell(self, watched: _Watched, before: Finding, now_s: float) -> None:
        finding, part = watched.finding, watched.part.value
        if finding.state is State.READY:
            after_s = round(now_s - watched.since_s, 1)
            log.info("works again", part=part, after_s=after_s, reason=before.reason)
        else:
            log.warning(finding.state.value, part=part, reason=finding.reason)

"""The state of each part between receiver and viewer.

A stream that fails marks the part that failed. A marked part is probed at growing intervals until
it works again. A status request has parts probed that have no recent finding, so that the status is
current even if nobody watches.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

from .pause import Sleep, pause

log = structlog.get_logger()

Probe = Callable[[], Awaitable["Finding"]]
"""Checks a part without using a tuner, within a time limit of its own."""

PROBE_DELAYS_S = (1, 2, 5, 10, 30)
"""Delays between probes of a marked part; the last one repeats."""
FRESH_S = 5.0
"""Maximum age of a finding in a status request: a receiver is a small computer."""


class State(StrEnum):
    """What a new viewer would get."""

    READY = "ready"
    """A stream."""
    DEGRADED = "degraded"
    """A stream, although there is a problem."""
    NOT_READY = "not ready"
    """No stream."""

    @property
    def severity(self) -> int:
        """0 for ready; higher is worse."""
        return list(State).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one part."""

    state: State
    reason: str = ""
    """One line for a user: the problem and the fix; empty if there is no problem."""


READY = Finding(State.READY)


class Part(StrEnum):
    """A part between receiver and viewer."""

    STREAM_SERVER = "stream_server"
    """The receiver's stream port."""
    WEB_INTERFACE = "web_interface"
    """The receiver's web interface: lists and guide."""
    TRANSCODER = "transcoder"
    """The backend that converts streams."""


@dataclass(slots=True)
class _Watched:
    part: Part
    probe: Probe
    finding: Finding = READY
    checked_s: float = -math.inf
    """Time of the finding."""
    since_s: float = 0.0
    """Time since which the part is in this state."""
    evidence: int = 0
    """Number of findings: a probe that began before the latest finding is outdated."""
    attempts: int = 0
    due_s: float = math.inf
    """Time of the next probe; infinite for an unmarked part."""
    probing: asyncio.Task[None] | None = None


class Readiness:
    """The parts of one daemon. Marked parts are probed only while `run` runs."""

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
        """Probe a part like this from now on."""
        self._parts[part] = _Watched(part, probe)

    def finding(self, part: Part) -> Finding:
        """Return the latest finding of a part."""
        watched = self._parts.get(part)
        return watched.finding if watched else READY

    def __iter__(self) -> Iterator[tuple[Part, Finding]]:
        return iter([(part, watched.finding) for part, watched in self._parts.items()])

    def failed(self, part: Part, reason: str) -> None:
        """Mark a part because a stream failed there. `reason` is one line for a user."""
        if watched := self._parts.get(part):
            self._record(watched, Finding(State.NOT_READY, reason))
            self._wake.set()

    def worked(self, part: Part) -> None:
        """Unmark a part because a stream came through."""
        if watched := self._parts.get(part):
            self._record(watched, READY)

    def suspect(self, part: Part) -> None:
        """Probe a part soon because it may be the cause of a problem."""
        if watched := self._parts.get(part):
            # Many streams may suspect the part at once.
            soon_s = max(self._clock_s(), watched.checked_s + PROBE_DELAYS_S[0])
            watched.due_s = min(watched.due_s, soon_s)
            self._wake.set()

    async def examine(self, *, within_s: float) -> None:
        """Probe every part whose finding is older than `FRESH_S`.

        Return when all probes are done, or after `within_s`; longer probes continue.
        """
        oldest_s = self._clock_s() - FRESH_S
        stale = [it for it in self._parts.values() if it.checked_s < oldest_s]
        if stale:
            await asyncio.wait({self._probed(it) for it in stale}, timeout=within_s)

    async def run(self) -> None:
        """Probe marked parts until cancelled."""
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
                        # Until the finding sets the next time.
                        watched.due_s = math.inf
                    await asyncio.gather(*map(self._probed, due))
        finally:
            probing = {it.probing for it in self._parts.values() if it.probing}
            for task in probing:
                task.cancel()
            if probing:
                await asyncio.wait(probing)

    def _probed(self, watched: _Watched) -> asyncio.Task[None]:
        """Return the running probe of a part, or start one."""
        if watched.probing is None or watched.probing.done():
            watched.probing = asyncio.create_task(self._examine(watched))
        return watched.probing

    async def _examine(self, watched: _Watched) -> None:
        evidence = watched.evidence
        try:
            finding = await watched.probe()
        except Exception:
            # A defect in a probe must not end the others.
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
            self._log_change(watched, before, now_s)
            watched.since_s, watched.attempts = now_s, 0
        if finding.state is State.READY:
            watched.due_s = math.inf
        elif math.isinf(watched.due_s):
            self._plan(watched)

    def _plan(self, watched: _Watched) -> None:
        delay_s = PROBE_DELAYS_S[min(watched.attempts, len(PROBE_DELAYS_S) - 1)]
        watched.attempts += 1
        watched.due_s = self._clock_s() + delay_s

    def _log_change(self, watched: _Watched, before: Finding, now_s: float) -> None:
        finding, part = watched.finding, watched.part.value
        if finding.state is State.READY:
            after_s = round(now_s - watched.since_s, 1)
            log.info("works again", part=part, after_s=after_s, reason=before.reason)
        else:
            log.warning(finding.state.value, part=part, reason=finding.reason)

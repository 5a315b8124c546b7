"""A rolling update: each transcoder ends as the kubelet ends a pod, and a new one follows.

`rolling`: the daemon knows each transcoder by its address, and the new one comes up there when the
old one has ended, as with compose or systemd. `service`: the daemon knows one address, behind which
a new pod is ready before an old one ends, as in deploy/kubernetes.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from tests.harness.balancer import ready
from tests.harness.process import READY_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.harness.transcoder import Transcoder

BETWEEN_S = 3.0
"""From one transcoder's readiness to the end of the next."""
KILL_AFTER_S = 5.0
"""`terminationGracePeriodSeconds` is so much longer than the shutdown grace."""


@dataclass
class Updated:
    """What an update did."""

    cut_s: list[float] = field(default_factory=list)
    """When the old transcoders had ended."""
    killed: int = 0
    """Those that did not end within their time."""


async def update(
    old: Sequence[Transcoder], new: Sequence[Transcoder], *, grace_s: float, surge: bool
) -> Updated:
    """Replace each of `old` by its place in `new`, one after the other.

    With `surge` the new one is ready before the old one ends.
    """
    found = Updated()
    for before, after in zip(old, new, strict=True):
        if surge:
            await _start(after)
        # The kubelet sends SIGTERM and, after the pod's grace, SIGKILL. No preStop is needed: the
        # transcoder continues its streams by itself, and refuses new ones.
        before.send_signal(signal.SIGTERM)
        try:
            await before.ended(grace_s + KILL_AFTER_S)
        except AssertionError:
            found.killed += 1
            await before.end(signal.SIGKILL)
        found.cut_s.append(time.monotonic())
        if not surge:
            await _start(after)
        await asyncio.sleep(BETWEEN_S)
    return found


async def _start(transcoder: Transcoder) -> None:
    await asyncio.to_thread(transcoder.start)
    async with asyncio.timeout(READY_S):
        while not await ready(transcoder):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@dataclass
class Newcomers:
    """Viewers who begin during the update, each on a channel that nobody watches."""

    urls: Sequence[str]
    waits_s: list[float] = field(default_factory=list)
    """Time to the first byte of each."""
    refused: list[str] = field(default_factory=list)

    async def come(self, every_s: float, watch: Callable[[str], Awaitable[float]]) -> None:
        """Begin with the next channel each `every_s` until cancelled. `watch` returns a wait."""
        number = 0
        while True:
            url = self.urls[number % len(self.urls)]
            number += 1
            try:
                self.waits_s.append(await watch(url))
            except (OSError, EOFError, httpx.HTTPError) as error:
                self.refused.append(f"{url}: {error or type(error).__name__}")
            await asyncio.sleep(every_s)


async def first_byte_s(url: str) -> float:
    """Return the time to the first byte of a stream. Raises httpx.HTTPError."""
    began_s = time.monotonic()
    timeout = httpx.Timeout(30)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=timeout) as client,
        client.stream("GET", url) as response,
    ):
        response.raise_for_status()
        async for _ in response.aiter_raw():
            return time.monotonic() - began_s
    raise EOFError(f"{url}: the stream ended before its first byte")

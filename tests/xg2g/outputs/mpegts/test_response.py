"""The response to a viewer says its end at most once, whatever ends it at the same moment."""

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from xg2g.metrics import Metrics
from xg2g.network.http_bodies import TruncatedError
from xg2g.outputs.mpegts.response import LiveResponse
from xg2g.outputs.stop_event import StopEvent
from xg2g.outputs.viewers import LiveStream, Viewers
from xg2g.streaming.upstream import Upstream
from xg2g_backends.base import RemuxStats

pytestmark = pytest.mark.anyio


class EndsWithTheViewer:
    """A stream that ends so many turns of the event loop after its viewer is terminated."""

    def __init__(self, viewers: Viewers, turns: int) -> None:
        self.on_freeze: Callable[[float], None] = lambda frozen_s: None
        self.on_skip: Callable[[int], None] = lambda skipped_bytes: None
        self.skips = self.skipped_bytes = 0
        self.lag_s = 0.0
        self._viewers = viewers
        self._turns = turns

    @property
    def upstream(self) -> Upstream:
        raise NotImplementedError

    async def read(self) -> bytes:
        (viewer,) = self._viewers
        viewer.terminated.set()
        for _ in range(self._turns):
            await asyncio.sleep(0)
        return b""

    async def stats(self) -> RemuxStats:
        return RemuxStats()


@pytest.mark.parametrize("turns", range(16))
async def test_a_stream_that_ends_while_it_is_terminated_is_ended_once(turns: int) -> None:
    viewers, sent = Viewers(), list[MutableMapping[str, Any]]()

    @asynccontextmanager
    async def stream() -> AsyncIterator[LiveStream]:
        yield EndsWithTheViewer(viewers, turns)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def stay() -> MutableMapping[str, Any]:
        return await asyncio.Future()

    response = LiveResponse(
        "channel",
        stream,
        stopping=StopEvent(),
        pause_limit_s=10,
        metrics=Metrics(),
        viewers=viewers,
    )
    try:
        await response({"client": None}, stay, send)
        ends = [False]
    except TruncatedError:
        ends = []
    assert [message.get("more_body") for message in sent] == [None, *ends]

"""The HTTP response with a live MPEG transport stream, for one viewer.

Starlette's StreamingResponse neither closes its iterator nor bounds how long a viewer may block
it, and uvicorn's `send` returns without an error once a viewer is gone. So this response watches
for the viewer to leave while it sends, and holds the stream open in an `async with` that nothing
outlives.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from xg2g_backends.errors import BackendError

from ...metrics import Metrics, Outcome
from ...network.http_bodies import TruncatedError
from ...receiver.errors import ReceiverError
from ..failures import Failure, Failures
from ..refusals import ENDED_BEFORE, UNKNOWN_CHANNEL, Refusal, refusal_for
from ..report import StreamReport
from ..stop_event import StopEvent
from ..viewers import LiveStream, Viewer, Viewers

T = TypeVar("T")

LIVE_HEADERS: Final = [
    (b"content-type", b"video/mp2t"),
    (b"cache-control", b"no-store"),
    (b"accept-ranges", b"none"),
]
END_OF_BODY_S: Final = 0.5
"""How long the end of a body may take to be sent when the daemon or a duration ends it."""


class LiveResponse:
    """An ASGI response that streams until source, viewer or daemon ends it."""

    def __init__(
        self,
        channel: str,
        open_stream: Callable[[], AbstractAsyncContextManager[LiveStream]],
        *,
        stopping: StopEvent,
        pause_limit_s: float,
        metrics: Metrics,
        viewers: Viewers,
        unknown_when_refused: bool = False,
        duration_s: float | None = None,
        tuner: int | None = None,
        name: str | None = None,
        failures: Failures | None = None,
        explain: Callable[[Failure], Response] | None = None,
    ) -> None:
        """`pause_limit_s` is how long the viewer may stop reading. `unknown_when_refused`: answer
        404 where the receiver has no tuner for the service. `duration_s`: when the stream ends by
        itself; None: unlimited. `tuner`: see `Viewer`. `name` is the channel's, `failures` the list
        for failures. `explain` makes the answer with the reason of a failure, for browsers; with
        None the body is empty."""
        self._open_stream = open_stream
        self._stopping = stopping
        self._pause_limit_s = pause_limit_s
        self._metrics = metrics
        self._unknown_when_refused = unknown_when_refused
        self._channel = channel
        self._viewers = viewers
        self._duration_s = duration_s
        self._tuner = tuner
        self._name = name
        self._failures = Failures() if failures is None else failures
        self._explain = explain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin_s = time.monotonic()
        client = scope.get("client")
        address = client[0] if client else None
        viewer = Viewer(channel_id=self._channel, address=address, tuner=self._tuner)
        report = StreamReport(
            self._channel, self._name, address, metrics=self._metrics, failures=self._failures
        )
        body = _Body(send, self._pause_limit_s)
        with self._metrics.streams.track_inprogress(), self._viewers.watching(viewer):
            outcome = await self._run(viewer, report, body, receive)
        self._metrics.outcomes.labels(outcome).inc()
        if body.status not in (None, 200):
            # The refusal has its line in the log.
            return
        report.ended(outcome, time.monotonic() - begin_s, viewer.bytes_out)
        if body.status and not body.is_over and outcome is not Outcome.VIEWER_LEFT:
            raise TruncatedError

    async def _run(
        self, viewer: Viewer, report: StreamReport, body: "_Body", receive: Receive
    ) -> Outcome:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def end(outcome: Outcome) -> None:
            if not ended.done():
                ended.set_result(outcome)

        with (
            body.watched(partial(end, Outcome.VIEWER_STALLED)),
            viewer.terminated.on_set(partial(end, Outcome.TERMINATED)),
            self._stopping.on_set(partial(end, Outcome.SHUTDOWN)),
        ):
            async with (
                _task(self._stream(viewer, report, body)) as streaming,
                _task(_viewer_left(receive)) as leaving,
            ):
                ends: set[asyncio.Future[Any]] = {streaming, leaving, ended}
                await asyncio.wait(
                    ends,
                    timeout=self._duration_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if streaming.done():
                    return streaming.result()
                if leaving.done():
                    return Outcome.VIEWER_LEFT
                outcome = ended.result() if ended.done() else Outcome.DURATION_OVER
        if outcome is not Outcome.VIEWER_STALLED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_OF_BODY_S):
                    if body.status is None:
                        await self._refuse(report, body, *ENDED_BEFORE[outcome])
                    else:
                        await body.end()
        return outcome

    async def _stream(self, viewer: Viewer, report: StreamReport, body: "_Body") -> Outcome:
        """Send the stream until it ends. Return how it ended."""
        begin_s = time.monotonic()
        try:
            async with self._open_stream() as stream:
                self._metrics.start_s.observe(time.monotonic() - begin_s)
                report.log.info("stream started")
                viewer.stream = stream
                stream.on_freeze, stream.on_skip = report.froze, report.skipped
                resource = (b"x-hdhomerun-resource", f"tuner{viewer.tuner}".encode("ascii"))
                await body.start(200, [*LIVE_HEADERS, resource, (b"connection", b"close")])
                count = self._metrics.bytes_out.inc
                while chunk := await stream.read():
                    await body.send(chunk)
                    viewer.bytes_out += len(chunk)
                    count(len(chunk))
        except (ReceiverError, BackendError) as error:
            refusal = refusal_for(error)
            if body.status is None:
                await self._refuse(report, body, refusal, str(error))
            else:
                report.failed(refusal.outcome, str(error))
            return refusal.outcome
        # The body stays without its end: broadcasts have none, and a recorder must not take a
        # recording for complete.
        return Outcome.RECEIVER_ENDED

    async def _refuse(
        self, report: StreamReport, body: "_Body", refusal: Refusal, reason: str
    ) -> None:
        if self._unknown_when_refused and refusal.outcome is Outcome.NO_TUNER:
            status, hdhomerun_error = UNKNOWN_CHANNEL
            refusal = replace(refusal, status=status, hdhomerun_error=hdhomerun_error)
        failure = report.refused(refusal, reason)
        answer = self._explain(failure) if self._explain else Response(status_code=refusal.status)
        if refusal.hdhomerun_error is not None:
            answer.headers["X-HDHomeRun-Error"] = refusal.hdhomerun_error
        await body.start(refusal.status, answer.raw_headers)
        if answer.body:
            await body.send(bytes(answer.body))
        await body.end()


class _Body:
    """Sends status, headers and body of the response, and knows what was sent.

    One timer regularly checks that the viewer keeps reading: a deadline for each piece would cost
    more than to send the piece.
    """

    def __init__(self, send: Send, pause_limit_s: float) -> None:
        self.status: int | None = None
        """HTTP status that was sent; None before."""
        self.is_over = False
        """Whether the end of the body was sent."""
        self._send = send
        self._pause_limit_s = pause_limit_s
        self._loop = asyncio.get_running_loop()
        self._sending_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send status and headers."""
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(self, chunk: bytes) -> None:
        """Send a piece of the body."""
        self._sending_since_s = self._loop.time()
        await self._send(_message(chunk, more=True))
        self._sending_since_s = None

    async def end(self) -> None:
        """Send the end of the body, unless it was sent: a stream may end while it is being ended.
        The attempt is given up when the viewer takes nothing."""
        if not self.is_over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_limit_s):
                    await self._send(_message(b"", more=False))
            self.is_over = True

    @contextlib.contextmanager
    def watched(self, on_stall: Callable[[], None]) -> Iterator[None]:
        """Call `on_stall` when the viewer has not taken a piece for too long, while the context is
        open."""
        self._check(on_stall)
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _check(self, on_stall: Callable[[], None]) -> None:
        now_s = self._loop.time()
        since_s = now_s if self._sending_since_s is None else self._sending_since_s
        if now_s >= since_s + self._pause_limit_s:
            on_stall()
            return
        self._timer = self._loop.call_at(since_s + self._pause_limit_s, self._check, on_stall)


def _message(chunk: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _viewer_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@contextlib.asynccontextmanager
async def _task(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run `work` beside the block, and end with the block: cancelled, and waited for."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})

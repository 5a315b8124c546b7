"""The response to a viewer of a live stream.

Starlette's StreamingResponse neither closes its iterator nor bounds how long a viewer may block
it, and uvicorn's `send` returns quietly once a viewer is gone. So this response watches for the
viewer to leave while it sends, and holds the stream open in an `async with` that nothing outlives.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, TypeVar

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from xg2g_backends.errors import BackendError

from ...metrics import Metrics, Outcome
from ...network.http_bodies import TruncatedError
from ...receiver.errors import ReceiverError
from ..failures import Failure, Failures
from ..refusals import ENDED_BEFORE, UNKNOWN_CHANNEL, Refusal, refusal_for
from ..stop_event import StopEvent
from ..viewers import LiveStream, Viewer, Viewers

T = TypeVar("T")

log = structlog.get_logger()

LIVE_HEADERS = [
    (b"content-type", b"video/mp2t"),
    (b"cache-control", b"no-store"),
    (b"accept-ranges", b"none"),
]
FAREWELL_S = 0.5
"""How long the end of a body may take to be handed over when the daemon or a duration ends it."""


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
        """`unknown_when_refused`: a receiver that has no tuner for the service means 404.
        `duration_s`: when the stream ends by itself; None for never. `tuner`: see `Viewer`.
        `name` is the channel's, `failures` where to note one, and `explain` makes the answer to a
        viewer who reads why there is no stream; others get an empty body."""
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
        self._address: str | None = None
        self._started = False
        self._over = False
        self._failed_before = False
        self._log = log.bind(channel=channel, name=name) if name else log.bind(channel=channel)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin_s = time.monotonic()
        client = scope.get("client")
        self._address = client[0] if client else None
        viewer = Viewer(channel_id=self._channel, address=self._address, tuner=self._tuner)
        self._log = self._log.bind(viewer=viewer.address)
        with self._metrics.streams.track_inprogress(), self._viewers.watching(viewer):
            outcome = await self._run(viewer, receive, send)
        self._metrics.outcomes.labels(outcome).inc()
        if self._failed_before:
            # That it did not open was said, in one line.
            return
        self._log.info(
            "stream ended",
            outcome=outcome.value,
            duration_s=round(time.monotonic() - begin_s, 1),
            bytes_out=viewer.bytes_out,
        )
        if self._started and not self._over and outcome is not Outcome.VIEWER_LEFT:
            raise TruncatedError

    async def _run(self, viewer: Viewer, receive: Receive, send: Send) -> Outcome:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def end(outcome: Outcome) -> None:
            if not ended.done():
                ended.set_result(outcome)

        watch = _SendWatch(self._pause_limit_s, partial(end, Outcome.VIEWER_STALLED))
        with (
            watch,
            viewer.terminated.on_set(partial(end, Outcome.TERMINATED)),
            self._stopping.on_set(partial(end, Outcome.SHUTDOWN)),
        ):
            async with (
                _task(self._stream(viewer, watch.over(send), send)) as streaming,
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
            await self._say_farewell(send, outcome)
        return outcome

    async def _stream(self, viewer: Viewer, send_body: Send, send: Send) -> Outcome:
        """Send the stream until it ends; say how it ended."""
        begin_s = time.monotonic()
        try:
            async with self._open_stream() as stream:
                self._metrics.start_s.observe(time.monotonic() - begin_s)
                self._log.info("stream started")
                viewer.stream = stream
                stream.on_freeze = self._froze
                stream.on_skip = self._skipped
                resource = (b"x-hdhomerun-resource", f"tuner{viewer.tuner}".encode("ascii"))
                headers = [*LIVE_HEADERS, resource, (b"connection", b"close")]
                await self._send_start(send, 200, headers)
                count = self._metrics.bytes_out.inc
                while chunk := await stream.read():
                    await send_body(_body(chunk, more=True))
                    viewer.bytes_out += len(chunk)
                    count(len(chunk))
            outcome = Outcome.RECEIVER_ENDED
        except (ReceiverError, BackendError) as error:
            refusal = refusal_for(error)
            outcome = refusal.outcome
            if not self._started:
                await self._refuse(send, refusal, str(error))
                return outcome
            self._log.warning("stream failed", reason=str(error))
            self._note(None, outcome, str(error))
        # A body that has begun stays without its end: broadcasts have none, so that whoever records
        # this must not take it for whole.
        return outcome

    async def _refuse(self, send: Send, refusal: Refusal, reason: str) -> None:
        status, hdhomerun_error = refusal.status, refusal.hdhomerun_error
        if self._unknown_when_refused and refusal.outcome is Outcome.NO_TUNER:
            status, hdhomerun_error = UNKNOWN_CHANNEL
        self._failed_before = True
        failure = self._note(status, refusal.outcome, reason)
        self._log.warning(
            "channel not opened", reason=reason, outcome=refusal.outcome.value, status=status
        )
        answer = self._explain(failure) if self._explain else Response(status_code=status)
        if hdhomerun_error is not None:
            answer.headers["X-HDHomeRun-Error"] = hdhomerun_error
        await self._send_start(send, status, answer.raw_headers)
        if answer.body:
            await send(_body(bytes(answer.body), more=True))
        await self._end(send)

    def _froze(self, frozen_s: float) -> None:
        self._log.warning("picture stood still", frozen_s=round(frozen_s, 2))

    def _skipped(self, skipped_bytes: int) -> None:
        self._metrics.skips.inc()
        self._metrics.skipped_bytes.inc(skipped_bytes)
        self._log.warning("viewer fell behind and skipped", skipped_bytes=skipped_bytes)

    def _note(self, status: int | None, outcome: Outcome, reason: str) -> Failure:
        return self._failures.add(
            channel_id=self._channel,
            channel_name=self._name,
            viewer=self._address,
            status=status,
            outcome=outcome.value,
            reason=reason,
        )

    async def _send_start(
        self, send: Send, status: int, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self._started = True
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def _end(self, send: Send) -> None:
        """Mark the end of the body, unless it was: a stream may end while it is being ended. A
        viewer who does not take even that is left."""
        if not self._over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_limit_s):
                    await send(_body(b"", more=False))
            self._over = True

    async def _say_farewell(self, send: Send, outcome: Outcome) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                if self._started:
                    await self._end(send)
                else:
                    await self._refuse(send, *ENDED_BEFORE[outcome])


def _body(chunk: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


class _SendWatch:
    """Calls when a viewer has not taken a piece of the body for too long.

    One timer looks at it now and then: a deadline of its own for each piece costs more than the
    piece.
    """

    def __init__(self, limit_s: float, call: Callable[[], None]) -> None:
        self._limit_s = limit_s
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._look()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def over(self, send: Send) -> Send:
        """Return `send`, watched."""

        async def watched(message: Message) -> None:
            self._since_s = self._loop.time()
            await send(message)
            self._since_s = None

        return watched

    def _look(self) -> None:
        now_s = self._loop.time()
        since_s = now_s if self._since_s is None else self._since_s
        if now_s >= since_s + self._limit_s:
            self._call()
            return
        self._timer = self._loop.call_at(since_s + self._limit_s, self._look)


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

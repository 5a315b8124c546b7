"""A channel as HTTP Live Streaming, for as long as clients request it."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from xg2g_backends.errors import BackendError
from xg2g_backends.packaging import Event, Packager, Part

from ...metrics import Metrics, Outcome
from ...receiver.errors import ReceiverError
from ...streaming.hub import UpstreamReader
from ...streaming.timers import CallLater
from ..failures import Failure, Failures
from ..refusals import ENDED_BEFORE, INTERNAL_ERROR, NO_DATA, Refusal, refusal_for
from ..report import StreamReport
from ..stop_event import StopEvent
from ..viewers import Viewer, Viewers
from .clients import Clients
from .disk_storage import DiskStorage, StorageFolder
from .options import HlsOptions, Targets
from .packaging import NoPlaylistError, NotOfferedError, Packaging
from .playlist_cache import Playlist, PlaylistCache
from .presentation import Presentation
from .requests import Decision, WaitingRequests
from .size_limit import SizeLimit
from .storage import MemoryStorage, Storage

SILENT_TARGETS: Final = 2
"""Target durations without a request after which nobody watches any more."""
ENDED_S: Final = 10.0
"""How long files stay after the end, for players that have yet to show them."""

_RUN_BYTES: Final = 4

_SEGMENTS_FOR_ROOM: Final = 2
"""Number of segments that make way for one that could not be written."""

NOT_OFFERED: Final = Refusal(406, None, Outcome.NOT_OFFERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputContext:
    """Parts that all outputs of a daemon share."""

    options: HlsOptions
    metrics: Metrics
    viewers: Viewers
    failures: Failures
    stopping: StopEvent
    now: Callable[[], float]
    """A monotonic clock."""
    today: Callable[[], datetime]
    later: CallLater
    size_limit: SizeLimit
    folder: StorageFolder | None
    """Where windows are kept; None for memory."""


class RefusedError(Exception):
    """The output ended before its first playlist."""

    def __init__(self, refusal: Refusal, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.refusal = refusal
        self.failure = failure


class HlsOutput:
    """A reader of the hub, a packager behind it, and the playlists and files of one run.

    It is one viewer to the hub and to `Viewers`, however many clients there are. It begins with
    `begin` and ends when no client has sent a request for two target durations, when the stream
    ends, or when the API ends it. Its files stay for `ENDED_S` after an end that clients did not
    choose.
    """

    def __init__(
        self,
        channel_id: str,
        name: str | None,
        open_stream: Callable[[], AbstractAsyncContextManager[UpstreamReader]],
        context: OutputContext,
        *,
        address: str | None,
        settings: object = None,
        group_s: float | None = None,
    ) -> None:
        """`name` is the channel's, `address` where the first request came from. `settings` tell
        apart outputs of the channel that differ. `group_s` is how far apart its random access
        points were before."""
        self.channel_id = channel_id
        self.settings = settings
        self.run = secrets.token_hex(_RUN_BYTES)
        """Begins the path of all playlists and files of this output."""
        options, metrics = context.options, context.metrics
        self._targets = Targets.of(options.target_s, options.part_s, group_s)
        self.storage: Storage = MemoryStorage()
        if context.folder is not None:
            self.storage = DiskStorage(context.folder, self.run, self._make_room)
        self.presentation = Presentation(
            self.storage,
            targets=self._targets,
            window_s=options.window_s,
            run=self.run,
            now_utc=context.today,
        )
        self.clients = Clients(
            context.now,
            context.later,
            silent_limit_s=lambda: self.silent_limit_s,
            is_open=lambda: self.is_open,
            on_away=self._make_way,
            on_gone=partial(self._end, Outcome.VIEWER_LEFT),
        )
        self.waiting = WaitingRequests(context.now, context.later, metrics.hls.blocked_s.observe)
        self.viewer = Viewer(
            channel_id=channel_id,
            address=address,
            format="hls",
            count=lambda: len(self.clients),
        )
        self._open_stream = open_stream
        self._context = context
        self._report = StreamReport(
            channel_id, name, address, metrics=metrics, failures=context.failures, run=self.run
        )
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._refused: RefusedError | None = None
        self._task: asyncio.Task[None] | None = None
        self._begun_s = context.now()
        self._reader: UpstreamReader | None = None
        self._too_long = 0
        self._playlists = PlaylistCache(self.presentation)

    @property
    def is_over(self) -> bool:
        """Whether it takes no further clients."""
        return self._ended.done()

    @property
    def is_open(self) -> bool:
        """Whether `ready` returns at once."""
        return self._ready.done()

    @property
    def has_played(self) -> bool:
        """Whether it had a first playlist."""
        return self._ready.done() and self._refused is None

    @property
    def not_offered(self) -> str | None:
        """Why no HLS player could play the channel; None unless that ended it."""
        is_so = self._refused is not None and self._refused.refusal is NOT_OFFERED
        return str(self._refused) if is_so else None

    @property
    def silent_limit_s(self) -> float:
        """How long the output goes on without a request."""
        target_s = max(self.presentation.target_duration, self._context.options.target_s)
        return SILENT_TARGETS * target_s

    def begin(
        self, on_over: "Callable[[HlsOutput], None]", on_gone: "Callable[[HlsOutput], None]"
    ) -> None:
        """Begin to run. `on_over` is called when it takes no further clients, and `on_gone` when
        its files are no longer there."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: on_over(self))
        self._task.add_done_callback(lambda _: self._retire(on_gone))
        self._context.size_limit.add(self.presentation)
        self.clients.check()

    async def stop(self, outcome: Outcome = Outcome.SHUTDOWN) -> None:
        """End, and wait until the tuner is given back."""
        self._end(outcome)
        if self._task is not None:
            await asyncio.wait({self._task})

    def sent(self, count: int) -> None:
        """Count bytes that a client was sent."""
        self.viewer.bytes_out += count
        self._context.metrics.bytes_out.inc(count)

    async def ready(self) -> None:
        """Wait for the first playlist. Raises `RefusedError` when none comes."""
        await asyncio.wait({self._ready})
        if self._refused is not None:
            raise self._refused

    async def decided(self, decide: Callable[[], Decision], *, within_s: float) -> Decision:
        """Return the result of `decide` once it is no longer `WAIT`, at the end of the output, or
        after `within_s`."""
        return decide() if self.is_over else await self.waiting.decided(decide, within_s=within_s)

    def playlist(
        self, rendition: str | None, *, skip: bool = False, lead_in: bool = True
    ) -> Playlist:
        """Return the media playlist of a rendition, or with None the multivariant playlist."""
        return self._playlists.get(rendition, skip=skip, lead_in=lead_in)

    def _end(self, outcome: Outcome) -> None:
        if not self._ended.done():
            self._ended.set_result(outcome)
            self.clients.close()

    def _make_way(self, makes_way: bool) -> None:
        """Let another channel take the tuner while it seems that nobody is there."""
        if self._reader is not None:
            self._reader.makes_way = makes_way

    async def _run(self) -> None:
        metrics = self._context.metrics
        with metrics.streams.track_inprogress(), self._context.viewers.watching(self.viewer):
            outcome = await self._watch()
        metrics.outcomes.labels(outcome).inc()
        if self._refused is None:
            duration_s = self._context.now() - self._begun_s
            self._report.ended(outcome, duration_s, self.viewer.bytes_out)

    async def _watch(self) -> Outcome:
        """Package the stream until something ends it. Return the outcome."""
        packaging = asyncio.create_task(self._package())
        try:
            with (
                self.viewer.terminated.on_set(partial(self._end, Outcome.TERMINATED)),
                self._context.stopping.on_set(partial(self._end, Outcome.SHUTDOWN)),
            ):
                ends: set[asyncio.Future[Any]] = {packaging, self._ended}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not packaging.done():
                packaging.cancel()
                await asyncio.wait({packaging})
        # Where it failed at the moment of another end, that end counts; asyncio would report both.
        failure = None if packaging.cancelled() else packaging.exception()
        outcome = Outcome.RECEIVER_ENDED
        if self._ended.done():
            outcome = self._ended.result()
            # Nobody waits for what everybody has left.
            if not self._ready.done() and outcome in ENDED_BEFORE:
                self._refuse(*ENDED_BEFORE[outcome])
        elif failure is not None:
            if not isinstance(failure, Exception):
                raise failure
            outcome = self._fail(failure)
        self._end(outcome)
        self.presentation.end()
        self._note_change()
        return outcome

    async def _package(self) -> None:
        """Read the stream to its end, and package it."""
        context, targets = self._context, self._targets
        packaging = Packaging(
            self.presentation,
            is_ready=self._ready.done,
            on_events=self._note_events,
            on_change=self._note_change,
            now=context.now,
            later=context.later,
            log=self._report.log,
        )
        # First: without the library no tuner is taken.
        with Packager(
            segment_ms=targets.segment_ms, part_ms=targets.part_ms, longest_ms=targets.longest_ms
        ) as packager:
            async with self._open_stream() as reader:
                self.viewer.stream = self._reader = reader
                reader.on_freeze, reader.on_skip = self._report.froze, self._report.skipped
                self._report.log.info("stream started", format="hls")
                try:
                    await packaging.run(reader, packager)
                finally:
                    self._reader = None
                if reader.makes_way:
                    self._end(Outcome.VIEWER_LEFT)
                    return
        if not self._ready.done():
            raise NoPlaylistError("the stream ended before there was anything to play")

    def _note_events(self, events: Sequence[Event]) -> None:
        metrics = self._context.metrics
        for event in events:
            if isinstance(event, Part):
                metrics.hls.parts.labels(event.rendition.partition("-")[0]).inc()
        if self.presentation.too_long != self._too_long:
            metrics.hls.long_segments.inc(self.presentation.too_long - self._too_long)
            self._too_long = self.presentation.too_long
        self._context.size_limit.enforce()

    def _note_change(self) -> None:
        if not self._ready.done() and self.presentation.is_ready:
            self._ready.set_result(None)
            self._context.metrics.start_s.observe(self._context.now() - self._begun_s)
        self.waiting.wake(is_over=self.is_over)

    def _fail(self, error: Exception) -> Outcome:
        """Report why the stream broke, or never began."""
        reason = str(error)
        match error:
            case ReceiverError() | BackendError():
                refusal = refusal_for(error)
            case NotOfferedError():
                refusal = NOT_OFFERED
            case NoPlaylistError():
                refusal = NO_DATA
            case _:
                self._report.log.error("HLS output failed unexpectedly", exc_info=error)
                refusal = INTERNAL_ERROR
                reason = "xg2g could not package this stream; see its log for the cause"
        if self._ready.done():
            self._report.failed(refusal.outcome, reason)
        else:
            self._refuse(refusal, reason)
        return refusal.outcome

    def _refuse(self, refusal: Refusal, reason: str) -> None:
        self._refused = RefusedError(refusal, self._report.refused(refusal, reason))
        self._ready.set_result(None)

    def _make_room(self) -> None:
        """Shorten the window for a disk that is full."""
        for _ in range(_SEGMENTS_FOR_ROOM):
            self.presentation.shorten()

    def _retire(self, on_gone: "Callable[[HlsOutput], None]") -> None:
        self.clients.close()
        ended = self._ended.result() if self._ended.done() else Outcome.SHUTDOWN
        if self._refused is not None or ended in (Outcome.VIEWER_LEFT, Outcome.SHUTDOWN):
            on_gone(self)
        else:
            self._context.later(ENDED_S, partial(on_gone, self))

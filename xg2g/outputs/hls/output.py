"""A channel as HTTP Live Streaming, for as long as somebody asks for it."""

import asyncio
import gzip
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from xg2g_backends.base import TrackState
from xg2g_backends.errors import BackendError
from xg2g_backends.packaging import Event, NotOffered, Packager, Part

from ...metrics import Metrics, Outcome
from ...receiver.errors import ReceiverError
from ...streaming.hub import UpstreamReader
from ...streaming.timers import CallLater, Timer
from ..failures import Failure, Failures
from ..refusals import ENDED_BEFORE, Refusal, refusal_for
from ..stop_event import StopEvent
from ..viewers import Viewer, Viewers
from .disk_storage import DiskStorage, StorageFolder
from .media_playlist import media
from .multivariant_playlist import multivariant
from .options import HlsOptions, Targets
from .pace import Pace
from .presentation import Presentation
from .requests import Decision
from .size_limit import SizeLimit
from .storage import MemoryStorage, Storage

log = structlog.get_logger()

SILENT_TARGETS: Final = 2
"""Target durations without a request after which nobody watches any more."""
FIRST_PLAYLIST_S: Final = 15.0
"""Longest time from a stream's first byte to its first playlist."""
ENDED_S: Final = 10.0
"""How long files stay after the end, for players that have yet to show them."""
GZIP_LEVEL: Final = 1
"""Playlists repeat themselves: higher levels gain little."""
LEFT_S: Final = 0.5
"""How long the output goes on when every client has said that it leaves, or has not waited for the
channel to open."""
SILENT_LOW_LATENCY_S: Final = 0.5
"""After so long without a request a client that always has one waiting is not there."""
MAX_CLIENTS: Final = 1000
"""Most clients of an output that are told apart."""

STATS_S: Final = 0.5
"""How long a remuxer may take to say which tracks there are."""

_RUN_BYTES: Final = 4

_SEGMENTS_FOR_ROOM: Final = 2
"""That make way for one that could not be written."""
_GIVEN: Final = frozenset((TrackState.WAITING, TrackState.CONVERTING, TrackState.PASSING_AAC))

NOT_PLAYED: Final = frozenset(("mpeg2_video", "video_coding"))
"""Reasons of `NotOffered` that are about the picture's coding."""
NOT_OFFERED: Final = Refusal(406, None, Outcome.NOT_OFFERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What all outputs of a daemon work with."""

    options: HlsOptions
    metrics: Metrics
    viewers: Viewers
    failures: Failures
    stopping: StopEvent
    now: Callable[[], float]
    """A monotonic clock."""
    today: Callable[[], datetime]
    later: CallLater
    space: SizeLimit
    disk: StorageFolder | None
    """Where windows are kept; None for memory."""


class RefusedError(Exception):
    """The output ended before its first playlist."""

    def __init__(self, refusal: Refusal, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.refusal = refusal
        self.failure = failure


class NotOfferedError(Exception):
    """The channel has pictures that no HLS player decodes."""


class NoPlaylistError(Exception):
    """The channel's stream gives nothing to package."""


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist as it is sent."""

    plain: bytes
    coded: bytes
    """The same, with gzip."""


@dataclass(slots=True)
class _Client:
    asked_s: float
    pending: int = 0
    """Requests of it that are being answered."""
    waits: bool = False
    """It has asked for what was yet to come, as low latency does all the time."""
    has_left: bool = False
    """It has said so since it asked last."""
    has_broken_off: bool = False
    """It has closed its connection while it waited, and not asked since."""


@dataclass(eq=False, slots=True)
class _Waiting:
    decide: Callable[[], Decision]
    decided: asyncio.Future[None]


class HlsOutput:
    """A reader of the hub, a packager behind it, and the playlists and files of one run.

    It is one viewer to the hub and to `Viewers`, however many clients there are. It begins with
    `begin` and ends when nobody has asked for two target durations, when the stream ends, or when
    somebody ends it. What it made stays for `ENDED_S` after an end that clients did not choose.
    """

    def __init__(
        self,
        channel_id: str,
        name: str | None,
        open_stream: Callable[[], AbstractAsyncContextManager[UpstreamReader]],
        means: Means,
        *,
        address: str | None,
        group_s: float | None = None,
    ) -> None:
        """`name` is the channel's, `address` where the first request came from. `group_s` is how
        far apart its random access points were before."""
        self.channel_id = channel_id
        self.run = secrets.token_hex(_RUN_BYTES)
        """Begins the path of all that this output makes."""
        self.viewer = Viewer(
            channel_id=channel_id,
            address=address,
            format="hls",
            count=lambda: self.clients,
        )
        options = means.options
        self._targets = Targets.of(options.target_s, options.part_s, group_s)
        self.shelf: Storage = MemoryStorage()
        if means.disk is not None:
            self.shelf = DiskStorage(means.disk, self.run, self._make_room)
        self.presentation = Presentation(
            self.shelf,
            targets=self._targets,
            window_s=options.window_s,
            run=self.run,
            now_utc=means.today,
        )
        self._name = name
        self._open_stream = open_stream
        self._means = means
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._refused: RefusedError | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._asking = 0
        self._begun_s = self._asked_s = means.now()
        self._clients: dict[str, _Client] = {}
        self._reader: UpstreamReader | None = None
        self._away_timer: Timer | None = None
        self._waiting: list[_Waiting] = []
        self._revision = 0
        self._too_long = 0
        self._parts = means.metrics.hls_parts
        self._playlists: dict[tuple[str | None, bool, bool], tuple[int, Playlist]] = {}
        self._log = log.bind(channel=channel_id, name=name, viewer=address, run=self.run)

    @property
    def is_over(self) -> bool:
        """Whether it takes no further clients."""
        return self._ended.done()

    @property
    def clients(self) -> int:
        """Number of clients that asked lately, as far as they can be told apart."""
        since_s = self._means.now() - self.silent_limit_s
        return sum(
            it.pending > 0 or (it.asked_s > since_s and not it.has_left)
            for it in self._clients.values()
        )

    @property
    def not_offered(self) -> str | None:
        """Why no HLS player could play the channel; None if that is not what ended it."""
        is_so = self._refused is not None and self._refused.refusal is NOT_OFFERED
        return str(self._refused) if is_so else None

    @property
    def has_played(self) -> bool:
        """Whether it had a first playlist."""
        return self._ready.done() and self._refused is None

    @property
    def is_open(self) -> bool:
        """Whether `ready` returns at once."""
        return self._ready.done()

    @property
    def waiting(self) -> int:
        """Number of requests that wait for what is yet to come."""
        return len(self._waiting)

    @property
    def silent_limit_s(self) -> float:
        """How long nobody may ask before the output ends."""
        return SILENT_TARGETS * max(self.presentation.target_duration, self._means.options.target_s)

    def begin(
        self, on_over: "Callable[[HlsOutput], None]", on_gone: "Callable[[HlsOutput], None]"
    ) -> None:
        """Begin to run. `on_over` is called when it takes no further clients, and `on_gone` when
        its files are no longer there."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: on_over(self))
        self._task.add_done_callback(lambda _: self._retire(on_gone))
        self._means.space.add(self.presentation)
        self._look()

    async def stop(self, outcome: Outcome = Outcome.SHUTDOWN) -> None:
        """End, and wait until the tuner is given back."""
        self._end(outcome)
        if self._task is not None:
            await asyncio.wait({self._task})

    @contextmanager
    def asking(self, name: str, *, waits: bool = False) -> Iterator[None]:
        """Count a request for as long as it is answered. `name` tells clients apart; `waits` is
        for a request that has to be waited for."""
        self._asking += 1
        client = self._clients.get(name)
        if client is None:
            client = _Client(self._means.now())
            if len(self._clients) < MAX_CLIENTS:
                self._clients[name] = client
        client.pending += 1
        client.has_left = client.has_broken_off = False
        client.waits |= waits
        self._make_way(False)
        try:
            yield
        finally:
            self._asking -= 1
            client.pending -= 1
            client.asked_s = self._asked_s = self._means.now()
            self._note_absence()

    def sent(self, count: int) -> None:
        """Count bytes that a client was sent."""
        self.viewer.bytes_out += count
        self._means.metrics.bytes_out.inc(count)

    def break_off(self, name: str) -> None:
        """Note that a client closed its connection while it waited."""
        if (client := self._clients.get(name)) is not None:
            client.has_broken_off = True

    def leave(self, name: str) -> None:
        """Note that a client says that it leaves. It comes back by asking."""
        if (client := self._clients.get(name)) is not None:
            client.has_left = True
            self._note_absence()

    def _note_absence(self) -> None:
        """Let the tuner go to another channel while it seems that nobody is there.

        A player without low latency asks once in a target duration: of it nobody knows before.
        """
        if self._asking or self.is_over:
            return
        clients = self._clients.values()
        if self._have_left:
            self._look()
        if all(it.has_left or it.has_broken_off for it in clients):
            self._make_way(True)
        elif all(it.waits or it.has_left for it in clients):
            self._away_timer = self._means.later(
                SILENT_LOW_LATENCY_S, partial(self._make_way, True)
            )

    @property
    def _have_left(self) -> bool:
        """Whether all have said so, or have not waited for the channel to open."""
        clients = self._clients.values()
        return not self._ready.done() or (bool(clients) and all(it.has_left for it in clients))

    def _make_way(self, makes_way: bool) -> None:
        if self._away_timer is not None:
            self._away_timer.cancel()
            self._away_timer = None
        if self._reader is not None:
            self._reader.makes_way = makes_way

    async def ready(self) -> None:
        """Wait for the first playlist. Raises `RefusedError` when none comes."""
        await asyncio.wait({self._ready})
        if self._refused is not None:
            raise self._refused

    async def decided(self, decide: Callable[[], Decision], *, within_s: float) -> Decision:
        """Return what `decide` says once that is no longer `WAIT`, or when the time is over."""
        decision = decide()
        if decision is not Decision.WAIT or self.is_over:
            return decision
        began_s = self._means.now()
        waiting = _Waiting(decide, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        timer = self._means.later(within_s, partial(_resolve, waiting.decided))
        try:
            await waiting.decided
        finally:
            timer.cancel()
            self._waiting.remove(waiting)
            self._means.metrics.hls_blocked_s.observe(self._means.now() - began_s)
        return decide()

    def playlist(
        self, rendition: str | None, *, skip: bool = False, lead_in: bool = True
    ) -> Playlist:
        """Return the media playlist of a rendition, or with None the multivariant playlist."""
        known = self._playlists.get((rendition, skip, lead_in))
        if known is not None and known[0] == self.presentation.revision:
            return known[1]
        text = (
            multivariant(self.presentation)
            if rendition is None
            else media(self.presentation, rendition, skip=skip, lead_in=lead_in)
        )
        plain = text.encode()
        made = Playlist(plain, gzip.compress(plain, GZIP_LEVEL, mtime=0))
        # Making the first one settles what may not change, which is a change.
        self._playlists[rendition, skip, lead_in] = (self.presentation.revision, made)
        return made

    def _end(self, outcome: Outcome) -> None:
        if not self._ended.done():
            self._ended.set_result(outcome)

    def _look(self) -> None:
        """End the output once nobody has asked for long enough."""
        if self._timer is not None:
            self._timer.cancel()
        now_s, limit_s = self._means.now(), self.silent_limit_s
        self._clients = {
            name: it
            for name, it in self._clients.items()
            if it.pending or now_s - it.asked_s < limit_s
        }
        if self._have_left:
            limit_s = LEFT_S
        since_s = now_s if self._asking else self._asked_s
        if now_s - since_s >= limit_s:
            self._end(Outcome.VIEWER_LEFT)
            return
        self._timer = self._means.later(since_s + limit_s - now_s, self._look)

    async def _run(self) -> None:
        metrics = self._means.metrics
        with metrics.streams.track_inprogress(), self._means.viewers.watching(self.viewer):
            outcome = await self._watch()
        metrics.outcomes.labels(outcome).inc()
        if self._refused is None:
            self._log.info(
                "stream ended",
                outcome=outcome.value,
                duration_s=round(self._means.now() - self._begun_s, 1),
                bytes_out=self.viewer.bytes_out,
            )

    async def _watch(self) -> Outcome:
        """Package the stream until something ends it; return what."""
        packaging = asyncio.create_task(self._package())
        try:
            with (
                self.viewer.terminated.on_set(partial(self._end, Outcome.TERMINATED)),
                self._means.stopping.on_set(partial(self._end, Outcome.SHUTDOWN)),
            ):
                ends: set[asyncio.Future[Any]] = {packaging, self._ended}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not packaging.done():
                packaging.cancel()
                await asyncio.wait({packaging})
        # Where it failed at the moment of another end, that end is told; asyncio would tell both.
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
        self._changed()
        return outcome

    async def _package(self) -> None:
        """Read the stream to its end, and package it."""
        targets = self._targets
        # First: without the library no tuner is taken.
        packager = Packager(
            segment_ms=targets.segment_ms,
            part_ms=targets.part_ms,
            longest_ms=targets.longest_ms,
        )
        with packager:
            async with self._open_stream() as reader, AsyncExitStack() as stack:
                self.viewer.stream = self._reader = reader
                stack.callback(self._forget_reader)
                reader.on_freeze, reader.on_skip = self._froze, self._skipped
                self._log.info("stream started", format="hls")
                self.presentation.expect(await _sounds(reader))
                pace = Pace(self._means.now)
                try:
                    async with asyncio.timeout(FIRST_PLAYLIST_S) as limit:
                        while data := await reader.read():
                            events = packager.process(data)
                            is_newest = not reader.unread_bytes or self._ready.done()
                            self._take(events, is_newest=is_newest)
                            if reader.may_rush and (wait_s := pace.wait_s(self._length_s(events))):
                                self._take(())
                                await self._sleep(wait_s)
                            if self._ready.done():
                                limit.reschedule(None)
                            # What the hub has kept would hold everybody else up.
                            await asyncio.sleep(0)
                        self._take(packager.finish())
                except (ReceiverError, BackendError):
                    self._take(packager.finish())
                    raise
                except TimeoutError as error:
                    raise NoPlaylistError(
                        f"nothing came for {FIRST_PLAYLIST_S:g} s that HLS can carry"
                    ) from error
                if reader.makes_way:
                    self._end(Outcome.VIEWER_LEFT)
                    return
        if not self._ready.done():
            raise NoPlaylistError("the stream ended before there was anything to play")

    def _length_s(self, events: Sequence[Event]) -> float:
        """Return how long these are when played."""
        main = self.presentation.main
        if main is None:
            return 0.0
        parts = (it for it in events if isinstance(it, Part) and it.rendition == main.name)
        return sum(part.duration for part in parts) / main.header.timescale

    async def _sleep(self, delay_s: float) -> None:
        is_over = asyncio.get_running_loop().create_future()
        timer = self._means.later(delay_s, partial(_resolve, is_over))
        try:
            await is_over
        finally:
            timer.cancel()

    def _forget_reader(self) -> None:
        self._reader = None

    def _take(self, events: Sequence[Event], *, is_newest: bool = True) -> None:
        """Take events into the playlists. Clients see them with the newest: the first playlist
        settles for good what it can see of the stream."""
        for event in events:
            self.presentation.take(event)
            if isinstance(event, Part):
                self._parts.labels(event.rendition.partition("-")[0]).inc()
            if isinstance(event, NotOffered):
                self._note_missing(event)
        if self.presentation.too_long != self._too_long:
            self._means.metrics.hls_long_segments.inc(self.presentation.too_long - self._too_long)
            self._too_long = self.presentation.too_long
        self._means.space.enforce()
        if is_newest and self.presentation.revision != self._revision:
            self._revision = self.presentation.revision
            self._changed()

    def _note_missing(self, event: NotOffered) -> None:
        self._log.info("track not offered", pid=event.pid, reason=event.reason)
        if event.reason in NOT_PLAYED and not self.presentation.renditions:
            raise NotOfferedError(
                "browsers and HLS players do not decode this channel's picture"
                f" ({_CODINGS[event.reason]}); play its stream with VLC, Kodi or another player"
            )

    def _changed(self) -> None:
        if not self._ready.done() and self.presentation.is_ready:
            self._ready.set_result(None)
            self._means.metrics.start_s.observe(self._means.now() - self._begun_s)
        is_over = self.is_over
        for waiting in self._waiting:
            if is_over or waiting.decide() is not Decision.WAIT:
                _resolve(waiting.decided)

    def _fail(self, error: Exception) -> Outcome:
        """Note why the stream broke, or never began."""
        reason = str(error)
        match error:
            case ReceiverError() | BackendError():
                refusal = refusal_for(error)
            case NotOfferedError():
                refusal = NOT_OFFERED
            case NoPlaylistError():
                refusal = Refusal(504, "807 No Video Data", Outcome.NO_SIGNAL)
            case _:
                self._log.error("output broke", exc_info=error)
                refusal = Refusal(500, "806 Tune Failed", Outcome.BACKEND_FAILED)
                reason = "xg2g could not package this stream; its log says why"
        if self._ready.done():
            self._log.warning("stream failed", reason=reason)
            self._note(None, refusal.outcome, reason)
        else:
            self._refuse(refusal, reason)
        return refusal.outcome

    def _refuse(self, refusal: Refusal, reason: str) -> None:
        failure = self._note(refusal.status, refusal.outcome, reason)
        self._log.warning(
            "channel not opened",
            reason=reason,
            outcome=refusal.outcome.value,
            status=refusal.status,
        )
        self._refused = RefusedError(refusal, failure)
        self._ready.set_result(None)

    def _note(self, status: int | None, outcome: Outcome, reason: str) -> Failure:
        return self._means.failures.add(
            channel_id=self.channel_id,
            channel_name=self._name,
            viewer=self.viewer.address,
            status=status,
            outcome=outcome.value,
            reason=reason,
        )

    def _froze(self, frozen_s: float) -> None:
        self._log.warning("picture stood still", frozen_s=round(frozen_s, 2))

    def _skipped(self, skipped_bytes: int) -> None:
        metrics = self._means.metrics
        metrics.skips.inc()
        metrics.skipped_bytes.inc(skipped_bytes)
        self._log.warning("output fell behind and skipped", skipped_bytes=skipped_bytes)

    def _make_room(self) -> None:
        """Shorten the window for a disk that is full."""
        for _ in range(_SEGMENTS_FOR_ROOM):
            self.presentation.shorten()

    def _retire(self, on_gone: "Callable[[HlsOutput], None]") -> None:
        for timer in (self._timer, self._away_timer):
            if timer is not None:
                timer.cancel()
        ended = self._ended.result() if self._ended.done() else Outcome.SHUTDOWN
        if self._refused is not None or ended in (Outcome.VIEWER_LEFT, Outcome.SHUTDOWN):
            on_gone(self)
        else:
            self._timer = self._means.later(ENDED_S, partial(on_gone, self))


_CODINGS: Final = {"mpeg2_video": "MPEG-2 video", "video_coding": "a coding that is not packaged"}


async def _sounds(reader: UpstreamReader) -> list[str]:
    """Return the renditions of the sound tracks that the remuxer gives, as far as it tells."""
    try:
        async with asyncio.timeout(STATS_S):
            stats = await reader.stats()
    except (BackendError, TimeoutError):
        return []
    return [f"sound-{it.output_pid}" for it in stats.tracks if it.state in _GIVEN]


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)

"""The packaging of one stream: from a reader of the hub into a presentation."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from xg2g_backends.base import TrackState
from xg2g_backends.errors import BackendError
from xg2g_backends.packaging import Event, NotOffered, Packager, Part

from ...receiver.errors import ReceiverError
from ...streaming.hub import UpstreamReader
from ...streaming.timers import CallLater
from .presentation import Presentation

FIRST_PLAYLIST_S: Final = 15.0
"""Longest time from a stream's first byte to its first playlist."""
STATS_S: Final = 0.5
"""How long a remuxer may take to tell which tracks there are."""
AHEAD_S: Final = 30.0
"""How far packaging may be ahead of playback: IPTV streams may begin with a burst of seconds."""
FORGOTTEN: Final = 1e-4
"""Share of the lead that is forgotten in a second: clocks of broadcasters are faster or slower than
this computer's, by less than a twentieth of that for a lead of a second."""

CODINGS: Final = {"mpeg2_video": "MPEG-2 video", "video_coding": "an unsupported coding"}
"""Reasons of `NotOffered` that are about the picture's coding, and names of these codings."""
_CONVERTED: Final = frozenset((TrackState.WAITING, TrackState.CONVERTING, TrackState.PASSING_AAC))


class NotOfferedError(Exception):
    """The channel has pictures that HLS players do not decode."""


class NoPlaylistError(Exception):
    """The channel's stream has nothing to package."""


class ReadAhead:
    """Limits how far packaging is ahead of playback, for a stream that may be a file."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock."""
        self._now = now
        self._at_s = now()
        self._lead_s = 0.0

    def wait_s(self, packaged_s: float) -> float:
        """Count seconds that were packaged, and return how long to pause reading."""
        now_s = self._now()
        passed_s, self._at_s = now_s - self._at_s, now_s
        self._lead_s *= max(0.0, 1 - FORGOTTEN * passed_s)
        self._lead_s = max(0.0, self._lead_s + packaged_s - passed_s)
        return max(0.0, self._lead_s - AHEAD_S)


class Packaging:
    """Reads a stream to its end, and adds the packager's events to a presentation."""

    def __init__(
        self,
        presentation: Presentation,
        *,
        is_ready: Callable[[], bool],
        on_events: Callable[[Sequence[Event]], None],
        on_change: Callable[[], None],
        now: Callable[[], float],
        later: CallLater,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`is_ready` returns whether the first playlist was there. `on_events` is called with
        events that the presentation has taken, and `on_change` when clients may see a change."""
        self._presentation = presentation
        self._is_ready = is_ready
        self._on_events = on_events
        self._on_change = on_change
        self._now = now
        self._later = later
        self._log = log
        self._revision = 0

    async def run(self, reader: UpstreamReader, packager: Packager) -> None:
        """Package a stream. Raises `ReceiverError`, `BackendError`, `NotOfferedError` and
        `NoPlaylistError`."""
        self._presentation.expect(await _sounds(reader))
        read_ahead = ReadAhead(self._now)
        try:
            async with asyncio.timeout(FIRST_PLAYLIST_S) as limit:
                while data := await reader.read():
                    events = packager.process(data)
                    # The first playlist settles for good what it can see of the stream: it waits
                    # for what the hub has kept.
                    self._take(events, is_visible=self._is_ready() or not reader.unread_bytes)
                    if reader.may_rush and (wait_s := read_ahead.wait_s(self._length_s(events))):
                        self._take(())
                        await self._sleep(wait_s)
                    if self._is_ready():
                        limit.reschedule(None)
                    # Reading what the hub has kept would hold everybody else up.
                    await asyncio.sleep(0)
                self._take(packager.finish())
        except (ReceiverError, BackendError):
            self._take(packager.finish())
            raise
        except TimeoutError as error:
            raise NoPlaylistError(
                f"no picture or sound for HLS came within {FIRST_PLAYLIST_S:g} s;"
                " try the channel's stream in VLC, Kodi or another player"
            ) from error

    def _take(self, events: Sequence[Event], *, is_visible: bool = True) -> None:
        for event in events:
            self._presentation.take(event)
            if isinstance(event, NotOffered):
                self._note_missing(event)
        self._on_events(events)
        if is_visible and self._presentation.revision != self._revision:
            self._revision = self._presentation.revision
            self._on_change()

    def _note_missing(self, event: NotOffered) -> None:
        self._log.info("track not offered", pid=event.pid, reason=event.reason)
        if event.reason in CODINGS and not self._presentation.renditions:
            raise NotOfferedError(
                "browsers and HLS players do not decode this channel's picture"
                f" ({CODINGS[event.reason]}); play its stream with VLC, Kodi or another player"
            )

    def _length_s(self, events: Sequence[Event]) -> float:
        """Return how long these events play."""
        main = self._presentation.main
        if main is None:
            return 0.0
        parts = (it for it in events if isinstance(it, Part) and it.rendition == main.name)
        return sum(part.duration for part in parts) / main.header.timescale

    async def _sleep(self, delay_s: float) -> None:
        is_over = asyncio.Event()
        timer = self._later(delay_s, is_over.set)
        try:
            await is_over.wait()
        finally:
            timer.cancel()


async def _sounds(reader: UpstreamReader) -> list[str]:
    """Return the renditions of the remuxer's sound tracks; empty if it does not answer in time."""
    try:
        async with asyncio.timeout(STATS_S):
            stats = await reader.stats()
    except (BackendError, TimeoutError):
        return []
    return [f"sound-{it.output_pid}" for it in stats.tracks if it.state in _CONVERTED]

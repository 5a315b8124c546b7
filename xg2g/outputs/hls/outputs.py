"""All HLS outputs of a daemon: one for each channel that is watched."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from ...metrics import Metrics
from ...receiver.service_reference import ServiceReference
from ...streaming.hub import Hub
from ...streaming.timers import CallLater, call_later
from ..failures import Failures
from ..stop_event import StopEvent
from ..viewers import Viewers
from .disk_storage import StorageFolder
from .options import HlsOptions
from .output import HlsOutput, OutputContext
from .size_limit import SizeLimit

MAX_OUTPUTS: Final = 64
"""Most outputs at a time, including those that have ended and are still read."""


class TooManyError(Exception):
    """There are `MAX_OUTPUTS` outputs."""


class HlsOutputs:
    """One output for each channel that is watched by HLS."""

    def __init__(
        self,
        hub: Hub,
        options: HlsOptions,
        *,
        metrics: Metrics,
        viewers: Viewers,
        failures: Failures,
        stopping: StopEvent,
        now: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
        later: CallLater = call_later,
        folder: StorageFolder | None = None,
    ) -> None:
        """`folder` is where windows are kept, memory when there is none; it is not closed here.
        `now`, `today` and `later` are for tests."""
        self._hub = hub
        self._size_limit = SizeLimit(options.space_bytes)
        self._context = OutputContext(
            options=options,
            metrics=metrics,
            viewers=viewers,
            failures=failures,
            stopping=stopping,
            now=now,
            today=today,
            later=later,
            size_limit=self._size_limit,
            folder=folder,
        )
        self._current: dict[str, HlsOutput] = {}
        self._groups_s: dict[str, float] = {}
        """How far apart random access points of a channel were."""
        self._by_run: dict[str, HlsOutput] = {}
        self._not_offered: dict[str, str] = {}

    def __iter__(self) -> Iterator[HlsOutput]:
        return iter(tuple(self._by_run.values()))

    def __len__(self) -> int:
        return len(self._by_run)

    def get_or_open(
        self,
        channel_id: str,
        sources: Sequence[ServiceReference],
        *,
        name: str | None,
        address: str | None,
    ) -> HlsOutput:
        """Return the channel's output, or begin one from the first of these sources that plays.

        `address` is where the request came from. Raises `TooManyError`.
        """
        output = self._current.get(channel_id)
        # An output with other settings continues only for its own players.
        settings = (self._hub.receiver, self._hub.options)
        if output is not None and not output.is_over and output.settings == settings:
            return output
        if len(self._by_run) >= MAX_OUTPUTS:
            raise TooManyError(f"{MAX_OUTPUTS} channels are open for HLS; try again in a moment")
        output = HlsOutput(
            channel_id,
            name,
            partial(self._hub.open_first, sources, from_oldest=True),
            self._context,
            address=address,
            settings=settings,
            group_s=self._groups_s.get(channel_id),
        )
        self._current[channel_id] = self._by_run[output.run] = output
        output.begin(self._over, self._gone)
        return output

    def leave(self, channel_id: str, client: str) -> None:
        """Note that a client says that it leaves the channel."""
        for output in self:
            if output.channel_id == channel_id:
                output.clients.leave(client)

    def not_offered(self, channel_id: str) -> str | None:
        """Return in one line why the channel could not be played by HLS when it was last opened.
        None if it could be, or was never opened."""
        return self._not_offered.get(channel_id)

    def find(self, channel_id: str, run: str) -> HlsOutput | None:
        """Return the output of this run, which may have ended a moment ago."""
        output = self._by_run.get(run)
        return output if output is not None and output.channel_id == channel_id else None

    async def aclose(self) -> None:
        """End every output, and wait until all tuners are given back."""
        await asyncio.gather(*(each.stop() for each in self))

    def _over(self, output: HlsOutput) -> None:
        if self._current.get(output.channel_id) is output:
            del self._current[output.channel_id]
        if (reason := output.not_offered) is not None:
            self._not_offered[output.channel_id] = reason
        elif output.has_played:
            self._not_offered.pop(output.channel_id, None)

    def _gone(self, output: HlsOutput) -> None:
        self._by_run.pop(output.run, None)
        self._size_limit.remove(output.presentation)
        output.storage.clear()
        if (group_s := output.presentation.longest_group_s) is not None:
            self._groups_s[output.channel_id] = group_s

"""Viewers by HLS: each tunes, watches, pauses, rewinds and leaves without a word."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from tests.harness.media_playlist import MediaPlaylist
from tests.load.load_test.client import Connection

if TYPE_CHECKING:
    import random

    from tests.load.load_test.network import Network
    from tests.load.load_test.tally import Tally
    from tests.load.load_test.viewers import Channel

BROWSER: Final = "Mozilla/5.0 (load test)"
"""A client that requests playlists before they exist."""
BLOCKED_S: Final = 20.0
"""Longest answer to such a request: three target durations, and what a busy machine adds."""
OVER: Final = frozenset((404, 410, 503))
"""Answers once a run has ended, or its window has passed."""


class HlsViewer:
    """One person with a player of HLS.

    What a playlist names has to be there: an answer other than 200 is told, unless the playlist is
    gone, too.
    """

    def __init__(
        self, network: Network, channels: list[Channel], chance: random.Random, tally: Tally
    ) -> None:
        self._network = network
        self._channels = channels
        self._chance = chance
        self._tally = tally
        self._is_browser = chance.random() < 0.5

    async def live(self) -> None:
        """Go on until cancelled."""
        self._device = await self._network.new_device()
        while True:
            try:
                await self._tune(self._chance.choice(self._channels))
            except OSError as error:
                # What was under way when the house was unplugged, or the device.
                self._tally.broken[type(error).__name__] += 1
            await asyncio.sleep(self._chance.uniform(0, 3))

    async def _tune(self, channel: Channel) -> None:
        self._act("tune by HLS")
        index_path = f"/hls/{channel.id}/index.m3u8"
        index = await self._load(index_path, is_index=True)
        if index is None:
            return
        folder = index_path.rpartition("/")[0]
        [playlist, *_] = [line for line in index.splitlines() if line and line[0] != "#"]
        self._media = f"{folder}/{playlist}"
        self._folder = self._media.rpartition("/")[0]
        self._seen = -1
        until_s = time.monotonic() + self._chance.uniform(2, 120)
        while time.monotonic() < until_s:
            if not await self._chance.choices(
                (self._watch, self._rewind, self._pause, self._sit), (60, 20, 15, 5)
            )[0]():
                self._act("run over")
                return
        self._act("leave")

    async def _watch(self) -> bool:
        """Play for a while at the newest."""
        until_s = time.monotonic() + self._chance.uniform(2, 20)
        while time.monotonic() < until_s:
            if (listed := await self._listed(waits=self._is_browser)) is None:
                return False
            end = listed.first + len(listed.segments)
            for duration_s, uri in listed.segments[max(self._seen, end - 3) - listed.first :]:
                if uri and not await self._segment(uri):
                    return False
                await asyncio.sleep(0 if self._is_browser else duration_s / 4)
            self._seen = end
            await asyncio.sleep(0.1 if self._is_browser else listed.target_s / 2)
        return True

    async def _rewind(self) -> bool:
        """Look at something of before."""
        self._act("rewind")
        if (listed := await self._listed()) is None:
            return False
        # The very oldest may leave while it is asked for.
        old = [uri for _, uri in listed.segments[1:] if uri]
        return await self._segment(self._chance.choice(old)) if old else True

    async def _pause(self) -> bool:
        """Stand still, and load playlists as players do."""
        self._act("pause by HLS")
        for _ in range(self._chance.randint(2, 15)):
            if await self._listed() is None:
                return False
            await asyncio.sleep(2)
        return True

    async def _sit(self) -> bool:
        """Ask for nothing for longer than an output waits. Others may watch it."""
        self._act("sleep")
        await asyncio.sleep(self._chance.uniform(5, 20))
        return await self._listed() is not None

    async def _listed(self, *, waits: bool = False) -> MediaPlaylist | None:
        """The picture's playlist; None once the run is over. `waits`: with what comes next."""
        query = f"?_HLS_msn={self._seen}&_HLS_part=0" if waits and self._seen > 0 else ""
        text = await self._load(self._media + query)
        return None if text is None else MediaPlaylist.of(text)

    async def _segment(self, uri: str) -> bool:
        path = f"{self._folder}/{uri}"
        status, body, _ = await self._get(path)
        if status == 200:
            if b"moof" not in body[:1000]:
                self._tally.wrong.append(f"{path}: no fragment in {len(body)} bytes")
            return True
        if status not in OVER or await self._load(self._media) is not None:
            self._tally.wrong.append(f"{path}: status {status} of what the playlist names")
            return True
        return False

    async def _load(self, path: str, *, is_index: bool = False) -> str | None:
        """A playlist's text; None when it is refused."""
        status, body, took_s = await self._get(path, is_index=is_index)
        if took_s > BLOCKED_S and not is_index:
            self._tally.wrong.append(f"{path}: {took_s:.0f} s for status {status}")
        if status == 200:
            if not body.startswith(b"#EXTM3U\n"):
                self._tally.wrong.append(f"{path}: no playlist")
            return body.decode()
        if status not in OVER and not is_index:
            self._tally.wrong.append(f"{path}: status {status}")
        return None

    async def _get(self, path: str, *, is_index: bool = False) -> tuple[int, bytes, float]:
        agent = {"User-Agent": BROWSER} if self._is_browser else {}
        begun_s = time.monotonic()
        async with Connection(self._network, self._device) as connection:
            await connection.ask(path, headers=agent)
            answer = await connection.answer()
            if is_index:
                self._tally.answered(path, answer)
            body = bytearray()
            while piece := await connection.body():
                body += piece
        return answer.status, bytes(body), time.monotonic() - begun_s

    def _act(self, name: str) -> None:
        self._tally.acts[name] += 1

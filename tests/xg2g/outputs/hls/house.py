"""A daemon over a simulated receiver, and players of HTTP Live Streaming."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.harness.daemon import client_of, settings_for
from xg2g.config.settings import (
    ExternalSettings,
    HlsSettings,
    ServerSettings,
)
from xg2g.simulator import SimulatedReceiver

WITHIN_S = 20


@dataclass
class House:
    """A daemon, the receiver behind it, and a client of both."""

    client: httpx.AsyncClient
    receiver: SimulatedReceiver
    ids: dict[str, str] = field(default_factory=dict)
    """Name -> id of each channel."""

    def path(self, channel: str) -> str:
        return f"/hls/{self.ids.get(channel, channel)}/index.m3u8"

    async def api(self, path: str) -> Any:
        return (await self.client.get(f"/api/v1/{path}")).raise_for_status().json()

    async def metrics(self) -> dict[str, float]:
        text = (await self.client.get("/metrics")).text
        return {
            series: float(value)
            for series, value in (line.rsplit(" ", 1) for line in text.splitlines())
            if series.startswith("xg2g_")
        }

    async def play(self, channel: str) -> "Player":
        """Open a channel, and return with its playlists read."""
        answer = await self.client.get(self.path(channel))
        assert answer.status_code == 200, (answer.status_code, answer.headers)
        player = Player(self.client, str(answer.url), answer.text)
        await player.reload()
        return player

    async def until(self, holds: Callable[[Any], bool]) -> Any:
        """Return what the API says of the streams once this holds for it."""
        async with asyncio.timeout(WITHIN_S):
            while not holds(told := await self.api("streams")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return told


@dataclass
class Player:
    """Plays the first variant's picture, or its sound where there is no picture."""

    client: httpx.AsyncClient
    url: str
    """Of the multivariant playlist."""
    multivariant: str
    playlist: str = ""
    """The media playlist as it was last read."""

    @property
    def media_url(self) -> str:
        lines = [line for line in self.multivariant.splitlines() if not line.startswith("#")]
        return urljoin(self.url, lines[0])

    @property
    def renditions(self) -> list[str]:
        """URLs of the media playlists of all sounds."""
        found = re.findall(r'TYPE=AUDIO,.*URI="([^"]*)"', self.multivariant)
        return [urljoin(self.url, each) for each in found]

    async def reload(self, **directives: int | str) -> str:
        query = {f"_HLS_{name}": value for name, value in directives.items()}
        answer = await self.client.get(self.media_url, params=query)
        assert answer.status_code == 200, answer.text
        self.playlist = answer.text
        return self.playlist

    async def file(self, uri: str) -> httpx.Response:
        return await self.client.get(urljoin(self.media_url, uri))

    @property
    def hint(self) -> tuple[str, int, int]:
        """URI, segment and part of what is announced."""
        (uri,) = re.findall(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]*)"', self.playlist)
        segment, part = re.findall(r"(\d+)\.(\d+)\.\w+$", uri)[0]
        return uri, int(segment), int(part)

    @property
    def parts(self) -> list[str]:
        return re.findall(r'#EXT-X-PART:.*URI="([^"]*)"', self.playlist)

    @property
    def segments(self) -> list[str]:
        """Those that are no gaps."""
        listed = re.sub(r"#EXT-X-GAP\n#EXTINF:.*\n.*\n", "", self.playlist)
        return [line for line in listed.splitlines() if line and not line.startswith("#")]

    @property
    def headers(self) -> list[str]:
        return re.findall(r'#EXT-X-MAP:URI="([^"]*)"', self.playlist)


@asynccontextmanager
async def house(
    *,
    speed: float = 1,
    tuners: int = 8,
    linger_s: float = 0,
    transcoder: str | None = None,
    hls: HlsSettings | None = None,
    server: ServerSettings | None = None,
) -> AsyncIterator[House]:
    async with SimulatedReceiver(speed=speed, tuners=tuners) as receiver:
        settings = settings_for(
            receiver,
            linger_s,
            server=server or ServerSettings(port=0),
            hls=hls or HlsSettings(),
            external=ExternalSettings(transcoder=(transcoder,) if transcoder else ()),
        )
        async with client_of(settings, timeout_s=WITHIN_S) as client:
            home = House(client, receiver)
            playlist = (await client.get("/playlist.m3u")).text
            entries = re.findall(r'tvg-id="([^"]*)".* tvg-name="([^"]*)"', playlist)
            home.ids = {name: channel_id for channel_id, name in entries}
            yield home

"""The whole chain: simulated receiver, daemon, remuxer; and a player's view of it."""

import asyncio
import io
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import httpx
import pytest

from xg2g.config import Settings
from xg2g.daemon import Ready, run
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

STREAM_S = 6
"""Of each channel, so that every track has its languages, codec and some sound."""


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """`xg2g demo`, four times as fast as real time; yields the playlist's URL."""
    async with SimulatedReceiver(speed=4) as receiver:
        settings = Settings.read(
            receiver=receiver.base_url, stream_port=receiver.stream_port, port=0
        )
        ready: asyncio.Queue[Ready] = asyncio.Queue()
        serving = asyncio.create_task(run(settings, wait=False, on_ready=ready.put_nowait))
        try:
            async with asyncio.timeout(20):
                port = (await ready.get()).port
            yield f"http://127.0.0.1:{port}/playlist.m3u"
        finally:
            signal.raise_signal(signal.SIGTERM)
            await serving


async def channels(client: httpx.AsyncClient, playlist: str) -> dict[str, str]:
    """Name -> URL, as a player reads a playlist."""
    text = (await client.get(playlist)).raise_for_status().text
    return dict(re.findall(r"^#EXTINF[^\n]*,(.*)\n(?:#.*\n)*(http.*)$", text, re.MULTILINE))


async def watch(client: httpx.AsyncClient, url: str) -> bytes:
    received = b""
    async with client.stream("GET", url) as response:
        assert response.status_code == 200
        async with asyncio.timeout(60):
            async for chunk in response.aiter_raw():
                received += chunk
                if span_s(received) > STREAM_S:
                    break
    return received


def span_s(stream: bytes) -> float:
    """Time from the first to the last PCR."""
    pcrs = [
        int.from_bytes(stream[at + 6 : at + 10], "big") / 45_000
        for at in range(0, len(stream) - 187, 188)
        if stream[at + 3] & 0x20 and stream[at + 4] > 6 and stream[at + 5] & 0x10
    ]
    return pcrs[-1] - pcrs[0] if pcrs else 0


def seen(stream: bytes) -> tuple[str | None, list[tuple[str, str]], int]:
    """What a player finds: video codec, audio tracks (codec, language), seconds of sound."""
    with av.open(io.BytesIO(stream), "r", format="mpegts") as container:
        video = container.streams.video[0].codec.name if container.streams.video else None
        decodable = [track for track in container.streams.audio if track.rate]
        tracks = [(track.codec.name, str(track.language)) for track in decodable]
        samples = sum(frame.samples for frame in container.decode(decodable[0]))
        return video, sorted(tracks), samples // decodable[0].rate


@pytest.mark.parametrize(
    ("name", "video", "languages"),
    [
        ("Card One HD", "h264", ["deu", "deu", "deu", "eng", "eng"]),
        ("Card Two HD", "h264", ["fra", "fra", "qaa"]),
        ("Card Three & Friends", "hevc", ["eng", "ita"]),
        ("Radio Four", None, ["deu"]),
    ],
)
async def test_every_track_of_a_channel_arrives_as_aac_with_its_language_and_the_picture(
    name: str, video: str | None, languages: list[str]
) -> None:
    async with demo() as playlist, httpx.AsyncClient(trust_env=False) as client:
        stream = await watch(client, (await channels(client, playlist))[name])
    found_video, tracks, sound_s = seen(stream)
    assert found_video == video
    assert tracks == [("aac", language) for language in languages]
    assert sound_s >= STREAM_S - 2


async def test_several_viewers_each_have_their_own_stream() -> None:
    async with demo() as playlist, httpx.AsyncClient(trust_env=False) as client:
        urls = await channels(client, playlist)
        names = ["Card Two HD", "Card Two HD", "Card Three & Friends", "Radio Four"]
        streams = await asyncio.gather(*(watch(client, urls[name]) for name in names))
    assert [seen(stream)[0] for stream in streams] == ["h264", "h264", "hevc", None]


async def test_a_scrambled_channel_passes_as_it_is() -> None:
    async with demo() as playlist, httpx.AsyncClient(trust_env=False) as client:
        stream = await watch(client, (await channels(client, playlist))["Card Five HD (scrambled)"])
    scrambled = sum(bool(stream[at + 3] & 0xC0) for at in range(0, len(stream) - 187, 188))
    assert scrambled > len(stream) // 188 // 2

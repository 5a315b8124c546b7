"""The whole chain: simulated receiver, daemon, remuxer; and a player's view of it."""

import asyncio
import io
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import av
import httpx
import pytest

from xg2g.config.settings import ReceiverSettings, ServerSettings, Settings
from xg2g.daemon import Ready, run
from xg2g.errors import UserError
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio

STREAM_S = 6
"""Of each channel, so that every track has its languages, codec and some sound."""


@asynccontextmanager
async def gateway(**receiver: Any) -> AsyncIterator[str]:
    """`xg2g serve` with these settings of the receiver; yields its address."""
    ready: asyncio.Queue[Ready] = asyncio.Queue()
    settings = Settings(receiver=ReceiverSettings(**receiver), server=ServerSettings(port=0))
    serving = asyncio.create_task(run(settings, on_ready=ready.put_nowait, keep_data=False))
    waiting = asyncio.create_task(ready.get())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        waiting.cancel()
        await serving
    try:
        yield f"http://127.0.0.1:{waiting.result().port}"
    finally:
        signal.raise_signal(signal.SIGTERM)
        await serving


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """`xg2g demo`, four times as fast as real time; yields the playlist's URL."""
    async with (
        SimulatedReceiver(speed=4) as receiver,
        gateway(url=receiver.base_url, stream_port=receiver.stream_port) as address,
    ):
        yield f"{address}/playlist.m3u"


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
        # The last one is cut where the viewer left.
        *whole, _ = (packet for packet in container.demux(decodable[0]) if packet.size)
        samples = sum(frame.samples for packet in whole for frame in packet.decode())
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


async def test_a_channel_that_stays_scrambled_is_refused_instead_of_played_as_noise() -> None:
    async with demo() as playlist, httpx.AsyncClient(trust_env=False) as client:
        url = (await channels(client, playlist))["Card Five HD (scrambled)"]
        metrics = playlist.replace("playlist.m3u", "metrics")
        answer = await client.get(url, timeout=30)
        counted = 'xg2g_streams_total{outcome="scrambled"} 1.0'
        async with asyncio.timeout(10):
            # It is counted once the answer is sent.
            while counted not in (await client.get(metrics)).text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert answer.status_code == 502
    assert answer.headers["X-HDHomeRun-Error"] == "811 Content Protection Required"
    assert answer.content == b""


async def test_the_receivers_password_opens_its_lists_and_its_streams() -> None:
    secret = Credentials("root", "p:äss")
    async with (
        SimulatedReceiver(speed=4, api_credentials=secret, stream_credentials=secret) as receiver,
        gateway(
            url=receiver.base_url,
            stream_port=receiver.stream_port,
            user="root",
            password="p:äss",
        ) as address,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        urls = await channels(client, f"{address}/playlist.m3u")
        assert await watch(client, urls["Radio Four"])


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_a_wrong_password_ends_the_start_with_what_to_do(password: str | None) -> None:
    user = "root" if password else None
    async with SimulatedReceiver(api_credentials=Credentials("root", "right")) as receiver:
        with pytest.raises(UserError, match="XG2G_RECEIVER_PASSWORD"):
            async with gateway(url=receiver.base_url, user=user, password=password):
                pass


async def test_a_port_in_use_ends_the_start_with_what_to_do() -> None:
    async with SimulatedReceiver() as receiver:
        taken = receiver.stream_port
        with pytest.raises(UserError, match="--port"):
            await run(
                Settings(
                    receiver=ReceiverSettings(url=receiver.base_url),
                    server=ServerSettings(port=taken),
                ),
                on_ready=lambda _: None,
            )


async def test_a_receiver_that_is_switched_on_later_is_waited_for() -> None:
    async with SimulatedReceiver() as receiver:
        port = int(receiver.base_url.rpartition(":")[2])
    async with (
        gateway(url=f"http://127.0.0.1:{port}", wait=True) as address,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert (await client.get(f"{address}/playlist.m3u")).status_code == 503
        async with SimulatedReceiver(port=port), asyncio.timeout(20):
            while not await channels_so_far(client, address):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await client.get(f"{address}/playlist.m3u")).status_code == 200


async def channels_so_far(client: httpx.AsyncClient, address: str) -> int:
    health: dict[str, int] = (await client.get(f"{address}/healthz")).json()
    return health["channels"]

"""The whole chain: simulated receiver, daemon, remuxer; and a player's view of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import structlog

from tests.harness.daemon import serving
from tests.harness.player import STREAM_S, channels, clocks_s, seen, watch
from xg2g.app.daemon import run
from xg2g.config.secret import Secret
from xg2g.config.settings import HdhomerunSettings, ReceiverSettings, ServerSettings, Settings
from xg2g.errors import UserError
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def gateway(
    *, hdhomerun: HdhomerunSettings | None = None, **receiver: Any
) -> AsyncIterator[str]:
    """`xg2g serve` with these settings of the receiver; yields its address."""
    settings = Settings(
        receiver=ReceiverSettings(**receiver),
        server=ServerSettings(port=0),
        hdhomerun=hdhomerun or HdhomerunSettings(),
    )
    async with serving(settings, keep_data=False) as address:
        yield address


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """`xg2g demo`, four times as fast as real time; yields the playlist's URL."""
    async with (
        SimulatedReceiver(speed=4) as receiver,
        gateway(url=receiver.base_url, stream_port=receiver.stream_port) as address,
    ):
        yield f"{address}/playlist.m3u"


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


async def test_viewers_of_one_channel_and_of_others_each_get_theirs() -> None:
    async with demo() as playlist, httpx.AsyncClient(trust_env=False) as client:
        urls = await channels(client, playlist)
        names = ["Card Two HD", "Card Two HD", "Card Three & Friends", "Radio Four"]
        streams = await asyncio.gather(*(watch(client, urls[name]) for name in names))
    assert [seen(stream)[0] for stream in streams] == ["h264", "h264", "hevc", None]


async def test_a_channel_that_stays_scrambled_is_refused_instead_of_played() -> None:
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


async def test_a_receiver_that_has_fewer_tuners_than_was_said_is_asked_what_would_free_one() -> (
    None
):
    async with (
        SimulatedReceiver(tuners=1) as receiver,
        gateway(
            url=receiver.base_url,
            stream_port=receiver.stream_port,
            hdhomerun=HdhomerunSettings(tuners=8),
        ) as address,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        urls = await channels(client, f"{address}/playlist.m3u")
        async with client.stream("GET", urls["Radio Four"]) as watched:
            assert watched.status_code == 200
            with structlog.testing.capture_logs() as logs:
                answer = await client.get(urls["Ends after 20 s"], timeout=30)
    assert answer.status_code == 503
    assert answer.headers["X-HDHomeRun-Error"] == "805 All Tuners In Use"
    (reason,) = (line["reason"] for line in logs if line["event"] == "channel not opened")
    assert reason == "all tuners of the receiver are in use"


async def test_who_looks_first_and_then_plays_begins_with_what_came_last() -> None:
    async with demo() as playlist, httpx.AsyncClient(trust_env=False) as client:
        url = (await channels(client, playlist))["Card One HD"]
        looked, played = [await watch(client, url, stream_s=3) for _ in range(2)]
    assert clocks_s(looked)[0] <= clocks_s(played)[0] < clocks_s(looked)[-1]
    assert seen(played)[0] == "h264"


async def test_the_receivers_password_opens_its_lists_and_its_streams() -> None:
    secret = Credentials("root", "p:äss")
    async with (
        SimulatedReceiver(speed=4, api_credentials=secret, stream_credentials=secret) as receiver,
        gateway(
            url=receiver.base_url,
            stream_port=receiver.stream_port,
            user="root",
            password=Secret("p:äss"),
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
            async with gateway(
                url=receiver.base_url, user=user, password=Secret(password) if password else None
            ):
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

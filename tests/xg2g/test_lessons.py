"""What users of the predecessor met, and nobody shall meet here: each of its defects, seen from
outside.

The numbered comments say what happened there. Settings of it that would bring a defect back are
read, or explained away, in config/test_predecessor.py; that a failure before the first byte is a
status and no body is in test_app.py; what its remuxer did wrong, the tests of the remuxer show.
"""

import asyncio
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.command import COMMAND, DaemonProcess
from tests.harness.daemon import serving
from tests.harness.player import channels, seen, watch
from tests.harness.ports import free_port
from tests.harness.process import environment
from tests.harness.stream_server import CRLF_ANSWER, says, upstream
from xg2g.config import load
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio

REPOSITORY = Path(__file__).parents[2]


@asynccontextmanager
async def household(
    receiver: SimulatedReceiver, **variables: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a daemon that has the receiver's address, these variables, and defaults."""
    environment = {
        "XG2G_CONFIG": "/dev/null",
        "XG2G_RECEIVER": receiver.base_url,
        "XG2G_STREAM_PORT": str(receiver.stream_port),
        "XG2G_RELAY_PORT": str(receiver.relay_port),
        "XG2G_PORT": "0",
        **{f"XG2G_{name}": value for name, value in variables.items()},
    }
    settings = load(environment=environment).settings
    async with (
        serving(settings) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client,
    ):
        yield client


async def refreshed(client: httpx.AsyncClient, times: int) -> Mapping[str, Any]:
    """Wait until lineup and guide have been read so often; the status then."""
    async with asyncio.timeout(60):
        while True:
            status: dict[str, Any] = (await client.get("/api/v1/status")).json()
            if all(part["succeeded"] >= times for part in status["refreshes"]):
                return status
            await asyncio.sleep(0.05)


# 1. Nothing was read at the start, so that /readyz stayed 503 until somebody with a token posted;
#    and the health check of its containers asked by HEAD, which was refused.


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_it_is_ready_by_itself_however_it_is_asked(method: str) -> None:
    async with SimulatedReceiver() as receiver, household(receiver) as client:
        assert (await client.request(method, "/readyz")).status_code == 200


# 2. The default path of ffmpeg failed a check of its own: 200, and not one byte.


async def test_sound_is_converted_by_nothing_that_has_to_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with (
        SimulatedReceiver(speed=4) as receiver,
        household(receiver, FFMPEG_PATH="ffmpeg") as client,
    ):
        stream = await watch(client, (await channels(client, "/playlist.m3u"))["Card Two HD"])
    _, tracks, sound_s = seen(stream)
    assert {codec for codec, _ in tracks} == {"aac"}
    assert sound_s > 0


# 3. The port that was documented was read by nothing. 6. Of the file, the address, the log level
#    and `enabled: false` were read by nothing either.


@pytest.mark.parametrize("by", ["variable", "older variable", "file", "older file", "flag"])
async def test_every_setting_of_the_listening_address_is_used(by: str, tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "config.yaml"
    async with SimulatedReceiver() as receiver:
        text = {
            "file": f"server: {{port: {port}}}\n",
            "older file": f"api: {{listenAddr: '127.0.0.1:{port}'}}\n",
        }
        file.write_text(text.get(by, ""))
        variables = {
            "variable": {"XG2G_PORT": str(port)},
            "older variable": {"XG2G_LISTEN": f"127.0.0.1:{port}"},
        }
        flags = ("--port", str(port)) if by == "flag" else ()
        async with command(receiver, file, *flags, **variables.get(by, {})) as daemon:
            said = await daemon.address()
            assert said == f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(trust_env=False) as client:
                assert (await client.get(f"{said}/playlist.m3u")).status_code == 200


def command(
    receiver: SimulatedReceiver, file: Path, *flags: str, **variables: str
) -> DaemonProcess:
    """`xg2g serve` in a process of its own."""
    serve = ("serve", "--receiver", receiver.base_url, "--config", str(file), *flags)
    return DaemonProcess(*COMMAND, *serve, variables=environment(**variables))


@pytest.mark.parametrize(("level", "said"), [("info", True), ("error", False)])
async def test_the_log_level_of_the_file_is_that_of_the_log(
    level: str, said: bool, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"server: {{port: 0}}\nlogLevel: {level}\n")
    async with (
        SimulatedReceiver() as receiver,
        command(receiver, file, LOG_LEVEL="debug") as daemon,
    ):
        await daemon.address()
        assert await daemon.end() == 0
    assert bool(daemon.log.text()) is said


async def test_a_guide_that_the_file_switches_off_is_never_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("epg: {enabled: false}\n")
    async with SimulatedReceiver() as receiver, household(receiver, CONFIG=str(file)) as client:
        assert (await refreshed(client, 1))["programmes"] == 0
        assert not [path for path in receiver.gate.requests if "epg" in path]
        assert "<programme" not in (await client.get("/xmltv.xml")).raise_for_status().text


# 4. The list of what goes through the stream relay was asked for without the password and on port
#    80 alone: where there was a password, those channels stayed scrambled.


async def test_a_receiver_with_a_password_and_a_port_of_its_own_has_its_relayed_channels() -> None:
    async with (
        SimulatedReceiver(speed=4, api_credentials=Credentials("root", "geheim")) as receiver,
        household(receiver, RECEIVER_USER="root", RECEIVER_PASSWORD="geheim") as client,
    ):
        url = (await channels(client, "/playlist.m3u"))["Card Five HD (scrambled)"]
        video, tracks, _ = seen(await watch(client, url))
    assert video == "h264"
    assert {codec for codec, _ in tracks} == {"aac"}


# 5. Each refresh opened a stream of every channel, one after the other, to see whether it played.


async def test_reading_lineup_guide_and_picons_opens_no_stream() -> None:
    async with SimulatedReceiver() as receiver, upstream(says(CRLF_ANSWER)) as streams:
        port = str(streams.port)
        async with household(receiver, STREAM_PORT=port, RELAY_PORT=port) as client:
            await refreshed(client, 1)
            (await client.post("/api/v1/refresh")).raise_for_status()
            await refreshed(client, 2)
        # The start looks whether somebody listens, and says nothing.
        assert not any(connection.request for connection in streams.connections)


# 7. The answer to a refresh that took longer than ten seconds was lost while the refresh went on,
#    and the status had no version afterwards.


async def test_a_refresh_is_answered_at_once_and_the_status_tells_how_it_goes() -> None:
    async with SimulatedReceiver() as receiver, household(receiver) as client:
        await refreshed(client, 1)
        receiver.stall()
        assert (await client.post("/api/v1/refresh")).status_code == 202
        status = (await client.get("/api/v1/status")).json()
        assert [part["running"] for part in status["refreshes"] if part["name"] == "lineup"] == [
            True
        ]
        receiver.resume()
        assert (await refreshed(client, 2))["version"] == version("xg2g")


# 8. The lineup of the tuner was that of playlist.m3u, whatever the playlist had been called.
# 9. Playlist and guide had ids of their own each, which were to be matched all the same.
# 12. Playlist and lineup named playlists in place of streams, or a proxy that was gone.


async def test_playlist_guide_and_tuner_name_the_same_channels() -> None:
    async with (
        SimulatedReceiver() as receiver,
        household(receiver, PLAYLIST_FILENAME="tv.m3u") as client,
    ):
        playlist = (await client.get("/playlist.m3u")).text
        lineup = (await client.get("/lineup.json")).json()
        await refreshed(client, 1)
        tv = ET.fromstring((await client.get("/xmltv.xml")).text)
    ids, numbers = (re.findall(rf'{name}="(.*?)"', playlist) for name in ("tvg-id", "tvg-chno"))
    assert len(ids) == len(set(ids)) > 10
    assert [row["GuideNumber"] for row in lineup] == numbers
    guide = {it.get("id"): [name.text for name in it.findall("display-name")] for it in tv}
    assert all(number in guide[id_] for id_, number in zip(ids, numbers, strict=True))


async def test_every_address_in_playlist_and_lineup_is_a_stream_of_the_one_port() -> None:
    async with (
        SimulatedReceiver() as receiver,
        household(receiver, USE_WEBIF_STREAMS="true", PLEX_FORCE_HLS="true") as client,
    ):
        urls = set((await channels(client, "/playlist.m3u")).values())
        urls |= {row["URL"] for row in (await client.get("/lineup.json")).json()}
        for url in urls:
            assert re.match(rf"{client.base_url}/(stream/\w+\.ts|auto/v\d+)$", url)
            answer = await client.head(url)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp2t")
        assert not receiver.active_streams


# 10. Plain HTTP forbade browsers to come back by plain HTTP; and the repository held a password.


async def test_no_answer_forbids_plain_http() -> None:
    paths = [
        "/",
        "/playlist.m3u",
        "/xmltv.xml",
        "/discover.json",
        "/api/v1/status",
        "/readyz",
        "/x",
    ]
    async with SimulatedReceiver() as receiver, household(receiver) as client:
        for path in paths:
            assert "strict-transport-security" not in (await client.get(path)).headers


def test_no_file_that_people_deploy_holds_a_password() -> None:
    patterns = ("*.y*ml", "*.env*", "*Dockerfile*", "*.service", "*.conf", "deploy/*")
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    files = listed.stdout.split()
    assert len(files) > 10
    for file in files:
        # ${NAME:-} is what whoever deploys has set, or nothing; ${{ }} the like of a workflow.
        text = re.sub(r"\$\{(\w+:-|\{.*?\})\}", "", (REPOSITORY / file).read_text())
        assert not PASSWORD_GIVEN.search(text), file


PASSWORD_GIVEN = re.compile(
    r"""
    (PASS|PASSWORD|TOKEN|SECRET) ["']? [ ]* [:=] [ ]* ["']? [^\s"']    # NAME: value, NAME=value
    | (PASS|PASSWORD|TOKEN|SECRET) \s+ value: [ ]* \S                # name: NAME, value: value
    | ://[^\s/]*:[^\s/]*@
    """,
    re.VERBOSE,
)


# 11. Every request made the whole guide anew, in time that grew with the square of the channels;
#     and a time in each logo's address made every line of the playlist new with each refresh.


async def test_what_has_not_changed_is_not_sent_again_after_a_refresh() -> None:
    async with SimulatedReceiver() as receiver, household(receiver) as client:
        await refreshed(client, 1)
        before = {path: await client.get(path) for path in ("/playlist.m3u", "/xmltv.xml")}
        (await client.post("/api/v1/refresh")).raise_for_status()
        await refreshed(client, 2)
        for path, answer in before.items():
            unchanged = {"If-None-Match": answer.headers["etag"]}
            assert (await client.get(path, headers=unchanged)).status_code == 304
        assert (await client.get("/playlist.m3u")).text == before["/playlist.m3u"].text

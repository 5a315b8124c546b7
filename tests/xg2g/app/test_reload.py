"""SIGHUP: the settings are read again while streams go on."""

import asyncio
import io
import json
import os
import pty
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import av
import httpx
import pytest

from tests.harness.command import DaemonProcess
from tests.harness.configured_daemon import ROOT, config, serving_file, starting
from tests.harness.process import environment
from xg2g.app.reload import LIVE_KEYS, LIVE_PARTS
from xg2g.config import Settings
from xg2g.config.setting import settings_of
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

ON_TERMINAL = """
import fcntl, os, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from xg2g.cli import main
main()
"""
"""The command with standard input as its controlling terminal."""


def channels(stream: bytes) -> int:
    """Return the number of channels of the first audio track."""
    with av.open(io.BytesIO(stream), "r") as container:
        frame = next(iter(container.decode(container.streams.audio[0])))
        return len(frame.layout.channels)


async def read(lines: AsyncIterator[bytes], count: int) -> bytes:
    received = b""
    async with asyncio.timeout(20):
        async for chunk in lines:
            received += chunk
            if len(received) >= count:
                return received
    raise AssertionError("the stream ended")


async def test_open_streams_go_on_and_new_ones_use_the_new_settings(tmp_path: Path) -> None:
    async with (
        SimulatedReceiver(speed=4) as receiver,
        serving_file(tmp_path, config(receiver, channels=2)) as daemon,
        httpx.AsyncClient(trust_env=False, timeout=20) as client,
    ):
        await daemon.entry(lambda line: line["event"] == "lineup read")
        path = f"{daemon.url}/stream/1_0_19_65_1_1_C00000_0_0_0.ts"
        async with client.stream("GET", path) as before:
            pieces = before.aiter_raw()
            await read(pieces, 1)
            changes = config(receiver, channels=1).replace('"port": 0', '"port": 1')
            await daemon.hang_up(changes)
            restart = await daemon.entry(lambda line: "takes a restart" in line["event"])
            assert restart["setting"] == "server.port"
            assert await daemon.reloaded() == ["audio.channels"]
            async with client.stream("GET", path) as after:
                assert channels(await read(after.aiter_raw(), 600_000)) == 1
            assert channels(await read(pieces, 600_000)) == 2


async def test_a_file_that_cannot_work_changes_nothing_and_is_logged_line_by_line(
    tmp_path: Path,
) -> None:
    async with (
        SimulatedReceiver() as receiver,
        serving_file(tmp_path, config(receiver)) as daemon,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        good = daemon.file.read_text()
        await daemon.hang_up("server:\n  port: x\nreciever:\n  url: x\n")
        await daemon.entry(lambda line: line["event"] == "settings unchanged")
        errors = [line["event"] for line in daemon.entries if line["level"] == "error"]
        assert errors[:2] == [
            f'{daemon.file}:2: server.port: "x" is not a whole number',
            f"{daemon.file}:3: reciever is not a section of the settings; did you mean receiver?",
        ]
        assert (await client.get(f"{daemon.url}/healthz")).status_code == 200

        # A file without the receiver is valid, but the daemon cannot go on with it.
        await daemon.hang_up("server: {token: swordfish}\n")
        await daemon.entry(lambda line: line["event"] == "settings unchanged")
        assert (await client.delete(f"{daemon.url}/api/v1/streams/none")).status_code == 404
        await daemon.hang_up(good)
        assert await daemon.reloaded() == []


async def test_a_corrected_password_is_used_at_once(tmp_path: Path) -> None:
    async with (
        SimulatedReceiver(api_credentials=ROOT, stream_credentials=ROOT) as receiver,
        serving_file(tmp_path, config(receiver, password="wrong")) as daemon,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert (await client.get(f"{daemon.url}/playlist.m3u")).status_code == 503
        await daemon.hang_up(config(receiver, password="right"))
        assert await daemon.reloaded() == ["receiver.password"]
        await daemon.entry(lambda line: line["event"] == "lineup read")
        assert (await client.get(f"{daemon.url}/playlist.m3u")).status_code == 200
        assert "right" not in str(daemon.entries)


async def test_a_hangup_during_the_start_is_handled_once_the_daemon_serves(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        receiver.stall()
        text = config(receiver).replace('"wait": true', '"wait": false')
        async with starting(tmp_path, text) as daemon:
            async with asyncio.timeout(20):
                while not receiver.gate.requests:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await daemon.hang_up(text)
            receiver.resume()
            await daemon.serves()
            assert await daemon.reloaded() == []


def test_each_live_setting_exists_and_belongs_to_one_part() -> None:
    """tests/xg2g/app/test_live_settings.py changes each of them in a running daemon."""
    declared = [key for part in LIVE_PARTS for key in part.LIVE_KEYS]
    assert len(declared) == len(set(declared))
    assert LIVE_KEYS == set(declared) <= settings_of(Settings).keys()
    assert not LIVE_KEYS & {"receiver.wait", "server.port", "lineup.bouquets", "data.dir"}


async def test_a_changed_token_is_required_at_once(tmp_path: Path) -> None:
    async with (
        SimulatedReceiver() as receiver,
        serving_file(tmp_path, config(receiver)) as daemon,
        httpx.AsyncClient(trust_env=False, base_url=daemon.url) as client,
    ):

        async def answer(method: str, path: str, token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return (await client.request(method, path, headers=headers)).status_code

        def guarded(token: str, reading: bool = False) -> str:
            server = {"port": 0, "token": token, "token_for_reading": reading}
            return config(receiver).replace('{"port": 0}', json.dumps(server))

        stream = "/api/v1/streams/none"
        await daemon.hang_up(guarded("old-token", reading=True))
        assert await daemon.reloaded() == ["server.token", "server.token_for_reading"]
        assert await answer("DELETE", stream, "old-token") == 404
        assert await answer("GET", "/metrics", "new-token") == 401
        await daemon.hang_up(guarded("new-token"))
        await daemon.reloaded()
        assert await answer("DELETE", stream, "old-token") == 401
        assert await answer("DELETE", stream, "new-token") == 404
        assert await answer("GET", "/metrics", "old-token") == 200
        assert "-token" not in str(daemon.entries)


async def test_the_log_level_changes(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        quiet = config(receiver)[:-1] + ', "log": {"level": "error"}}'
        async with serving_file(tmp_path, quiet) as daemon:
            await daemon.hang_up(config(receiver))
            assert await daemon.reloaded() == ["log.level"]
            assert len(daemon.entries) == 1


async def test_closing_the_terminal_ends_the_daemon(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    terminal, inside = pty.openpty()
    async with SimulatedReceiver() as receiver:
        file.write_text(config(receiver))
        daemon = DaemonProcess(
            *(sys.executable, "-c", ON_TERMINAL, "serve"),
            stdin=inside,
            variables=environment(XG2G_CONFIG=str(file), XDG_DATA_HOME=str(tmp_path / "data")),
        )
        async with daemon:
            os.close(inside)
            await daemon.line()
            os.close(terminal)
            assert await daemon.ended() == 0

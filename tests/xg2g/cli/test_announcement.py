"""What the terminal says once the daemon serves."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.harness.command import COMMAND, DaemonProcess
from tests.harness.process import READY_S, environment
from xg2g.app.announcement import Ready
from xg2g.cli import announcement
from xg2g.cli.announcement import command_with
from xg2g.lineup import Lineup
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio

NAMES = ("playlist", "guide", "network tuner", "try", "other devices")


@asynccontextmanager
async def started(*command: str, **variables: str) -> AsyncIterator[DaemonProcess]:
    """A daemon whose output and log arrive as on a terminal: in one."""
    # Other programs of this computer may have its port.
    env = environment(XG2G_HDHR_ENABLED="false", **variables)
    async with DaemonProcess(*COMMAND, *command, variables=env, log_to_output=True) as process:
        yield process


async def lines(process: DaemonProcess, count: int) -> list[str]:
    return [await process.line() for _ in range(count)]


async def beginning(process: DaemonProcess) -> str:
    """The first line of the block; warnings may come before it."""
    return await process.line(lambda line: line.startswith("xg2g is "))


async def all_said(*command: str, **variables: str) -> str:
    """What a daemon says that ends at its start."""
    async with started(*command, **variables) as process:
        await process.ended(READY_S)
        return process.output.text()


def served(receiver: SimulatedReceiver, *, streams_on: int | None = None) -> tuple[str, ...]:
    port = receiver.stream_port if streams_on is None else streams_on
    addresses = ("--receiver", receiver.base_url, "--stream-port", str(port))
    return "serve", "--port", "0", *addresses


async def test_the_announcement_comes_first_and_in_one_piece(tmp_path: Path) -> None:
    async with started("demo", "--port", "0", XDG_DATA_HOME=str(tmp_path)) as process:
        first, *rows = await lines(process, 1 + len(NAMES))
    ready = re.fullmatch(
        r"xg2g is ready: open (http://127\.0\.0\.1:\d+)/ \(29 channels, 8 tuners\)", first
    )
    assert ready, first
    assert [row[2:15].rstrip() for row in rows] == list(NAMES)
    assert rows[0].endswith(f" {ready[1]}/playlist.m3u")
    assert rows[1].endswith(f" {ready[1]}/xmltv.xml")
    assert f" {ready[1]}/stream/" in rows[3]


async def test_a_receiver_that_is_off_is_waited_for_and_then_announced(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        await receiver.power_off()
        serve = served(receiver)
        async with started(*serve, "--wait", XDG_DATA_HOME=str(tmp_path)) as process:
            assert (await beginning(process)).startswith("xg2g is not ready: ")
            await receiver.power_on()
            line = await beginning(process)
    assert line.startswith("xg2g is ready: ")
    assert "(29 channels, 8 tuners)" in line


async def test_a_closed_stream_port_is_announced_at_the_start(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        serve = served(receiver, streams_on=1)
        async with started(*serve, XDG_DATA_HOME=str(tmp_path)) as process:
            first = await beginning(process)
    assert first.startswith("xg2g is not ready: ")
    assert "127.0.0.1:1: connection refused" in first
    assert "(29 channels, 8 tuners)" in first


async def test_an_unwritable_data_folder_is_announced() -> None:
    async with (
        SimulatedReceiver() as receiver,
        started(*served(receiver), "--data-dir", "/dev/null/here") as process,
    ):
        assert (await beginning(process)).startswith("xg2g is ready: ")
        rows = await lines(process, 1 + len(NAMES))
    assert rows[-1].startswith("  not stored ")
    assert "/dev/null/here" in rows[-1]


async def test_waiting_is_advised_where_it_can_help_and_not_for_a_wrong_password(
    tmp_path: Path,
) -> None:
    async with SimulatedReceiver(api_credentials=Credentials("root", "right")) as receiver:
        login = {"XG2G_RECEIVER_USER": "root", "XG2G_RECEIVER_PASSWORD": "falsch"}
        refused = await all_said(*served(receiver), XDG_DATA_HOME=str(tmp_path), **login)
        asked = await all_said(*served(receiver), XDG_DATA_HOME=str(tmp_path))
    gone = await all_said(*served(receiver), XDG_DATA_HOME=str(tmp_path))
    assert "refuses the password of user root" in refused
    assert "asks for a user and a password" in asked
    assert "--wait" in gone
    assert "--wait" not in refused + asked


def shown(capsys: pytest.CaptureFixture[str], ready: Ready) -> list[str]:
    announcement.announce(ready)
    return capsys.readouterr().out.splitlines()


def test_the_announcement_names_an_address_that_others_reach(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in ("0.0.0.0", "::"):
        monkeypatch.setattr(announcement, "outgoing_address", lambda: IPv4Address("192.168.1.20"))
        text = "\n".join(shown(capsys, Ready(host, 8088, Lineup())))
        assert "http://192.168.1.20:8088/playlist.m3u" in text
        assert "127.0.0.1" not in text
        monkeypatch.setattr(announcement, "outgoing_address", lambda: None)
        text = "\n".join(shown(capsys, Ready(host, 8088, Lineup())))
        assert "this computer's address" in text


def test_behind_a_proxy_the_announcement_names_the_public_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ready = Ready("127.0.0.1", 8088, Lineup(), public_url="https://example.org/tv")
    text = "\n".join(shown(capsys, ready))
    assert "https://example.org/tv/playlist.m3u" in text
    assert ":8088" not in text


@pytest.mark.parametrize(
    ("arguments", "variables", "command"),
    [
        (("./bin/xg2g", "demo"), {}, "bin/xg2g demo --host 0.0.0.0"),
        (
            ("./bin/xg2g", "serve", "--host", "127.0.0.1", "--receiver", "http://root:pw@box"),
            {},
            "bin/xg2g serve --receiver http://root:***@box --host 0.0.0.0",
        ),
        (("./bin/xg2g", "demo", "--host=::1"), {}, "bin/xg2g demo --host 0.0.0.0"),
        (("lib/xg2g/__main__.py", "demo"), {}, "python -m xg2g demo --host 0.0.0.0"),
        (
            ("xg2g", "demo"),
            {"XG2G_STARTED_BY": "make run"},
            "make run ARGS='--host 0.0.0.0'",
        ),
        (
            ("xg2g", "serve"),
            {"XG2G_STARTED_BY": "make run RECEIVER=box", "ARGS": "--tracks deu --host ::1"},
            "make run RECEIVER=box ARGS='--tracks deu --host 0.0.0.0'",
        ),
    ],
)
def test_the_advice_to_let_others_in_repeats_the_command_that_was_used(
    arguments: tuple[str, ...], variables: dict[str, str], command: str
) -> None:
    said = command_with("--host", "0.0.0.0", arguments=arguments, environment=variables)
    assert said == command

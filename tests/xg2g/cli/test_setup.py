"""`xg2g setup` as a person goes through it, and as a script calls it."""

import asyncio
import os
import re
import socket
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest

from tests.harness.command import COMMAND, DaemonProcess, xg2g
from tests.harness.process import environment
from xg2g.config import load
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio

ROOT = Credentials("root", "geheim")


@pytest.fixture
async def receiver() -> AsyncIterator[SimulatedReceiver]:
    async with SimulatedReceiver(api_credentials=ROOT) as receiver:
        yield receiver


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "config.yaml"


async def setup(
    *arguments: str, typed: tuple[str, ...] = (), **variables: str
) -> CompletedProcess[str]:
    stdin = "".join(f"{line}\n" for line in typed)
    return await asyncio.to_thread(xg2g, "setup", *arguments, stdin=stdin, **variables)


def files_beside(file: Path) -> dict[str, int]:
    """Name -> permissions."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}


async def test_a_person_answers_and_gets_a_file_that_works(
    receiver: SimulatedReceiver, file: Path
) -> None:
    result = await setup(
        "--config",
        str(file),
        typed=(
            "http://127.0.0.1:1",  # nobody there: asks again
            receiver.base_url,
            *("root", "falsch"),  # refused: asks again
            *("root", "geheim"),
            str(receiver.stream_port),  # nobody listens on 8001: asks for another port
            "7",  # no such bouquet: asks again
            "1,5",
            "1",  # every device
        ),
        XG2G_STREAM_PORT="1",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "cannot reach the receiver at http://127.0.0.1:1" in result.stdout
    assert "The receiver refuses this user and password." in result.stdout
    assert "Enter numbers from 1 to 5, separated by commas." in result.stdout
    assert files_beside(file) == {"config.yaml": 0o600}

    configuration = load(file=file, environment={})
    settings = configuration.settings
    credentials = settings.receiver.address().credentials
    assert credentials is not None
    assert (credentials.user, credentials.password) == ("root", "geheim")
    assert settings.receiver.address().url == receiver.base_url
    assert settings.server.host == "0.0.0.0"
    assert settings.lineup.bouquets == ("Favourites (TV)", "Favourites (Radio)")
    assert configuration.notes == ()
    assert settings.receiver.stream_port == receiver.stream_port
    assert f"The settings file will be {file}." in result.stdout
    assert "no connection to the receiver's stream port 1 (connection refused)." in result.stdout
    assert f"xg2g serve --config {file}" in result.stdout
    assert re.search(r"^then open +http://[\d.]+:8088/$", result.stdout, re.MULTILINE)
    assert "geheim" not in result.stdout + result.stderr


async def test_setup_starts_xg2g_when_the_person_agrees(
    receiver: SimulatedReceiver, file: Path
) -> None:
    process = DaemonProcess(
        *(*COMMAND, "setup", "--config", str(file), "--receiver", receiver.base_url),
        stdin=subprocess.PIPE,
        variables=environment(
            XG2G_RECEIVER_USER="root",
            XG2G_RECEIVER_PASSWORD="geheim",
            XG2G_STREAM_PORT=str(receiver.stream_port),
            XG2G_PORT="0",
            XG2G_HDHR_ENABLED="false",
            XDG_DATA_HOME=str(file.parent.parent),
        ),
    )
    async with process:
        # All bouquets, this computer alone, start.
        process.write("\n2\ny\n")
        address = await process.address()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{address}/healthz")).status_code == 200
        await process.line(lambda line: f"serve --config {file} --host 0.0.0.0" in line)


async def test_with_yes_nothing_is_asked(receiver: SimulatedReceiver, file: Path) -> None:
    result = await setup(
        *("--yes", "--receiver", receiver.base_url, "--config", str(file)),
        XG2G_RECEIVER_USER="root",
        XG2G_RECEIVER_PASSWORD="geheim",
    )
    assert result.returncode == 0, result.stderr
    settings = load(file=file, environment={}).settings
    assert settings.server.host == "127.0.0.1"
    assert settings.receiver.user == "root"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        ((), 1, "--yes, add --receiver"),
        (("--receiver", "http://127.0.0.1:1"), 1, "cannot reach the receiver"),
        (("--receiver", "ftp://box"), 1, "http://"),
        (("--receiver", "BOX"), 1, "asks for a user and a password"),
        (("--receiver", "BOX", "--network", "8.8.8.0/24"), 2, "private"),
    ],
)
async def test_what_cannot_work_is_one_line_and_writes_nothing(
    receiver: SimulatedReceiver, file: Path, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    named = (receiver.base_url if argument == "BOX" else argument for argument in arguments)
    result = await setup("--yes", "--config", str(file), *named)
    assert result.returncode == exit_code
    [line] = result.stderr.splitlines()
    assert said in line
    assert not file.parent.exists()


async def test_an_existing_file_is_replaced_only_with_consent(
    receiver: SimulatedReceiver, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("mine")
    refused = await setup("--yes", "--receiver", receiver.base_url, "--config", str(file))
    assert (refused.returncode, "--force" in refused.stderr) == (2, True)
    declined = await setup("--config", str(file), typed=("n",))
    assert (declined.returncode, "was not changed" in declined.stderr) == (1, True)
    assert file.read_text() == "mine"
    agreed = await setup(
        "--config",
        str(file),
        typed=("y", receiver.base_url, "root", "geheim", "", "2"),
        XG2G_STREAM_PORT=str(receiver.stream_port),
    )
    assert agreed.returncode == 0, agreed.stdout + agreed.stderr
    assert load(file=file, environment={}).settings.receiver.user == "root"


async def test_without_anybody_to_answer_setup_says_what_to_do(file: Path) -> None:
    result = await setup("--config", str(file))
    assert result.returncode == 1
    assert "xg2g setup --yes --receiver" in result.stderr
    assert not file.parent.exists()


async def test_a_link_to_the_settings_file_stays_a_link(
    receiver: SimulatedReceiver, tmp_path: Path
) -> None:
    file, link = tmp_path / "dotfiles.yaml", tmp_path / "config.yaml"
    link.symlink_to(file)
    result = await setup(
        *("--yes", "--force", "--receiver", receiver.base_url, "--config", str(link)),
        XG2G_RECEIVER_USER="root",
        XG2G_RECEIVER_PASSWORD="geheim",
    )
    assert result.returncode == 0, result.stderr
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load(file=file, environment={}).settings.receiver.url == receiver.base_url


@pytest.mark.parametrize("named_by", ["--config", "XG2G_CONFIG"])
@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("kind", ["device", "pipe", "directory", "socket", "loop"])
async def test_nothing_but_a_regular_file_is_replaced(
    kind: str, linked: bool, named_by: str, tmp_path: Path
) -> None:
    """Not by --force either, and before anything is asked."""
    path = tmp_path / kind
    controller, terminal = os.openpty()
    with socket.socket(socket.AF_UNIX) as listener:
        match kind:
            case "device":
                # Of all devices one that a defect cannot take from the whole machine.
                path = Path(os.ttyname(terminal))
            case "pipe":
                os.mkfifo(path)
            case "directory":
                path.mkdir()
            case "socket":
                listener.bind(str(path))
            case "loop":
                path.symlink_to(path)
        named = path
        if linked:
            named = tmp_path / "link"
            named.symlink_to(path)
        before = path.lstat()
        arguments = ["--yes", "--force", "--receiver", "http://127.0.0.1:9"]
        if named_by == "--config":
            result = await setup(*arguments, "--config", str(named))
        else:
            result = await setup(*arguments, XG2G_CONFIG=str(named))
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert str(named) in line
    assert "--config" in line
    after = path.lstat()
    os.close(terminal)
    os.close(controller)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


async def test_a_file_that_cannot_be_written_says_what_to_do(receiver: SimulatedReceiver) -> None:
    result = await setup(
        *("--yes", "--receiver", receiver.base_url, "--config", "/dev/null/config.yaml"),
        XG2G_RECEIVER_USER="root",
        XG2G_RECEIVER_PASSWORD="geheim",
    )
    assert result.returncode == 1
    assert "cannot write /dev/null/config.yaml" in result.stderr
    assert "--config" in result.stderr

"""`xg2g status`, `channels` and `watch`, as a person asks a daemon that runs."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest

from tests.harness.command import xg2g
from tests.harness.daemon import serving, settings_for
from xg2g.cli.watch import find_player
from xg2g.config.secret import Secret
from xg2g.config.settings import ServerSettings
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

ONE = "/stream/1_0_19_65_1_1_C00000_0_0_0.ts"
TOKEN = "swordfish"


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with SimulatedReceiver() as receiver:
        server = ServerSettings(port=0, token=Secret(TOKEN), token_for_reading=True)
        async with serving(settings_for(receiver, server=server), keep_data=False) as address:
            yield address


async def ask(address: str, *arguments: str, **variables: str) -> CompletedProcess[str]:
    token = {"XG2G_TOKEN": TOKEN} | variables
    return await asyncio.to_thread(xg2g, *arguments, "--url", address, **token)


async def test_status_tells_who_watches_and_how_many_tuners_are_used(address: str) -> None:
    quiet = await ask(address, "status")
    assert quiet.returncode == 0, quiet.stderr
    assert re.search(r"^tuners +0 of 8 in use$", quiet.stdout, re.MULTILINE)
    assert re.search(r"^watching +nobody$", quiet.stdout, re.MULTILINE)
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", f"{address}{ONE}", timeout=30) as stream,
    ):
        pieces = stream.aiter_raw()
        await anext(pieces)
        busy = await ask(address, "status")
    assert re.search(r"^tuners +1 of 8 in use$", busy.stdout, re.MULTILINE)
    assert re.search(r"^watching +127\.0\.0\.1: Card One HD, for ", busy.stdout, re.MULTILINE)


async def test_channels_are_found_by_a_word_and_scripts_get_their_urls(address: str) -> None:
    found = await ask(address, "channels", "CARD T")
    names = re.findall(r"Card [\w &]+?(?=  )", found.stdout)
    assert names == ["Card Two HD", "Card Three & Friends"]
    urls = await ask(address, "channels", "card one", "--urls")
    assert urls.stdout == f"1\tCard One HD\t{address}{ONE}\n"
    none = await ask(address, "channels", "tennis")
    assert (none.returncode, none.stdout) == (1, "")
    assert '"tennis"' in none.stderr


@pytest.mark.parametrize("name", ["1", "card one hd", "ard on"])
async def test_a_channel_is_opened_in_the_player_that_is_here(
    address: str, tmp_path: Path, name: str
) -> None:
    player = tmp_path / "mpv"
    player.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/shown\nexit 7\n')
    player.chmod(0o755)
    result = await ask(address, "watch", name, PATH=str(tmp_path))
    assert result.returncode == 7, result.stderr
    assert (tmp_path / "shown").read_text() == f"{address}{ONE}\n"


async def test_without_a_player_the_url_is_printed(address: str, tmp_path: Path) -> None:
    result = await ask(address, "watch", "card one", PATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (0, f"{address}{ONE}\n")
    missing = await ask(address, "watch", "1", "--player", "no-such-player")
    assert (missing.returncode, "no-such-player" in missing.stderr) == (1, True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("card", "several channels"),
        ("Crad Two HD", "did you mean Card Two HD?"),
        ("4711", "xg2g channels lists them"),
        ("", "xg2g channels lists them"),
    ],
)
async def test_an_unknown_channel_name_is_answered_with_suggestions(
    address: str, name: str, said: str
) -> None:
    result = await ask(address, "watch", name)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert said in line


async def test_a_daemon_that_asks_for_its_token_says_how_to_show_it(address: str) -> None:
    refused = await ask(address, "status", XG2G_TOKEN="")
    assert refused.returncode == 1
    assert "XG2G_TOKEN_FILE" in refused.stderr


@pytest.mark.parametrize("command", [("status",), ("channels",), ("watch", "x")])
def test_without_a_daemon_the_commands_say_what_to_start(command: tuple[str, ...]) -> None:
    result = xg2g(*command, XG2G_PORT="1")
    assert result.returncode == 1
    assert result.stderr == (
        "xg2g: no xg2g answers at http://127.0.0.1:1: connection refused; start it with xg2g "
        "serve, or give its address with --url\n"
    )


@pytest.mark.parametrize("url", ["127.0.0.1:1", "http://127.0.0.1:1/", "http://[::1", "a b"])
def test_an_address_that_leads_nowhere_is_one_line(url: str) -> None:
    result = xg2g("status", "--url", url)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1


async def test_another_server_is_not_taken_for_xg2g() -> None:
    async with SimulatedReceiver() as receiver:
        result = await ask(receiver.base_url, "status")
    assert result.returncode == 1
    assert "--url" in result.stderr


@pytest.mark.parametrize(
    ("installed", "found"), [({"vlc", "mpv"}, "mpv"), ({"ffplay"}, "ffplay"), (set(), None)]
)
def test_mpv_is_preferred_to_what_begins_later(installed: set[str], found: str | None) -> None:
    assert find_player(lambda name: name if name in installed else None) == found

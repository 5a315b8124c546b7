"""Two daemons, each with a receiver of its own, seen as one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen
from xml.etree import ElementTree

import pytest

from tests.harness.command import COMMAND, DaemonProcess
from tests.harness.ports import free_port
from tests.harness.process import READY_S, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

MERGE = Path(__file__).parent.parent / "docs" / "examples" / "merge_daemons.py"


def get(url: str) -> str:
    with urlopen(url, timeout=30) as response:
        body: bytes = response.read()
    return body.decode()


def has_guide(daemon: str) -> bool:
    try:
        return "<programme" in get(f"{daemon}/xmltv.xml")
    except HTTPError:
        return False


def found(pattern: str, playlist: str) -> list[str]:
    return re.findall(pattern, playlist)


@pytest.fixture(scope="module")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Their addresses. The first serves one bouquet, the second one has all channels."""
    folder = tmp_path_factory.mktemp("daemons")
    running = []
    for number, settings in enumerate(({"XG2G_BOUQUETS": "Favourites (TV)"}, {})):
        running.append(
            DaemonProcess(
                *(*COMMAND, "demo", "--port", str(free_port())),
                name=f"daemon {number}",
                folder=folder,
                variables=environment(**settings),
            )
        )
    with running[0], running[1]:
        addresses = [it.await_address() for it in running]
        give_up_s = time.monotonic() + READY_S
        while not all(has_guide(it) for it in addresses):
            assert time.monotonic() < give_up_s, running[0].written()
            time.sleep(0.1)
        yield addresses


def test_each_daemon_is_a_tuner_of_its_own(daemons: list[str]) -> None:
    tuners = [json.loads(get(f"{it}/discover.json")) for it in daemons]
    assert len({it["DeviceID"] for it in tuners}) == 2
    assert len({it["BaseURL"] for it in tuners}) == 2


def test_a_merged_playlist_has_each_channel_and_each_number_once(
    daemons: list[str], tmp_path: Path
) -> None:
    subprocess.run([sys.executable, MERGE, tmp_path, *daemons], check=True)
    merged = (tmp_path / "all.m3u").read_text()
    ids = found(r'tvg-id="([^"]*)"', merged)
    assert len(ids) == len(set(ids))
    assert set(ids) == set(found(r'tvg-id="([^"]*)"', get(f"{daemons[1]}/playlist.m3u")))
    numbers = found(r'tvg-chno="(\d+)"', merged)
    assert len(numbers) == len(ids) == len(set(numbers))
    of_daemon = [len(found(rf"(?m)^{re.escape(it)}/stream/", merged)) for it in daemons]
    assert of_daemon[0] == len(found(r"#EXTINF", get(f"{daemons[0]}/playlist.m3u")))
    assert sum(of_daemon) == len(ids)
    assert min(of_daemon) > 0


def test_a_merged_guide_has_the_channels_of_the_playlist(
    daemons: list[str], tmp_path: Path
) -> None:
    subprocess.run([sys.executable, MERGE, tmp_path, *daemons], check=True)
    merged = (tmp_path / "all.m3u").read_text()
    guide = ElementTree.parse(tmp_path / "all.xml").getroot()
    ids = [channel.get("id") for channel in guide.iter("channel")]
    assert sorted(filter(None, ids)) == sorted(found(r'tvg-id="([^"]*)"', merged))
    numbers = {name.text for name in guide.iter("display-name")}
    assert set(found(r'tvg-chno="(\d+)"', merged)) <= numbers
    programmes = [(it.get("channel"), it.get("start")) for it in guide.iter("programme")]
    assert programmes
    assert {channel for channel, _ in programmes} <= set(ids)
    assert len(programmes) == len(set(programmes)), "nothing twice"


def test_a_number_that_an_earlier_daemon_has_goes_up(tmp_path: Path) -> None:
    for name, channels in (("first", {"a": 1, "b": 2}), ("second", {"b": 1, "c": 2, "d": 3})):
        folder = tmp_path / name
        folder.mkdir()
        lines = [
            f'#EXTINF:-1 tvg-id="{id_}" tvg-chno="{number}" channel-number="{number}",{id_}\n'
            f"http://{name}/{id_}"
            for id_, number in channels.items()
        ]
        (folder / "playlist.m3u").write_text("\n".join(["#EXTM3U", *lines]))
        elements = "".join(
            f'<channel id="{id_}"><display-name>{number}</display-name></channel>'
            for id_, number in channels.items()
        )
        (folder / "xmltv.xml").write_text(f"<tv>{elements}</tv>")
    daemons = [(tmp_path / name).as_uri() for name in ("first", "second")]
    subprocess.run([sys.executable, MERGE, tmp_path, *daemons], check=True)
    merged = (tmp_path / "all.m3u").read_text()
    assert found(r"http://(\S+)", merged) == ["first/a", "first/b", "second/c", "second/d"]
    for name in ("tvg-chno", "channel-number"):
        assert found(rf'{name}="(\d+)"', merged) == ["1", "2", "1002", "3"]
    guide = ElementTree.parse(tmp_path / "all.xml").getroot()
    assert [name.text for name in guide.iter("display-name")] == ["1", "2", "1002", "3"]

"""`hdhomerun_config`, the vendor's own tool: its library is Kodi's and Channels', too."""

import re

import pytest

from tests.harness.house import ADDRESS, House

pytestmark = pytest.mark.skipif(
    ADDRESS is None, reason="discovery needs a network of its own: run make e2e where it is allowed"
)


def found(home: House, *where: str) -> list[tuple[str, str]]:
    """Device id and address of the tuners that are found."""
    said = home.run("hdhomerun_config", "discover", *where)
    return re.findall(r"^hdhomerun device (\w{8}) found at (\S+)$", said, re.MULTILINE)


def test_a_broadcast_finds_the_tuner(home: House) -> None:
    device_id = home.get("/discover.json").json()["DeviceID"]
    assert found(home) == [(device_id, ADDRESS)]


@pytest.mark.parametrize("address", [ADDRESS, "127.0.0.1"])
def test_the_tuner_is_found_at_its_address(home: House, address: str) -> None:
    device_id = home.get("/discover.json").json()["DeviceID"]
    assert found(home, address) == [(device_id, address)]


def test_the_lineup_of_the_found_tuner_plays_by_number(home: House) -> None:
    [(_, address)] = found(home)
    with_default_port = House(f"http://{address}", home.home)
    device = with_default_port.get("/discover.json").json()
    assert device["BaseURL"] == f"http://{address}"
    lineup = with_default_port.get("/lineup.json").json()
    assert [row["GuideName"] for row in lineup] == list(home.channels())
    said = home.run(
        *("ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"),
        # Kodi and Channels put the number behind the vendor's port themselves.
        f"http://{address}:5004/auto/v{lineup[0]['GuideNumber']}",
    )
    assert {"h264", "aac"} <= set(said.split())

"""An unknown bouquet is reported at the start, on reload and in responses."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.harness.command import xg2g
from tests.harness.configured_daemon import config, serving_file
from tests.harness.daemon import serving
from tests.harness.scripted_daemon import LISTED, daemon
from tests.harness.stream_server import CRLF_ANSWER, says
from xg2g.config.settings import (
    DataSettings,
    HdhomerunSettings,
    LineupSettings,
    ReceiverSettings,
    ServerSettings,
    Settings,
)
from xg2g.errors import UsageError
from xg2g.lineup.arrangement import Bouquet
from xg2g.simulator import SimulatedReceiver
from xg2g.simulator import lineup as simulated

pytestmark = pytest.mark.anyio

LINE = (
    'no bouquet is called "Favorites"; there are: "Favourites (TV)", "More", "Faults", '
    '"Elsewhere", "Test cards", "Favourites (Radio)"; did you mean "Favourites (TV)"?'
)


def settings(
    receiver: SimulatedReceiver,
    data: Path,
    *bouquets: str,
    tuner: Sequence[str] = (),
    wait: bool = False,
) -> Settings:
    return Settings(
        receiver=ReceiverSettings(
            url=receiver.base_url, stream_port=receiver.stream_port, wait=wait
        ),
        server=ServerSettings(port=0),
        lineup=LineupSettings(bouquets=bouquets),
        hdhomerun=HdhomerunSettings(bouquets=tuple(tuner), discovery=False),
        data=DataSettings(dir=data),
    )


async def starts(wanted: Settings) -> list[str]:
    """Start the daemon and return the names of the channels."""
    async with serving(wanted) as address, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{address}/lineup.json")
        return [row["GuideName"] for row in answer.raise_for_status().json()]


@pytest.mark.parametrize("wait", [False, True])
async def test_the_start_is_refused(tmp_path: Path, wait: bool) -> None:
    async with SimulatedReceiver() as receiver:
        with pytest.raises(UsageError, match="no bouquet is called") as refused:
            await starts(settings(receiver, tmp_path, "Favorites", wait=wait))
        assert str(refused.value) == LINE
        assert refused.value.exit_code == 2
        assert await starts(settings(receiver, tmp_path, "favourites", wait=wait))


async def test_the_start_is_refused_by_what_is_stored_and_by_a_receiver_that_is_off(
    tmp_path: Path,
) -> None:
    async with SimulatedReceiver() as receiver:
        # Bouquets that this start did not serve are known all the same.
        radio = await starts(settings(receiver, tmp_path, "Favourites (Radio)"))
        assert radio == ["Radio Four"]
        with pytest.raises(UsageError, match='^no bouquet is called "Favorites"'):
            await starts(settings(receiver, tmp_path, "Favorites", "More"))
        assert await starts(settings(receiver, tmp_path, "Favourites (Radio)")) == radio
    with pytest.raises(UsageError, match=r'"Favorites"; there are: .* \(at the last reading; now'):
        await starts(settings(receiver, tmp_path, "Favorites", wait=True))
    assert await starts(settings(receiver, tmp_path, "Favourites", wait=True))


async def test_a_bouquet_that_is_newer_than_what_is_stored_is_found(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        await starts(settings(receiver, tmp_path))
        rename(receiver, "More", "Sports")
        assert await starts(settings(receiver, tmp_path, "sports"))


async def test_the_lineup_served_at_the_start_has_the_bouquets_of_the_present_settings(
    tmp_path: Path,
) -> None:
    async with SimulatedReceiver() as receiver:
        everything = await starts(settings(receiver, tmp_path))
        for bouquets in (("More",), (), ("Faults",)):
            fresh = await starts(
                settings(receiver, tmp_path / "-".join(["new", *bouquets]), *bouquets)
            )
            assert set(await starts(settings(receiver, tmp_path, *bouquets))) == set(fresh)
            assert (set(fresh) == set(everything)) == (not bouquets)


async def test_an_unknown_bouquet_of_the_tuner_is_refused_as_well(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        for bouquets in ((), ("More",)):
            with pytest.raises(UsageError, match=r"^hdhomerun\.bouquets: no bouquet is called"):
                await starts(settings(receiver, tmp_path, *bouquets, tuner=["Favorites"]))
        assert await starts(settings(receiver, tmp_path, tuner=["more"]))


async def test_with_the_receiver_off_the_daemon_starts_and_reports_an_unknown_bouquet_later(
    tmp_path: Path,
) -> None:
    async with SimulatedReceiver() as receiver:
        receiver.stall()
        wanted = settings(receiver, tmp_path, "Favorites", wait=True)
        impatient = replace(wanted.receiver, answer_timeout_s=1)
        wanted = replace(wanted, receiver=impatient)
        async with serving(wanted) as address, httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{address}/readyz")).status_code == 503
            receiver.resume()
            async with asyncio.timeout(60):
                while True:
                    told = (await client.get(f"{address}/readyz")).json()
                    if told["reasons"] == [LINE]:
                        break
                    await asyncio.sleep(0.1)
        assert told["status"] == "not ready"


async def test_a_bouquet_that_is_renamed_later_is_reported_and_its_channels_stay(
    tmp_path: Path,
) -> None:
    async with SimulatedReceiver() as receiver:
        wanted = settings(receiver, tmp_path, "More", "Favourites")
        async with serving(wanted) as address, httpx.AsyncClient(trust_env=False) as client:
            before = (await client.get(f"{address}/lineup.json")).json()
            rename(receiver, "More", "Sports")
            async with asyncio.timeout(60):
                refresh = f"{address}/api/v1/refresh"
                while (await client.post(refresh)).status_code != 202:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
                while True:
                    told = (await client.get(f"{address}/readyz")).json()
                    if told["status"] == "degraded":
                        break
                    await asyncio.sleep(0.1)
            assert told["reasons"][0].startswith('no bouquet is called "More"; there are: ')
            assert '"Sports"' in told["reasons"][0]
            after = (await client.get(f"{address}/lineup.json")).json()
            assert after
            assert len(after) <= len(before)


async def test_the_command_exits_with_2_and_the_line(tmp_path: Path) -> None:
    async with SimulatedReceiver() as receiver:
        ended = await asyncio.to_thread(
            xg2g,
            *("serve", "--receiver", receiver.base_url, "--port", "0"),
            *("--stream-port", str(receiver.stream_port), "--bouquets", "Favorites"),
            XDG_DATA_HOME=str(tmp_path),
        )
    assert ended.returncode == 2
    assert LINE in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_reload_with_such_a_name_changes_nothing(tmp_path: Path) -> None:
    async with (
        SimulatedReceiver() as receiver,
        serving_file(tmp_path, config(receiver, channels=2)) as started,
    ):
        await started.entry(lambda entry: entry["event"] == "lineup read")
        wrong = json.loads(config(receiver, channels=1))
        wrong["lineup"] = {"bouquets": ["Favorites"]}
        await started.hang_up(json.dumps(wrong))
        await started.entry(lambda entry: entry["event"] == "settings unchanged")
        assert LINE in [line["event"] for line in started.entries]
        wrong["lineup"] = {"bouquets": ["Favourites"]}
        await started.hang_up(json.dumps(wrong))
        assert await started.reloaded() == ["audio.channels"]


async def test_playlist_guide_and_api_answer_404_with_the_names() -> None:
    bouquets = [Bouquet("Sports", (LISTED,)), Bouquet("News (TV)", (LISTED,))]
    line = 'no bouquet is called "Sprot"; there are: "Sports", "News (TV)"; did you mean "Sports"?'
    async with daemon(says(CRLF_ANSWER), bouquets=bouquets) as gateway:
        for path in (
            "/bouquets/Sprot.m3u",
            "/playlist.m3u?bouquet=Sprot",
            "/xmltv.xml?bouquet=Sprot",
        ):
            status, headers, body = await gateway.get(path)
            assert (status, body.decode().strip()) == (404, line)
            assert headers["content-type"].startswith("text/plain")
        status, _, body = await gateway.get("/api/v1/channels?bouquet=Sprot")
        assert (status, json.loads(body)["detail"]) == (404, line)
        for path in ("/bouquets/news.m3u", "/bouquets/SPORTS%20(TV).m3u"):
            assert (await gateway.get(path))[0] == 200


def rename(receiver: SimulatedReceiver, name: str, new: str) -> None:
    """Rename a bouquet on the receiver."""

    def renamed(bouquets: Sequence[simulated.Bouquet]) -> list[simulated.Bouquet]:
        return [
            replace(
                each,
                name=new if each.name == name else each.name,
                entries=[
                    replace(entry, name=new) if entry.name == name else entry
                    for entry in each.entries
                ],
            )
            for each in bouquets
        ]

    lineup = receiver.box.lineup
    receiver.box.lineup = replace(lineup, tv=renamed(lineup.tv), inner=renamed(lineup.inner))

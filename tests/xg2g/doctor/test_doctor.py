"""The doctor finds what is wrong with receivers, and says what to do."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xg2g.config.secret import Secret
from xg2g.config.settings import (
    DataSettings,
    HdhomerunSettings,
    LineupSettings,
    ReceiverSettings,
    ServerSettings,
    Settings,
)
from xg2g.doctor import channel, discovery, machine
from xg2g.doctor.check import Finding, Verdict
from xg2g.doctor.run import run_checks
from xg2g.hdhomerun.discovery import TunerInfo, answer_discovery
from xg2g.simulator import Conditions, Credentials, Generation, SimulatedReceiver
from xg2g.simulator.air import SystemClock

pytestmark = pytest.mark.anyio


def settings_for(receiver: SimulatedReceiver | None, **changes: Any) -> Settings:
    values: dict[str, Any] = {"first_byte_timeout_s": 3}
    if receiver:
        values |= {"url": receiver.base_url, "stream_port": receiver.stream_port}
        values |= {"relay_port": receiver.relay_port}
    return Settings(
        receiver=ReceiverSettings(**values | changes),
        server=ServerSettings(port=0),
        # Other programs of this computer may answer.
        hdhomerun=HdhomerunSettings(discovery=False),
    )


async def findings(settings: Settings, channel: str | None = None) -> list[Finding]:
    return [found async for found in run_checks(settings, channel=channel, sample_s=1)]


def about(topic: str, found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.topic == topic]


async def test_a_healthy_receiver_has_nothing_bad_and_its_tuner_back() -> None:
    async with SimulatedReceiver() as receiver:
        found = await findings(settings_for(receiver))
        assert [finding for finding in found if finding.verdict is Verdict.BAD] == []
        [stream] = about("stream", found)
        assert stream.text.startswith("Card One HD: starts after ")
        assert 0.2 < stream.figures["start_s"] < 60
        texts = [finding.text for finding in about("sound", found)]
        assert "Card One HD: mp2 deu is converted to AAC" in texts
        assert "Card One HD: ac3 eng is converted to AAC" in texts
        [guide] = about("guide", found)
        assert guide.figures["days"] > 6
        async with asyncio.timeout(60):
            while receiver.active_streams:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("channel", "topic", "verdict", "said"),
    [
        ("No lock (ends with zero bytes)", "stream", Verdict.BAD, "found no signal"),
        ("No PAT (silent socket)", "stream", Verdict.BAD, "sent nothing for 3 s"),
        ("no such channel", "stream", Verdict.BAD, 'no channel is called "no such channel"'),
        ("No tuner (400 in the body)", "stream", Verdict.NOTE, "no free tuner"),
    ],
)
async def test_a_channel_that_does_not_play_is_found_with_the_reason(
    channel: str, topic: str, verdict: Verdict, said: str
) -> None:
    async with SimulatedReceiver() as receiver:
        found = about(topic, await findings(settings_for(receiver), channel))
    [finding] = [finding for finding in found if said in finding.text]
    assert finding.verdict is verdict
    assert finding.advice


async def test_a_channel_whose_name_is_misspelt_is_found_with_the_one_that_was_meant() -> None:
    async with SimulatedReceiver() as receiver:
        [finding] = about("stream", await findings(settings_for(receiver), "Card Tow HD"))
    assert finding.advice.endswith('did you mean "Card Two HD"?')


async def test_a_channel_that_arrives_scrambled_is_found() -> None:
    async with SimulatedReceiver() as receiver:
        settings = settings_for(receiver, relay_port=1)
        found = about("sound", await findings(settings, "Card Five HD (scrambled)"))
    [finding] = [finding for finding in found if "is scrambled" in finding.text]
    assert finding.verdict is Verdict.BAD
    assert "softcam" in finding.advice


async def test_a_receiver_that_refuses_the_password_is_found_and_the_rest_left_out() -> None:
    async with SimulatedReceiver(api_credentials=Credentials("root", "right")) as receiver:
        found = await findings(settings_for(receiver, user="root", password=Secret("falsch")))
    [finding] = about("receiver", found)
    assert finding.verdict is Verdict.BAD
    assert "refuses the password of user root" in finding.text
    assert "XG2G_RECEIVER_PASSWORD" in finding.advice
    left_out = [finding.topic for finding in found if finding.verdict is Verdict.SKIPPED]
    assert left_out == ["channels", "stream", "logos", "guide"]
    assert "falsch" not in str(found)


async def test_a_receiver_that_is_not_there_is_found() -> None:
    [finding] = about("receiver", await findings(settings_for(None, url="http://127.0.0.1:1")))
    assert finding.verdict is Verdict.BAD
    assert finding.text.endswith("at http://127.0.0.1:1: connection refused")
    assert "start OpenWebif" in finding.advice
    [finding] = about("receiver", await findings(settings_for(None)))
    assert "xg2g setup" in finding.advice


async def test_a_stream_port_that_nobody_listens_on_is_found() -> None:
    async with SimulatedReceiver() as receiver:
        found = await findings(settings_for(receiver, stream_port=1))
    [finding] = about("streams", found)
    assert finding.verdict is Verdict.BAD
    assert "receiver.stream_port" in finding.advice


async def test_a_relay_that_services_need_and_that_does_not_run_is_found() -> None:
    async with SimulatedReceiver() as receiver:
        [well] = about("relay", await findings(settings_for(receiver)))
        [ill] = about("relay", await findings(settings_for(receiver, relay_port=1)))
    assert well.verdict is Verdict.GOOD
    assert ill.verdict is Verdict.BAD
    assert "receiver.relay_port" in ill.advice


async def test_a_bouquet_that_the_receiver_does_not_have_is_found() -> None:
    async with SimulatedReceiver() as receiver:
        lineup = LineupSettings(bouquets=("Favorites",))
        settings = replace(settings_for(receiver), lineup=lineup)
        found = about("channels", await findings(settings))
    assert found[0].verdict is Verdict.BAD
    assert "Favourites (TV)" in found[0].advice


class FastClock(SystemClock):
    """Two minutes ahead."""

    def utc(self) -> datetime:
        return super().utc() + timedelta(minutes=2)


async def test_a_receiver_whose_clock_is_wrong_is_found() -> None:
    async with SimulatedReceiver() as receiver:
        [finding] = about("clock", await findings(settings_for(receiver)))
        assert finding.verdict is Verdict.GOOD
    async with SimulatedReceiver(clock=FastClock()) as receiver:
        [finding] = about("clock", await findings(settings_for(receiver)))
    assert finding.verdict is Verdict.BAD
    assert "s ahead of this computer" in finding.text
    assert 115 < finding.figures["apart_s"] < 125
    assert "NTP" in finding.advice


async def test_a_port_that_another_program_uses_is_found() -> None:
    async with SimulatedReceiver() as receiver:
        port = receiver.stream_port
        [finding] = about("port", await findings(Settings(server=ServerSettings(port=port))))
    assert finding.verdict is Verdict.BAD
    assert f"port {port}" in finding.text
    assert "ss -ltnp" in finding.advice


async def test_a_port_that_xg2g_itself_uses_is_good() -> None:
    async def healthz(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.0 200 OK\r\n\r\n{"status": "ok", "version": "9.9.9"}')
        writer.close()

    async with await asyncio.start_server(healthz, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        [finding] = about("port", await findings(Settings(server=ServerSettings(port=port))))
    assert finding.verdict is Verdict.GOOD
    assert "xg2g 9.9.9 is running" in finding.text


@pytest.mark.parametrize(("announced_port", "verdict"), [(8000, Verdict.GOOD), (8001, Verdict.BAD)])
async def test_discovery_is_asked_as_a_media_server_asks(
    announced_port: int, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(server=ServerSettings(port=8000))
    device = TunerInfo(device_id=0x10439EFD, auth="x" * 24, tuners=4, port=announced_port)
    async with answer_discovery("127.0.0.1", lambda: device, port=0) as port:
        monkeypatch.setattr(discovery, "PORT", port)
        [finding] = about("discovery", await findings(settings))
        assert finding.verdict is verdict
    [finding] = about("discovery", await findings(settings))
    assert finding.verdict is Verdict.SKIPPED


async def test_data_that_cannot_be_kept_is_found() -> None:
    settings = Settings(
        data=DataSettings(dir=Path("/dev/null/xg2g")), server=ServerSettings(port=0)
    )
    [finding] = about("data", await findings(settings))
    assert finding.verdict is Verdict.BAD
    assert "data.dir" in finding.advice


async def test_it_says_whether_other_devices_can_watch() -> None:
    [here] = about("network", await findings(Settings()))
    assert here.verdict is Verdict.NOTE
    assert "server.host" in here.advice
    settings = Settings(server=ServerSettings(host="0.0.0.0", port=0))
    [everywhere] = about("network", await findings(settings))
    assert everywhere.verdict is Verdict.GOOD


async def test_an_older_web_interface_is_noted() -> None:
    async with SimulatedReceiver(generation=Generation.E) as receiver:
        found = await findings(settings_for(receiver))
    [finding] = about("web interface", found)
    assert finding.verdict is Verdict.NOTE
    assert finding.advice


async def test_a_channel_without_guide_and_logos_is_noted() -> None:
    receiver = SimulatedReceiver()
    for service in receiver.services:
        service.picon, service.has_guide = None, False
    async with receiver:
        found = await findings(settings_for(receiver))
    for topic in ("guide", "logos"):
        [finding] = about(topic, found)
        assert finding.verdict is Verdict.NOTE
        assert finding.advice


async def test_gaps_a_slow_start_and_a_track_that_never_comes_are_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel, "SLOW_START_S", 0.05)
    name = "Announces a track that never comes"
    async with SimulatedReceiver() as receiver:
        receiver.set_conditions(name, Conditions(cut_every_bursts=3))
        found = await findings(settings_for(receiver), name)
    slow, gaps = about("stream", found)
    assert (slow.verdict, gaps.verdict) == (Verdict.NOTE, Verdict.NOTE)
    assert gaps.figures["gaps"] > 0
    [never] = [finding for finding in about("sound", found) if "never sent" in finding.text]
    assert never.verdict is Verdict.NOTE


async def test_little_room_for_data_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE_MB", 10**12)
    [finding] = about("data", await findings(Settings(server=ServerSettings(port=0))))
    assert finding.verdict is Verdict.NOTE
    assert "data.dir" in finding.advice


async def test_a_receiver_without_channels_is_found() -> None:
    async with SimulatedReceiver() as receiver:
        for bouquet in receiver.box.lineup.bouquets():
            bouquet.entries.clear()  # type: ignore[attr-defined]
        [finding] = about("channels", await findings(settings_for(receiver)))
    assert finding.verdict is Verdict.BAD
    assert "bouquet" in finding.advice

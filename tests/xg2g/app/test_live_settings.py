"""Every live setting is changed in a running daemon, and its effect is observed."""

import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.configured_daemon import serving_file
from tests.harness.stream_server import Connection, upstream
from tests.xg2g.app.observations import (
    LONG_S,
    SHORT_S,
    House,
    Value,
    asked_second,
    changing,
    channels,
    deaf_port,
    fails_over_the_relay,
    first_bytes,
    is_waited_long_for,
    is_waited_long_for_more,
    lingering,
    noisy,
    plays,
    reading,
    receivers_state,
    sample_rate,
    silent,
    stalling,
    track_count,
)
from xg2g.app.reload import LIVE_KEYS
from xg2g.config.settings import AudioSettings
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Case:
    """A change of a setting, and its effect before and after."""

    before: Value | str
    after: Value | str
    observe: Callable[[House], Awaitable[Any]]
    seen_before: Any
    seen_after: Any
    beside: dict[str, Any] = field(default_factory=dict)
    """Other settings, by key."""
    script: Callable[[Connection], Awaitable[None]] | None = None
    """Script of a stream server in place of the receiver's."""


CASES: dict[str, list[Case]] = {
    "receiver.url": [Case("FIRST", "SECOND", asked_second, False, True)],
    "receiver.user": [
        Case("nobody", "root", receivers_state, "refused", "ok", {"receiver.password": "right"})
    ],
    "receiver.password": [
        Case("wrong", "right", receivers_state, "refused", "ok", {"receiver.user": "root"})
    ],
    "receiver.stream_port": [Case("DEAD", "STREAMS", plays, False, True)],
    "receiver.relay_port": [Case("DEAD", "RELAY", fails_over_the_relay, True, False)],
    "receiver.connect_timeout_s": [
        Case(SHORT_S, LONG_S, is_waited_long_for, False, True, {"receiver.stream_port": "DEAF"})
    ],
    "receiver.answer_timeout_s": [Case(5, 0.5, receivers_state, "ok", "slow")],
    "receiver.first_byte_timeout_s": [
        # Of the receiver's stream, and of the output.
        Case(SHORT_S, LONG_S, is_waited_long_for, False, True, script=silent),
        Case(SHORT_S, LONG_S, is_waited_long_for, False, True, script=noisy),
    ],
    "receiver.stall_timeout_s": [
        Case(SHORT_S, LONG_S, is_waited_long_for_more, False, True, script=stalling)
    ],
    "receiver.linger_s": [Case(0, 60, lingering, 0, 1)],
    "server.token": [Case("goldfish", "swordfish", changing, 401, 404)],
    "server.token_for_reading": [
        Case(False, True, reading, 200, 401, {"server.token": "swordfish"})
    ],
    "audio.bitrate": [Case("64k", "192k", first_bytes, 1, 3)],
    "audio.channels": [Case(2, 1, channels, 2, 1)],
    "audio.sample_rate": [Case(0, 32000, sample_rate, 48000, 32000)],
    "audio.tracks": [Case("first", "all", track_count, 1, 5)],
    "audio.keep_original": [
        Case(False, True, track_count, 1, 2, {"audio.tracks": "first"}),
    ],
}


@pytest.mark.parametrize("key", sorted(LIVE_KEYS))
async def test_a_live_setting_takes_effect_on_reload(key: str, tmp_path: Path) -> None:
    if key.startswith("log."):
        await change_log(key, tmp_path)
        return
    if key == "audio.dual_mono":
        # The simulated receiver has no channel in dual mono. The setting is passed to the remuxer
        # like the other audio settings; tests/remux tests its effect.
        options = AudioSettings(dual_mono="left").remux_options()
        assert options.dual_mono == "left"
        return
    for number, case in enumerate(CASES[key]):
        folder = tmp_path / str(number)
        folder.mkdir()
        await change(key, case, folder)


async def change(key: str, case: Case, folder: Path) -> None:
    root = Credentials("root", "right") if key in ("receiver.user", "receiver.password") else None
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(SimulatedReceiver(speed=4, api_credentials=root))
        second = await stack.enter_async_context(SimulatedReceiver())
        with socket.socket() as dead:
            dead.bind(("127.0.0.1", 0))
            closed_port = dead.getsockname()[1]
        stand_in = await stack.enter_async_context(upstream(case.script or silent))
        places: dict[Any, Value] = {
            "FIRST": first.base_url,
            "SECOND": second.base_url,
            "DEAD": closed_port,
            "DEAF": await stack.enter_async_context(deaf_port()),
            "STREAMS": first.stream_port,
            "RELAY": first.relay_port,
        }
        house = House(first, second=second, expected=(case.seen_before,))
        given: dict[str, Any] = {
            "receiver.url": first.base_url,
            "receiver.stream_port": stand_in.port if case.script else first.stream_port,
            "receiver.relay_port": first.relay_port,
            "receiver.wait": True,
            "receiver.linger_s": 0,
            "server.port": 0,
            "hdhomerun.discovery": False,
        }
        given |= {name: places.get(value, value) for name, value in case.beside.items()}
        given[key] = places.get(case.before, case.before)
        daemon = await stack.enter_async_context(serving_file(folder, written(given)))
        house.client = await stack.enter_async_context(
            httpx.AsyncClient(trust_env=False, timeout=30, base_url=daemon.url)
        )
        if key not in ("receiver.user", "receiver.password"):
            await daemon.entry(lambda entry: entry["event"] == "guide read")
        assert await case.observe(house) == case.seen_before
        house.expected = (case.seen_after,)
        if key == "receiver.answer_timeout_s":
            first.stall()
        given[key] = places.get(case.after, case.after)
        await daemon.hang_up(written(given))
        assert await daemon.reloaded() == [key]
        assert await case.observe(house) == case.seen_after
        first.resume()


def written(given: dict[str, Any]) -> str:
    """Return the text of a file with these settings, by key."""
    told: dict[str, dict[str, Any]] = {}
    for key, value in given.items():
        section, _, name = key.partition(".")
        told.setdefault(section, {})[name] = value
    return json.dumps(told)


async def change_log(key: str, folder: Path) -> None:
    """The log line about the reload shows the new level and format."""
    before, after = {"log.level": ("error", "info"), "log.format": ("json", "text")}[key]
    async with SimulatedReceiver() as receiver:
        given: dict[str, Any] = {
            "receiver.url": receiver.base_url,
            "receiver.stream_port": receiver.stream_port,
            "server.port": 0,
            "hdhomerun.discovery": False,
            key: before,
        }
        async with serving_file(folder, written(given)) as daemon:
            given[key] = after
            await daemon.hang_up(written(given))
            line = await daemon.line(lambda line: "settings read again" in line, of=daemon.log)
            earlier = daemon.log.text().partition(line)[0].splitlines()
        if key == "log.level":
            assert not earlier
        else:
            assert all(it.startswith("{") for it in earlier)
            assert not line.startswith("{")

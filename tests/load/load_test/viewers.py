"""Viewers: each does one thing after another with the daemon's streams, few of them polite."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.load.load_test.client import Answer, Connection
from tests.load.load_test.tally import TUNER_IN_USE

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.load.load_test.network import Network
    from tests.load.load_test.samples import Samples
    from tests.load.load_test.steady import Pauses
    from tests.load.load_test.tally import Tally

SAMPLED = 0.2
"""Share of viewers that keep samples of their stream."""
SAMPLE_BYTES = 6_000_000
SIP_BYTES = 4096
RESUMED_BYTES = 8_000_000
RESUMED_S = 30.0
"""Time for more bytes than kernels buffer, at the 2 Mbit/s of the cards."""


@dataclass(frozen=True)
class Channel:
    """What can be asked for."""

    id: str
    name: str
    paths: tuple[str, ...]
    """All of them the same stream."""


class Viewer:
    """One device after the other in one person's hands."""

    def __init__(
        self,
        network: Network,
        shared: list[Channel],
        liked: list[Channel],
        others: list[Channel],
        chance: random.Random,
        tally: Tally,
        samples: Samples,
        pauses: Pauses,
    ) -> None:
        """Mostly it is one of the `liked` channels, and every third time one of the `shared`."""
        self._network = network
        self._shared = shared
        self._liked = liked
        self._pauses = pauses
        self._others = others
        self._chance = chance
        self._tally = tally
        self._samples = samples
        self._habits: dict[Callable[[], Awaitable[None]], int] = {
            self._watch: 26,
            self._zap: 20,
            self._probe_then_play: 12,
            self._read_slowly: 10,
            self._stop_reading: 6,
            self._pause_and_go_on: 6,
            self._vanish: 12,
            self._vanish_while_tuning: 4,
            self._leave_while_tuning: 4,
            self._half_close: 4,
            self._reset: 6,
            self._say_half_a_request: 2,
            self._say_nothing: 1,
            self._talk_nonsense: 1,
            self._ask_for_the_unknown: 3,
            self._watch_for_a_time: 4,
        }

    async def live(self) -> None:
        """Go on until cancelled."""
        self._device = await self._network.new_device()
        while True:
            habits, weights = list(self._habits), list(self._habits.values())
            (habit,) = self._chance.choices(habits, weights)
            self._tally.acts[habit.__name__.strip("_").replace("_", " ")] += 1
            was_up = self._network.is_up
            try:
                await habit()
            except OSError as error:
                cut = "" if was_up and self._network.is_up else " while unplugged"
                self._tally.broken[f"{type(error).__name__}{cut}"] += 1
                if isinstance(error, ConnectionRefusedError):
                    self._tally.wrong.append("a connection was refused")
            await asyncio.sleep(self._chance.uniform(0, 2))

    # Well-behaved viewers.

    async def _watch(self) -> None:
        channel = self._channel()
        seconds = self._chance.uniform(5, 40)
        if self._chance.random() < SAMPLED:
            return await self._watch_with_care(channel)
        async with self._play(channel) as connection:
            if await self._is_playing(connection):
                await connection.drain(seconds)

    async def _watch_with_care(self, channel: Channel) -> None:
        seconds = self._chance.uniform(6, 12)
        taken = bytearray()
        async with self._play(channel) as connection:
            answer = await self._answer(connection)
            if answer.status != 200:
                return
            begun_s = time.monotonic()
            try:
                async with asyncio.timeout(seconds):
                    while len(taken) < SAMPLE_BYTES and (piece := await connection.body()):
                        taken += piece
            except TimeoutError:
                pass
        if not taken:
            self._empty()
        self._samples.take(channel.name, bytes(taken), begun_s)

    async def _zap(self) -> None:
        for _ in range(self._chance.randint(3, 8)):
            async with self._play(self._channel()) as connection:
                if await self._is_playing(connection):
                    await connection.drain(self._chance.uniform(0.2, 3))

    async def _probe_then_play(self) -> None:
        channel = self._channel()
        path = self._chance.choice(channel.paths)
        async with Connection(self._network, self._device) as connection:
            await connection.ask(path, method="HEAD")
            answer = await connection.answer()
            if (answer.status, answer.error) not in {(200, ""), TUNER_IN_USE}:
                self._tally.wrong.append(f"HEAD {path}: status {answer.status} {answer.error}")
        for seconds in (self._chance.uniform(0.5, 2), self._chance.uniform(5, 20)):
            async with self._play(channel) as connection:
                if not await self._is_playing(connection):
                    return
                await connection.drain(seconds)
            await asyncio.sleep(self._chance.uniform(0.1, 1.5))

    async def _watch_for_a_time(self) -> None:
        channel = self._channel()
        path = next(path for path in channel.paths if path.startswith("/auto"))
        async with Connection(self._network, self._device) as connection:
            await connection.ask(f"{path}?duration={self._chance.randint(2, 8)}")
            if await self._is_playing(connection):
                await connection.drain(20)

    # Viewers that are not.

    async def _read_slowly(self) -> None:
        until_s = time.monotonic() + self._chance.uniform(10, 40)
        pause_s = SIP_BYTES / self._chance.uniform(30_000, 300_000)
        channel = self._channel()
        async with self._play(channel, small=True) as connection:
            if not await self._is_playing(connection):
                return
            with self._pauses.being_slow(channel.name):
                while time.monotonic() < until_s:
                    if not await connection.sip(SIP_BYTES):
                        break
                    await asyncio.sleep(pause_s)

    async def _stop_reading(self) -> None:
        channel = self._channel()
        async with self._play(channel) as connection:
            if await self._is_playing(connection):
                await connection.drain(self._chance.uniform(0, 3))
            with self._pauses.being_slow(channel.name):
                await asyncio.sleep(self._chance.uniform(15, 40))

    async def _pause_and_go_on(self) -> None:
        channel = self._channel()
        async with self._play(channel) as connection:
            if not await self._is_playing(connection):
                return
            await connection.drain(self._chance.uniform(1, 4))
            with self._pauses.being_slow(channel.name):
                await asyncio.sleep(self._chance.uniform(20, 45))
            # What the kernel kept for a paused player is not the stream that goes on.
            self._tally.resumed[await connection.goes_on(RESUMED_BYTES, RESUMED_S)] += 1

    async def _vanish(self) -> None:
        async with self._play(self._channel()) as connection:
            if await self._is_playing(connection):
                await connection.drain(self._chance.uniform(0, 15))
            await self._disappear(connection)

    async def _vanish_while_tuning(self) -> None:
        async with self._play(self._channel()) as connection:
            await asyncio.sleep(self._chance.uniform(0, 0.5))
            await self._disappear(connection)

    async def _leave_while_tuning(self) -> None:
        async with self._play(self._channel()):
            await asyncio.sleep(self._chance.uniform(0, 0.5))

    async def _half_close(self) -> None:
        async with self._play(self._channel()) as connection:
            await asyncio.sleep(self._chance.uniform(0, 4))
            connection.half_close()
            await connection.drain(20)

    async def _reset(self) -> None:
        async with self._play(self._channel()) as connection:
            if await self._is_playing(connection):
                await connection.drain(self._chance.uniform(0, 5))
            connection.reset()

    async def _say_half_a_request(self) -> None:
        async with Connection(self._network, self._device) as connection:
            await connection.send(b"GET /playlist.m3u HTTP/1.1\r\nHost: dae")
            await connection.drain(30)

    async def _say_nothing(self) -> None:
        async with Connection(self._network, self._device) as connection:
            await connection.drain(30)

    async def _talk_nonsense(self) -> None:
        async with Connection(self._network, self._device) as connection:
            await connection.send(self._chance.randbytes(300) + b"\r\n\r\n")
            await connection.drain(15)

    async def _ask_for_the_unknown(self) -> None:
        path = self._chance.choice(
            ("/auto/v9999", "/stream/nothing.ts", "/1:0:19:FFFF:FFFF:1:C00000:0:0:0:")
        )
        async with Connection(self._network, self._device) as connection:
            await connection.ask(path)
            answer = await connection.answer()
        self._tally.answered(path, answer)

    # What they all do.

    def _channel(self) -> Channel:
        (among,) = self._chance.choices((self._shared, self._liked, self._others), (35, 35, 30))
        return self._chance.choice(among)

    @asynccontextmanager
    async def _play(self, channel: Channel, *, small: bool = False) -> AsyncIterator[Connection]:
        """A connection on which the stream was asked for."""
        headers = {"Range": "bytes=0-"} if self._chance.random() < 0.2 else {}
        version = "1.0" if self._chance.random() < 0.3 else "1.1"
        path = self._chance.choice(channel.paths)
        async with Connection(self._network, self._device, small) as connection:
            await connection.ask(path, version=version, headers=headers)
            yield connection

    async def _answer(self, connection: Connection) -> Answer:
        answer = await connection.answer()
        self._tally.answered(connection.path, answer)
        return answer

    async def _is_playing(self, connection: Connection) -> bool:
        """Return whether it is a stream and its first bytes came."""
        if (await self._answer(connection)).status != 200:
            return False
        if not await connection.body():
            self._empty()
            return False
        return True

    def _empty(self) -> None:
        self._tally.wrong.append("a stream of status 200 had no body")

    async def _disappear(self, connection: Connection) -> None:
        await connection.vanish()
        self._tally.vanished[self._device] = time.time()
        self._device = await self._network.new_device()

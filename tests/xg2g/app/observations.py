"""Observations of the effect of live settings in a running daemon."""

import asyncio
import io
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx

from tests.harness.player import watch
from tests.harness.stream_server import CRLF_ANSWER, Connection
from xg2g.simulator import SimulatedReceiver

CLIP = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips" / "one-hd.ts"
NOISE = bytes([0x47, 0x1F, 0xFF, 0x10]).ljust(188, b"\xff") * 100
"""Null packets: a stream without any programme."""

CARD_ONE = "1_0_19_65_1_1_C00000_0_0_0"
SHORT_S, LONG_S = 0.5, 4.0
"""Deadlines before and after the change: the second wait lasts at least `LONG_S`."""

Value = str | int | float | bool


@dataclass
class House:
    """A daemon and its receivers."""

    receiver: SimulatedReceiver
    second: SimulatedReceiver | None = None
    client: httpx.AsyncClient | None = None
    expected: tuple[Any, ...] = ()
    """Results that end the observation."""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        assert self.client is not None
        return await self.client.get(path, headers=headers)

    async def stream(self, channel: str = CARD_ONE) -> bytes:
        """Return some seconds of a channel, as a new viewer receives it."""
        assert self.client is not None
        return await watch(self.client, f"/stream/{channel}.ts", 3)

    async def took_s(self, channel: str = CARD_ONE) -> float:
        """Return the seconds until a stream is refused or has ended."""
        began_s = time.monotonic()
        # A response that has begun is cut off.
        with suppress(httpx.RemoteProtocolError):
            await self.get(f"/stream/{channel}.ts")
        return time.monotonic() - began_s

    async def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.get("/api/v1/status")).json()
        return answer


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def audio(stream: bytes) -> list[Any]:
    """Return the first frame of each audio track, and the mean size of its packets."""
    with av.open(io.BytesIO(stream), "r", format="mpegts") as container:
        sizes: dict[int, list[int]] = {}
        frames: dict[int, Any] = {}
        for packet in container.demux(*container.streams.audio):
            if packet.size:
                sizes.setdefault(packet.stream.index, []).append(packet.size)
                with suppress(av.error.InvalidDataError):
                    for frame in packet.decode():
                        frames.setdefault(packet.stream.index, frame)
        return [(frames[at], sum(sizes[at]) / len(sizes[at])) for at in sorted(frames)]


async def track_count(house: House) -> int:
    return len(audio(await house.stream()))


async def channels(house: House) -> int:
    return len(audio(await house.stream())[0][0].layout.channels)


async def sample_rate(house: House) -> int:
    return int(audio(await house.stream())[0][0].sample_rate)


async def changing(house: House) -> int:
    headers = {"Authorization": "Bearer swordfish"}
    assert house.client is not None
    return (await house.client.delete("/api/v1/streams/none", headers=headers)).status_code


async def reading(house: House) -> int:
    return (await house.get("/metrics")).status_code


async def first_bytes(house: House) -> float:
    """Return the mean size of an AAC frame, in steps larger than the variation of a signal."""
    return float(round(audio(await house.stream())[0][1] / 170))


async def lingering(house: House) -> int:
    """Return the number of streams that are open after their viewer has left."""
    await house.stream()

    async def has_left() -> bool:
        status = await house.status()
        in_use = len(house.receiver.active_streams)
        return bool(status["streams"] == 0 and status["tuners"]["in_use"] == in_use)

    async def is_as_expected() -> bool:
        return (await house.status())["tuners"]["lingering"] in house.expected

    await until(has_left)
    # Closing takes moments; a lingering stream stays for a minute.
    await asyncio.sleep(0.5)
    await until(is_as_expected)
    return int((await house.status())["tuners"]["lingering"])


async def is_waited_long_for(house: House) -> bool:
    """Return True if the daemon waits long for the first byte of a stream."""
    took_s = await house.took_s()
    return bool(took_s >= LONG_S - 0.2)


async def is_waited_long_for_more(house: House) -> bool:
    """Return True if the daemon waits long before it reopens a stalled stream."""
    asked_s.clear()
    watching = asyncio.ensure_future(house.took_s())

    async def was_asked_again() -> bool:
        return len(asked_s) >= 2

    async def has_left() -> bool:
        return not (await house.status())["tuners"]["in_use"]

    await until(was_asked_again)
    watching.cancel()
    await until(has_left)
    # Later requests would count for the next viewer.
    await asyncio.sleep(0.5)
    return asked_s[1] - asked_s[0] >= LONG_S - 0.2


async def receivers_state(house: House) -> str:
    """Return the outcome of the next refresh: the kind of problem, or ok."""
    assert house.client is not None

    async def state() -> str:
        told = str((await house.status())["receiver"])
        kinds = {" refuses ": "refused", "took longer than 0.5 s": "slow"}
        return next((kind for text, kind in kinds.items() if text in told), told)

    async with asyncio.timeout(30):
        while (found := await state()) not in house.expected:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def plays(house: House) -> bool:
    return (
        await house.get(f"/auto/v{await number_of(house, 'Card One HD')}?duration=1")
    ).is_success


async def fails_over_the_relay(house: House) -> bool:
    """Return True if the softcam relay fails to deliver a service of its list."""

    async def failures() -> float:
        lines = (await house.get("/metrics")).text.splitlines()
        [line] = [it for it in lines if it.startswith("xg2g_relay_failures_total ")]
        return float(line.split()[1])

    before = await failures()
    await house.get(f"/auto/v{await number_of(house, 'Card Five HD (scrambled)')}?duration=1")
    return await failures() > before


async def number_of(house: House, name: str) -> int:
    listed = (await house.get("/lineup.json")).json()
    return int(next(it["GuideNumber"] for it in listed if it["GuideName"] == name))


@asynccontextmanager
async def deaf_port() -> AsyncIterator[int]:
    """Yield a port that accepts no connection and refuses none: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        try:
            yield listener.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


async def silent(connection: Connection) -> None:
    await connection.send(CRLF_ANSWER)
    await connection.stay_silent()


async def noisy(connection: Connection) -> None:
    await connection.send(CRLF_ANSWER)
    while True:
        await connection.send(NOISE)
        await asyncio.sleep(0.05)


asked_s: list[float] = []
"""Times of the requests for a stream that stalls."""


async def stalling(connection: Connection) -> None:
    asked_s.append(time.monotonic())
    await connection.send(CRLF_ANSWER)
    await connection.send(CLIP.read_bytes())
    await connection.stay_silent()


async def asked_second(house: House) -> bool:
    """Return True if the other receiver had a request."""

    async def was_asked() -> bool:
        return bool(house.second and house.second.gate.requests)

    if True in house.expected:
        await until(was_asked)
    else:
        await asyncio.sleep(0.5)
    return await was_asked()

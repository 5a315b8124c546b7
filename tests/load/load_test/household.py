"""The other clients in the house: media servers, dashboards, and an operator."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import httpx

from tests.load.load_test.network import BROADCAST
from xg2g.hdhomerun.frame import Frame, FrameType, Tag

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from tests.load.load_test.network import Network
    from tests.load.load_test.stack import LoadStack
    from tests.load.load_test.tally import Tally

DOCUMENTS = (
    "/playlist.m3u",
    "/playlist.m3u?radio=0",
    "/discover.json",
    "/lineup.json",
    "/lineup_status.json",
    "/device.xml",
    "/api/v1/status",
    "/api/v1/channels",
    "/api/v1/guide",
    "/healthz",
    "/",
)
READINESS = "/readyz"
GUIDES = ("/xmltv.xml", "/xmltv.xml.gz")
SEARCH = (
    b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
    b'MAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n'
)
DISCOVER = bytes(Frame(FrameType.DISCOVER_REQUEST, {Tag.DEVICE_TYPE: b"\xff" * 4}))


class Household:
    """One thing after the other, as people and their programs do between programmes."""

    def __init__(
        self, stack: LoadStack, network: Network, chance: random.Random, tally: Tally
    ) -> None:
        self._stack = stack
        self._network = network
        self._chance = chance
        self._tally = tally
        self._habits: dict[Callable[[], Awaitable[None]], int] = {
            self._read: 12,
            self._take_the_guide: 4,
            self._begin_the_guide: 4,
            self._look_at_streams: 5,
            self._end_a_stream: 3,
            self._refresh: 2,
            self._try_a_wrong_token: 1,
            self._reload: 2,
            self._search: 3,
            self._discover: 3,
        }

    async def live(self) -> None:
        """Go on until cancelled."""
        self._device = await self._network.new_device()
        async with httpx.AsyncClient(
            base_url=self._stack.client.base_url, trust_env=False, timeout=60
        ) as self._client:
            while True:
                habits, weights = list(self._habits), list(self._habits.values())
                (habit,) = self._chance.choices(habits, weights)
                try:
                    await habit()
                except httpx.HTTPError as error:
                    self._tally.wrong.append(f"{habit.__name__}: {type(error).__name__}")
                except OSError as error:
                    self._tally.broken[f"{type(error).__name__} of a search"] += 1
                await asyncio.sleep(self._chance.uniform(0.5, 5))

    async def _read(self) -> None:
        path = self._chance.choice((*DOCUMENTS, READINESS))
        # Nobody would be served while the receiver is off.
        promised = (200, 503) if path == READINESS else (200,)
        self._tally.other("read", (await self._client.get(path)).status_code, *promised)

    async def _take_the_guide(self) -> None:
        response = await self._client.get(self._chance.choice(GUIDES))
        self._tally.other("take the guide", response.status_code, 200)

    async def _begin_the_guide(self) -> None:
        """Leave after the first bytes."""
        async with self._client.stream("GET", self._chance.choice(GUIDES)) as response:
            self._tally.other("begin the guide", response.status_code, 200)
            async for _ in response.aiter_raw():
                break

    async def _look_at_streams(self) -> None:
        self._tally.other("look at streams", (await self._streams()).status_code, 200)

    async def _end_a_stream(self) -> None:
        streams = (await self._streams()).json()["streams"]
        if not streams:
            return
        path = f"/api/v1/streams/{self._chance.choice(streams)['id']}"
        response = await self._client.delete(path, headers=self._stack.token)
        # It may have ended by itself meanwhile.
        self._tally.other("end a stream", response.status_code, 204, 404)

    async def _refresh(self) -> None:
        response = await self._client.post("/api/v1/refresh", headers=self._stack.token)
        self._tally.other("refresh", response.status_code, 202, 409)

    async def _try_a_wrong_token(self) -> None:
        response = await self._client.post("/api/v1/refresh", headers={"X-API-Token": "guess"})
        self._tally.other("try a wrong token", response.status_code, 401, 429)

    async def _reload(self) -> None:
        """Change what takes no restart."""
        self._stack.change_linger(self._chance.choice((2, 5)))
        self._tally.acts["reload"] += 1

    async def _search(self) -> None:
        await self._shout(SEARCH, "239.255.255.250", 1900, "search")

    async def _discover(self) -> None:
        await self._shout(DISCOVER, BROADCAST, 65001, "discover")

    async def _shout(self, request: bytes, group: str, port: int, what: str) -> None:
        if not self._network.is_up:
            return
        found = self._network.socket(self._device, socket.SOCK_DGRAM)
        with found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            device = socket.inet_aton(self._device)
            found.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, device)
            loop = asyncio.get_running_loop()
            await loop.sock_sendto(found, request, (group, port))
            try:
                async with asyncio.timeout(4):
                    await loop.sock_recv(found, 2048)
                self._tally.acts[what] += 1
            except TimeoutError:
                self._tally.acts[f"{what}, nobody answered"] += 1

    async def _streams(self) -> httpx.Response:
        return await self._client.get("/api/v1/streams")

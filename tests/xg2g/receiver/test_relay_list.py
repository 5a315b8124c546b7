"""Which services go through the relay, and when the receiver is asked for that."""

import asyncio

import pytest

from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.relay_list import RelayList
from xg2g.receiver.service_reference import ServiceReference

pytestmark = pytest.mark.anyio

SERVICE = ServiceReference.parse("1:0:19:283D:3FB:1:C00000:0:0:0:")


class Box:
    def __init__(self) -> None:
        self.listed: frozenset[str] | None = frozenset({SERVICE.channel_id})
        self.asked = 0
        self.now_s = 1000.0

    def now(self) -> float:
        return self.now_s

    async def relayed_services(self) -> frozenset[str]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.listed is None:
            raise UnreachableError("off")
        return self.listed


async def test_the_list_is_requested_for_the_first_viewer_only() -> None:
    box = Box()
    relays = RelayList(box, now=box.now)
    assert await asyncio.gather(*(relays.includes(SERVICE) for _ in range(5))) == [True] * 5
    other = ServiceReference.parse("1:0:19:1:3FB:1:C00000:0:0:0:")
    assert not await relays.includes(other)
    assert box.asked == 1


async def test_a_refresh_brings_a_new_list_and_a_failed_one_keeps_the_old() -> None:
    box = Box()
    relays = RelayList(box, now=box.now)
    await relays.refresh()
    box.listed = None
    await relays.refresh()
    assert await relays.includes(SERVICE)
    box.listed = frozenset()
    await relays.refresh()
    assert not await relays.includes(SERVICE)


async def test_the_list_is_requested_again_a_minute_after_a_failure() -> None:
    box = Box()
    box.listed = None
    relays = RelayList(box, now=box.now)
    for _ in range(3):
        assert not await relays.includes(SERVICE)
    assert box.asked == 1
    box.listed = frozenset({SERVICE.channel_id})
    box.now_s += 60
    assert await relays.includes(SERVICE)

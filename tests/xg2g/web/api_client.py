"""Requests to the API of a daemon with two bouquets."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.harness.scripted_daemon import REFERENCE, Daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.guide import programme_table
from xg2g.guide.programme import Programme
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.receiver.service_reference import ServiceReference

PLAYS = says(CRLF_ANSWER, PACKET * 10)
FIRST = "1_0_19_283D_3FB_1_C00000_0_0_0"
RADIO = "1_0_2_6DCA_44D_1_C00000_0_0_0"
WEB = ServiceReference.parse("1:0:1:0:0:0:0:0:0:0:http%3a//user%3asecret@tv.example.org/a.ts")
BOUQUETS = [
    Bouquet("Television", (Service(ServiceReference.parse(REFERENCE), "Das Erste HD"),)),
    Bouquet(
        "Music",
        (
            Service(ServiceReference.parse("1:0:2:6DCA:44D:1:C00000:0:0:0:"), "Bayern 3"),
            Service(WEB, "Web"),
        ),
    ),
]


async def get(gateway: Daemon, path: str, *, status: int = 200) -> dict[str, Any]:
    answer, headers, body = await gateway.get(path)
    assert answer == status, body
    kind = "application/json" if status == 200 else "application/problem+json"
    assert headers["content-type"] == kind
    parsed: dict[str, Any] = json.loads(body)
    return parsed


async def change(gateway: Daemon, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    return await gateway.ask(f"{method} {path} HTTP/1.0\nHost: localhost\n\n")


async def fill(gateway: Daemon, channel_id: str, begins: list[datetime]) -> None:
    received = [
        Programme(
            begin_s=int(begin.timestamp()),
            end_s=int(begin.timestamp()) + 3600,
            event=number,
            title=f"Title {number}",
            short="Staffel 2, Folge 3",
            long="What happens.",
            genre=0x15,
        )
        for number, begin in enumerate(begins)
    ]
    await gateway.gateway.database.write(lambda it: programme_table.put(it, {channel_id: received}))


async def pages(gateway: Daemon, path: str, items: str) -> list[Any]:
    """All items, as they come by following `next`."""
    limit = int(path.partition("limit=")[2].partition("&")[0])
    page = await get(gateway, path)
    found = [*page[items]]
    while page["next"] is not None:
        assert len(page[items]) == limit
        page = await get(gateway, f"{path}&after={quote(page['next'])}")
        found += page[items]
    return found


def at(moment: datetime) -> str:
    return quote(moment.isoformat())

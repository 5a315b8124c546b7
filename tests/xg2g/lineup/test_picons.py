"""Channel logos over HTTP, kept from the receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.harness.scripted_daemon import Daemon, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.lineup import Channel, Lineup, picon_table
from xg2g.lineup import picons as under_test
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.lineup.picons import AT_A_TIME, KEPT_S, LARGEST_BYTES, MISSING_S, Picons
from xg2g.receiver.errors import ReceiverError, UnreachableError
from xg2g.receiver.openwebif import ListedService, Picon
from xg2g.receiver.service_reference import ServiceReference
from xg2g.store.database import Database

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET)
PNG = b"\x89PNG\r\n\x1a\nimage"


class Receiver:
    def __init__(self) -> None:
        self.answer: bytes | None | ReceiverError = PNG
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def picon(self, service: ListedService) -> Picon | None:
        self.asked.append(service.reference.channel_id)
        await self.may_answer.wait()
        if isinstance(self.answer, ReceiverError):
            raise self.answer
        return Picon("picon/x.png", self.answer) if self.answer else None


def reference(sid: int) -> ServiceReference:
    return ServiceReference.parse(f"1:0:19:{sid:X}:3FB:1:C00000:0:0:0:")


def logo(sid: int) -> str:
    return f"/logos/{reference(sid).channel_id}.png"


@asynccontextmanager
async def serving(receiver: Receiver, channels: int = 3) -> AsyncIterator[Daemon]:
    services = tuple(Service(reference(n), f"{n}") for n in range(1, channels + 1))
    async with daemon(PLAYS, bouquets=[Bouquet("TV", services)], logos=receiver) as gateway:
        yield gateway


async def test_a_logo_is_fetched_once_and_not_sent_again_to_a_client_that_has_it() -> None:
    receiver = Receiver()
    async with serving(receiver) as gateway:
        status, headers, body = await gateway.get(logo(1))
        assert (status, headers["content-type"], body) == (200, "image/png", PNG)
        assert (await gateway.get(logo(1)))[2] == PNG
        status, _, body = await gateway.ask(
            f"GET {logo(1)} HTTP/1.0\nHost: x\nIf-None-Match: {headers['etag']}\n\n"
        )
        assert (status, body) == (304, b"")
        assert (await gateway.get(logo(1), method="HEAD"))[0] == 200
    assert receiver.asked == [reference(1).channel_id]


async def test_a_missing_logo_is_requested_once() -> None:
    receiver = Receiver()
    receiver.answer = None
    async with serving(receiver) as gateway:
        assert (await gateway.get(logo(1)))[0] == 404
        assert (await gateway.get(logo(1)))[0] == 404
    assert len(receiver.asked) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/logos/../../etc/passwd.png",
        "/logos/..%2f..%2fetc%2fpasswd.png",
        "/logos/%2e%2e/%2e%2e/x.png",
        "/logos/1_0_19_99_3FB_1_C00000_0_0_0.png",
        "/logos/.png",
    ],
)
async def test_a_logo_of_an_unknown_channel_reaches_neither_receiver_nor_disk(path: str) -> None:
    receiver = Receiver()
    async with serving(receiver) as gateway:
        status, _, _ = await gateway.get(path)
    assert (status, receiver.asked) == (404, [])


async def test_many_clients_for_one_logo_cause_one_request() -> None:
    receiver = Receiver()
    receiver.may_answer.clear()
    async with serving(receiver) as gateway:
        asking = [asyncio.create_task(gateway.get(logo(1))) for _ in range(10)]
        while not receiver.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        receiver.may_answer.set()
        answers = await asyncio.gather(*asking)
    assert [body for _, _, body in answers] == [PNG] * 10
    assert len(receiver.asked) == 1


async def test_while_the_receiver_is_busy_clients_are_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(under_test, "CLIENT_WAIT_S", 0.1)
    receiver = Receiver()
    receiver.may_answer.clear()
    async with serving(receiver, AT_A_TIME + 5) as gateway:
        asked = (gateway.get(logo(n)) for n in range(1, AT_A_TIME + 6))
        answers = await asyncio.gather(*asked)
        assert {(status, headers["retry-after"]) for status, headers, _ in answers} == {(503, "30")}
        assert len(receiver.asked) == AT_A_TIME
        receiver.may_answer.set()
        async with asyncio.timeout(5):
            while (await gateway.get(logo(1)))[0] != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert receiver.asked.count(reference(1).channel_id) == 1


async def test_logos_stay_while_the_receiver_is_off(tmp_path: Path) -> None:
    receiver = Receiver()
    now_s = 1e9
    async with Database.open(tmp_path) as database:
        await database.write(_add_channels)
        kept = Picons(receiver, database, clock_s=lambda: now_s)
        channel = Channel(reference(1).channel_id, 1, "1", (reference(1),))
        assert await kept.get(channel) == PNG
        receiver.answer = UnreachableError("off")
        now_s += KEPT_S
        assert await kept.get(channel) == PNG
        with pytest.raises(UnreachableError):
            await kept.get(Channel(reference(2).channel_id, 2, "2", (reference(2),)))
        receiver.answer = PNG + b"new"
        assert await kept.get(channel) == PNG + b"new"
        await kept.aclose()


async def test_a_missing_logo_is_requested_again_after_a_day(tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.answer = None
    now_s = 1e9
    async with Database.open(tmp_path) as database:
        await database.write(_add_channels)
        kept = Picons(receiver, database, clock_s=lambda: now_s)
        channel = Channel(reference(1).channel_id, 1, "1", (reference(1),))
        assert await kept.get(channel) is None
        receiver.answer = PNG
        now_s += MISSING_S - 1
        assert await kept.get(channel) is None
        now_s += 1
        assert await kept.get(channel) == PNG


async def test_a_huge_image_is_not_a_logo(tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.answer = PNG + bytes(LARGEST_BYTES)
    async with Database.open(tmp_path) as database:
        await database.write(_add_channels)
        channel = Channel(reference(1).channel_id, 1, "1", (reference(1),))
        assert await Picons(receiver, database).get(channel) is None


async def test_logos_are_fetched_before_clients_request_them(tmp_path: Path) -> None:
    receiver = Receiver()
    paths = {1: "/picon/1.png", 2: "/images/default_picon.png", 3: ""}
    lineup = Lineup(
        tuple(
            Channel(reference(n).channel_id, n, f"{n}", (reference(n),), picon=path)
            for n, path in paths.items()
        )
    )
    async with Database.open(tmp_path) as database:
        await database.write(_add_channels)
        kept = Picons(receiver, database)
        await kept.fill(lineup)
        await kept.fill(lineup)
        assert receiver.asked == [reference(1).channel_id]
        receiver.answer = UnreachableError("off")
        await kept.fill(lineup)


async def test_the_oldest_logos_are_deleted_first(tmp_path: Path) -> None:
    async with Database.open(tmp_path) as database:
        await database.write(_add_channels)
        for n in (1, 2, 3):
            await database.write(
                lambda c, n=n: picon_table.save(  # type: ignore[misc]
                    c,
                    reference(n).channel_id,
                    picon_table.StoredPicon(n, bytes(40)),
                    total_bytes=100,
                )
            )
        left = [
            await database.read(lambda c, n=n: picon_table.load(c, reference(n).channel_id))  # type: ignore[misc]
            for n in (1, 2, 3)
        ]
    assert [bool(it) for it in left] == [False, True, True]


def _add_channels(connection: object) -> None:
    for n in (1, 2, 3):
        connection.execute(  # type: ignore[attr-defined]
            "INSERT INTO channel VALUES (?, ?, 'x', 0, '[]', '', 1, '')",
            (reference(n).channel_id, n),
        )

"""The programme guide as the receiver tells it."""

import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.errors import UnexpectedAnswerError, UnreachableError
from xg2g.receiver.openwebif import Event, ListedService, OpenWebif, RequestPolicy
from xg2g.receiver.service_reference import ServiceReference
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

BOUQUET_REFERENCE = '1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "userbouquet.a.tv" ORDER BY bouquet'
BOUQUET = ListedService(ServiceReference.parse(BOUQUET_REFERENCE), BOUQUET_REFERENCE, "A")
BEGIN = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TAGESSCHAU = {
    "id": 32695,
    "begin_timestamp": 1795464000,
    "duration_sec": 900,
    "title": "Tagesschau",
    "shortdesc": "",
    "longdesc": "",
    "sref": "1:0:19:283D:3FB:1:C00000:0:0:0:",
    "sname": "Das Erste HD",
    "genre": "",
    "genreid": 32,
}


def receiver(answer: httpx.Response) -> OpenWebif:
    return OpenWebif(
        ReceiverAddress.parse("http://box"),
        connect_timeout_s=5,
        answer_timeout_s=5,
        policy=RequestPolicy(spacing_s=0, attempts=1),
        transport=httpx.MockTransport(lambda _: answer),
    )


async def read(answer: httpx.Response) -> list[Event]:
    return [event async for event in receiver(answer).events(BOUQUET, begin=BEGIN, minutes=60)]


async def read_one(**fields: Any) -> Event:
    (event,) = await read(
        httpx.Response(200, content=json.dumps({"events": [TAGESSCHAU | fields]}))
    )
    return event


async def test_an_event_has_its_time_in_utc_and_the_service_it_belongs_to() -> None:
    event = await read_one()
    assert event == Event(
        service=ServiceReference.parse("1:0:19:283D:3FB:1:C00000:0:0:0:"),
        id=32695,
        begin=BEGIN,
        duration=timedelta(minutes=15),
        title="Tagesschau",
        short="",
        long="",
        genre_id=0x20,
    )
    assert event.begin.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Fish &amp; Chips &#x27;26", "Fish & Chips '26"),
        ("&amp;amp;", "&amp;"),
        ("\u0086Tatort\u0087", "Tatort"),
        ("a\u008ab\x1a", "a\nb"),
        ("a\ue08ab\r\nc", "a\nb\nc"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("half a \ud83d pair", "half a  pair"),
        ("  N/A ", ""),
        (None, ""),
        (7, "7"),
    ],
)
async def test_texts_hold_no_entities_and_no_control_characters(written: Any, meant: str) -> None:
    assert (await read_one(longdesc=written)).long == meant
    if meant:
        assert (await read_one(title=written)).title == meant


async def test_numbers_may_be_texts() -> None:
    event = await read_one(begin_timestamp="1795464000", duration_sec=900.0, id="7", genreid="")
    assert (event.begin, event.duration, event.id, event.genre_id) == (
        BEGIN,
        timedelta(minutes=15),
        7,
        None,
    )


@pytest.mark.parametrize(
    ("written", "duration_s"),
    [
        (1800.5, 1800.5),
        ("1800.5", 1800.5),
        ("1800", 1800),
        (0.25, 0.25),
        (0, 0),
        ("0", 0),
        (0.0, 0),
    ],
)
async def test_an_event_of_any_length_is_one(written: object, duration_s: float) -> None:
    event = await read_one(duration_sec=written)
    assert event.duration == timedelta(seconds=duration_s)


async def test_a_begin_within_a_second_is_one() -> None:
    event = await read_one(begin_timestamp=BEGIN.timestamp() + 0.5)
    assert event.begin == BEGIN + timedelta(seconds=0.5)


@pytest.mark.parametrize(
    "placeholder",
    [
        {"id": 0, "begin_timestamp": 0, "title": "N/A", "sname": ""},
        {"id": None, "begin_timestamp": 0, "duration_sec": 0, "title": "N/A"},
        {"begin_timestamp": None},
        {"begin_timestamp": 10**15},
        {"duration_sec": ""},
        {"duration_sec": -60},
        {"duration_sec": -0.5},
        {"duration_sec": "1e3"},
        {"duration_sec": 10**9},
        {"title": None},
        {"sref": "nonsense"},
        {"sref": None},
    ],
)
async def test_a_placeholder_is_no_event(placeholder: dict[str, Any]) -> None:
    events = [TAGESSCHAU | placeholder, None, TAGESSCHAU]
    assert len(await read(httpx.Response(200, json={"events": events, "result": True}))) == 1


async def test_latin_1_and_raw_control_characters_are_read() -> None:
    title = b"M\xfcnchen\x1a \xc3\xa4"
    body = json.dumps({"events": [TAGESSCHAU]}).encode().replace(b"Tagesschau", title)
    (event,) = await read(httpx.Response(200, content=body))
    assert event.title == "M\u00fcnchen \u00e4"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"events": [], "result": False}),
        httpx.Response(200, json={"result": False, "message": "no"}),
        httpx.Response(200, json=[]),
        httpx.Response(200, html="<html>Processing Failed</html>"),
        httpx.Response(200, content=b'{"events": [{"id": 1'),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no")),
        httpx.Response(500, html="Processing Failed"),
    ],
    ids=["refused", "failed", "list", "html", "cut", "empty", "deep", "bad gzip", "500"],
)
async def test_an_answer_that_is_not_a_guide_is_an_error(answer: httpx.Response) -> None:
    with pytest.raises(UnexpectedAnswerError):
        await read(answer)


async def test_a_guide_may_be_empty() -> None:
    assert await read(httpx.Response(200, json={"events": [], "result": True})) == []


async def test_a_compressed_guide_is_unpacked() -> None:
    body = gzip.compress(json.dumps({"events": [TAGESSCHAU] * 1000}).encode())
    headers = {"Content-Encoding": "gzip"}
    answer = httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))
    assert len(await read(answer)) == 1000


async def test_a_guide_that_breaks_off_on_its_way_is_a_broken_connection() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b'{"events": ['
        raise httpx.ReadError("reset")

    with pytest.raises(UnreachableError):
        await read(httpx.Response(200, content=broken()))


async def test_the_simulated_receivers_guide_is_read_whole_or_by_service() -> None:
    async with SimulatedReceiver(speed=None) as box, receiver_of(box) as web:
        (favourites, *_) = await web.bouquets()
        begin = datetime.now(UTC)
        events = [e async for e in web.events(favourites, begin=begin, minutes=600)]
        assert events[0].begin <= begin < events[0].begin + events[0].duration
        assert max(event.begin for event in events) <= begin + timedelta(minutes=600)
        assert {'Bars & "Tone"', "<Interlude>"} <= {event.title for event in events}
        one = next(s for s in await web.services(favourites) if s.name == "Card One HD")
        of_one = [e async for e in web.service_events(one, begin=begin, minutes=600)]
        by_bouquet = [e for e in events if e.service.channel_id == one.reference.channel_id]
        assert of_one == by_bouquet[: len(of_one)]


async def test_other_requests_may_be_made_between_two_events() -> None:
    async with SimulatedReceiver(speed=None) as box, receiver_of(box) as web:
        (favourites, *_) = await web.bouquets()
        async for _ in web.events(favourites, begin=datetime.now(UTC), minutes=60):
            assert await web.bouquets()
            break


def receiver_of(box: SimulatedReceiver) -> OpenWebif:
    return OpenWebif(
        ReceiverAddress.parse(box.base_url),
        connect_timeout_s=5,
        answer_timeout_s=5,
        policy=RequestPolicy(spacing_s=0),
    )

"""Each question, asked of a simulated receiver of either generation, and of odd ones."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.xg2g.simulator.viewer import HEADER, watching
from xg2g.receiver.address import ReceiverAddress
from xg2g.receiver.errors import NoTunerError, UnexpectedAnswerError, UnknownServiceError
from xg2g.receiver.openwebif import (
    RADIO,
    ListedService,
    OpenWebif,
    RequestPolicy,
    StreamSettings,
    TimerState,
)
from xg2g.receiver.refusal_reason import refusal_reason
from xg2g.receiver.service_reference import ServiceReference
from xg2g.simulator import Credentials, Generation, SimulatedReceiver

pytestmark = pytest.mark.anyio

ONE = "1:0:19:65:1:1:C00000:0:0:0:"
THREE = "1:0:1:CA:2:1:C00000:0:0:0:"
FAR = "1:0:19:65:1:1:C00009:0:0:0:"
SCRAMBLED = "1:0:19:68:1:1:C00000:0:0:0:"


def listed(reference: str) -> ListedService:
    return ListedService(ServiceReference.parse(reference), reference, "")


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.value)
async def box(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedReceiver]:
    async with SimulatedReceiver(speed=None, tuners=2, generation=request.param) as box:
        yield box


@pytest.fixture
async def web(box: SimulatedReceiver) -> AsyncIterator[OpenWebif]:
    async with OpenWebif(
        ReceiverAddress.parse(box.base_url),
        connect_timeout_s=5,
        answer_timeout_s=5,
        policy=RequestPolicy(spacing_s=0),
    ) as web:
        yield web


async def test_about_has_tuners_and_streams(box: SimulatedReceiver, web: OpenWebif) -> None:
    async with watching(box.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER) + 1)
        about = await web.about()
    assert (about.brand, about.model, about.image) == ("xg2g", "Simulated", "openatv")
    assert [tuner.name for tuner in about.tuners] == ["Tuner A", "Tuner B"]
    is_old = box.box.generation is Generation.E
    assert about.tuners[0].idle == is_old, "old web interfaces do not tell what is streamed"
    (stream,) = about.streams
    assert (stream.reference, stream.client) == (ServiceReference.parse(ONE), "127.0.0.1")
    assert not stream.transcoded


async def test_the_status_is_read_from_texts_and_from_booleans(
    box: SimulatedReceiver, web: OpenWebif
) -> None:
    assert await web.in_standby() is True
    status = await web.status()
    assert (status.in_standby, status.is_recording, status.is_streaming) == (True, False, False)
    box.box.in_standby = False
    box.start_recording(ONE)
    assert await web.in_standby() is False
    assert ((await web.status()).in_standby, (await web.status()).is_recording) == (False, True)


async def test_all_services_come_in_one_answer_as_they_do_in_many(
    box: SimulatedReceiver, web: OpenWebif
) -> None:
    for kind in ("tv", RADIO):
        at_once = await web.all_services(kind)
        bouquets = await web.bouquets(kind)
        assert [each.bouquet for each in at_once] == bouquets
        for each in at_once:
            assert list(each.entries) == await web.services(each.bouquet)
    assert at_once[0].bouquet.name == "Favourites (Radio)"


async def test_a_list_with_picons_needs_one_request_for_each(
    box: SimulatedReceiver, web: OpenWebif
) -> None:
    (favourites, *_) = await web.bouquets()
    services = {s.name: s for s in await web.services(favourites, picons=True)}
    box.gate.requests.clear()
    for name in ("Card One HD", "Card Two HD", "Card Three & Friends"):
        picon = await web.picon(services[name])
        assert picon is not None
        assert await web.picon(services[name], known=picon) is picon
    assert await web.picon(services["Radio Four"]) is None
    assert len(box.gate.requests) == 6


async def test_a_picon_is_found_in_the_order_of_the_receivers_own_search(
    web: OpenWebif,
) -> None:
    (favourites, *_) = await web.bouquets()
    services = {s.name: s for s in await web.services(favourites)}
    found = {name: await web.picon(service) for name, service in services.items()}
    assert {name for name, picon in found.items() if picon} >= {
        "Card One HD",
        "Card Two HD",
        "Card Three & Friends",
        "Card Five HD (scrambled)",
    }
    assert found["Radio Four"] is None


async def test_the_list_of_the_relay_is_read_and_a_missing_one_is_empty(
    box: SimulatedReceiver, web: OpenWebif
) -> None:
    assert await web.relayed_services() == {"1_0_19_68_1_1_C00000_0_0_0"}
    box.box.whitelist = None
    assert await web.relayed_services() == frozenset()


async def test_a_playlist_names_the_relays_port_where_the_web_interface_knows_of_it(
    box: SimulatedReceiver, web: OpenWebif
) -> None:
    settings = await web.stream_settings()
    assert settings == StreamSettings(playlists_zap=False, wants_credentials=False)
    is_old = box.box.generation is Generation.E
    expected = box.stream_port if is_old else box.relay_port
    assert await web.named_stream_port(listed(SCRAMBLED), settings) == expected
    assert await web.named_stream_port(listed(ONE), settings) == box.stream_port


async def test_a_playlist_that_would_zap_is_not_fetched(
    box: SimulatedReceiver, web: OpenWebif
) -> None:
    box.box.zaps_on_playlist = True
    settings = await web.stream_settings()
    assert settings.playlists_zap
    assert await web.named_stream_port(listed(ONE), settings) is None
    assert box.box.current is None


async def test_timers_and_recordings_are_listed(box: SimulatedReceiver, web: OpenWebif) -> None:
    begin_s = int(box.box.air.utc().timestamp()) - 60
    query = {"sRef": THREE, "begin": str(begin_s), "end": str(begin_s + 3600), "name": "A & B"}
    async with httpx.AsyncClient(base_url=box.base_url, trust_env=False) as somebody:
        await somebody.get("/api/timeradd", params=query)
    (timer,) = await web.timers()
    assert (timer.name, timer.service_name) == ("A & B", "Card Three & Friends")
    assert timer.begin == datetime.fromtimestamp(begin_s, UTC)
    assert timer.end - timer.begin == timedelta(hours=1)
    assert (timer.state, timer.enabled, timer.records) == (TimerState.RUNNING, True, True)
    assert timer.event_id is None
    (movie,) = await web.movies()
    assert (movie.title, movie.duration) == ("Night Train", None)
    assert movie.path.endswith(".ts")
    assert movie.begin == datetime(2025, 10, 24, 18, 0, tzinfo=UTC)


async def test_the_guide_of_a_bouquet_is_that_of_its_services(web: OpenWebif) -> None:
    (favourites, *_) = await web.bouquets()
    begin = datetime.now(UTC)
    days = 7 * 24 * 60
    by_service: dict[str, list[object]] = {}
    async for event in web.events(favourites, begin=begin, minutes=days):
        by_service.setdefault(event.service.channel_id, []).append(event)
    for service in await web.services(favourites):
        if not service.reference.is_dvb_service or service.name == "Card One HD":
            continue
        alone = [e async for e in web.service_events(service, begin=begin, minutes=days)]
        assert alone == by_service.get(service.reference.channel_id, [])
    assert "1_0_19_68_1_1_C00000_0_0_0" not in by_service
    texts = "".join(f"{e.title}{e.short}{e.long}" for events in by_service.values() for e in events)  # type: ignore[attr-defined]
    assert not set(texts) & {"\u0086", "\u0087", "\u008a", "\x1a"}
    assert "&amp;" not in texts


async def test_a_refusal_is_for_lack_of_tuners_if_ending_a_stream_would_help(
    box: SimulatedReceiver, web: OpenWebif
) -> None:
    box.start_recording(THREE)
    async with watching(box.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER) + 1)
        reason = await refusal_reason(web, listed(FAR), [listed(ONE)])
        assert isinstance(reason, NoTunerError)
        assert "in use" in str(reason)
        likely = await refusal_reason(web, listed(FAR))
    assert isinstance(likely, NoTunerError)
    assert "it is recording" in str(likely)


async def test_a_refusal_by_an_idle_receiver_means_an_unknown_service(
    web: OpenWebif,
) -> None:
    unknown = listed("1:0:19:FFFF:1:1:C00000:0:0:0:")
    assert isinstance(await refusal_reason(web, unknown), UnknownServiceError)


async def test_a_tuner_that_has_become_free_is_reported(web: OpenWebif) -> None:
    reason = await refusal_reason(web, listed(ONE))
    assert isinstance(reason, NoTunerError)
    assert "again" in str(reason)


async def test_the_reason_of_a_refusal_has_a_time_limit(box: SimulatedReceiver) -> None:
    async with SimulatedReceiver(answer_delay_s=60) as slow:
        address = ReceiverAddress.parse(slow.base_url)
        async with OpenWebif(address, connect_timeout_s=5, answer_timeout_s=0.1) as web:
            assert await refusal_reason(web, listed(ONE)) is None


async def test_stream_authentication_shows_in_the_settings() -> None:
    async with SimulatedReceiver(stream_credentials=Credentials("root", "x")) as box:
        address = ReceiverAddress.parse(box.base_url)
        async with OpenWebif(address, connect_timeout_s=5, answer_timeout_s=5) as web:
            assert (await web.stream_settings()).wants_credentials


def answering(answer: object, status: int = 200) -> OpenWebif:
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return OpenWebif(
        ReceiverAddress.parse("http://box"),
        connect_timeout_s=5,
        answer_timeout_s=5,
        policy=RequestPolicy(spacing_s=0),
        transport=httpx.MockTransport(lambda _: httpx.Response(status, content=content)),
    )


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"tuners": None, "streams": "none", "brand": None, "model": "N/A"},
        {"tuners": [None, {}, {"name": 7}], "streams": [{"ref": None}, {"ref": "x"}, 3]},
    ],
)
async def test_about_may_lack_everything(about: dict[str, Any]) -> None:
    read = await answering({"info": about}).about()
    assert (read.brand, read.model, read.streams) == ("", "", ())


async def test_half_a_character_in_a_reference_is_left_out() -> None:
    services = [{"servicereference": "1:0:1:1:1:1:0:0:0:0:\ud83d", "servicename": "x"}]
    web = answering({"services": services})
    assert await web.services(listed(ONE)) == []


async def test_names_in_lists_are_not_unescaped_and_lose_their_control_characters() -> None:
    entry = {"servicereference": ONE, "servicename": "\u0086R&amp;B\u0087 N/A"}
    (service,) = await answering({"services": [entry]}).services(listed(ONE))
    assert service.name == "R&amp;B N/A"


@pytest.mark.parametrize(
    ("positions", "last", "hidden_before"),
    [
        ([1, 2], 2, [0, 0, 0]),
        ([1, 4], 5, [0, 2, 1]),
        # The receiver says nothing, or nothing that could be.
        ([None, "N/A"], None, [0, 0, 0]),
        ([2_000_000, 1], 7, [0, 0, 6]),
    ],
)
async def test_a_numbered_marker_that_is_not_listed_shows_in_the_positions(
    positions: list[object], last: object, hidden_before: list[int]
) -> None:
    services = [{"servicereference": ONE, "servicename": "x", "pos": at} for at in positions]
    read = await answering({"services": services, "pos": last}).services(listed(ONE))
    hidden = "".join("." if entry.name else "h" for entry in read).split(".")
    assert [len(run) for run in hidden] == hidden_before
    assert all(e.reference.is_numbered_marker for e in read if not e.name)


async def test_latin_1_in_a_list_is_read() -> None:
    body = b'{"services": [{"servicereference": "%s", "servicename": "M\xfcnchen\x1aTV"}]}'
    (service,) = await answering(body % ONE.encode()).services(listed(ONE))
    assert service.name == "M\u00fcnchenTV"


@pytest.mark.parametrize(
    ("playlist", "port"),
    [
        ("#EXTM3U\nhttp://192.168.1.2:17999/1:0:19:\n", 17999),
        ("#EXTM3U\nhttp://127.0.0.1:17999/\n", 17999),
        ("#EXTM3U\nhttp://-sid:abc@box:8001/1:0:19:\n", 8001),
        ("#EXTM3U\nhttp://box/1:0\n", None),
        ("#EXTM3U\nhttp://box:x/1:0\n", None),
        ("<html>no playlist", None),
        ("", None),
    ],
)
async def test_only_the_port_of_a_playlist_is_used(playlist: str, port: int | None) -> None:
    settings = StreamSettings(playlists_zap=False, wants_credentials=False)
    assert await answering(playlist.encode()).named_stream_port(listed(ONE), settings) == port


@pytest.mark.parametrize(
    "timer",
    [None, {}, {"serviceref": ONE, "begin": None, "end": 5}, {"serviceref": "x", "begin": 1}],
)
async def test_a_timer_without_service_or_time_is_left_out(timer: object) -> None:
    assert await answering({"timers": [timer]}).timers() == []


async def test_a_movies_length_is_in_minutes_and_seconds() -> None:
    movies = [{"serviceref": ONE, "length": "118:30", "recordingtime": "", "filesize": "7"}]
    (movie,) = await answering({"movies": movies}).movies()
    assert movie.duration == timedelta(minutes=118, seconds=30)
    assert (movie.begin, movie.size_bytes) == (None, 7)


@pytest.mark.parametrize("endpoint", ["timers", "movies", "about", "status", "stream_settings"])
@pytest.mark.parametrize(
    "answer",
    [b"<html>Processing Failed</html>", b"[" * 100_000, b"7", b"", b'{"result": false}'],
    ids=["html", "deep", "number", "empty", "failed"],
)
async def test_any_nonsense_raises_an_error_of_the_room_and_no_other(
    endpoint: str, answer: bytes
) -> None:
    with pytest.raises(UnexpectedAnswerError):
        await getattr(answering(answer), endpoint)()


async def test_many_requests_to_a_slow_receiver_are_all_answered() -> None:
    async with SimulatedReceiver(answer_delay_s=0.01) as box:
        address = ReceiverAddress.parse(box.base_url)
        policy = RequestPolicy(spacing_s=0)
        async with OpenWebif(
            address, connect_timeout_s=5, answer_timeout_s=5, policy=policy
        ) as web:
            (favourites, *_) = await web.bouquets()
            lists = await asyncio.gather(*(web.services(favourites) for _ in range(20)))
    assert all(each == lists[0] for each in lists)

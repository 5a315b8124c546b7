"""The API, held against the field shapes of OpenWebif 2.4."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.xg2g.simulator.viewer import HEADER, until, watching
from tests.xg2g.simulator.virtual_clock import VirtualClock
from xg2g.simulator import Credentials, SimulatedReceiver

pytestmark = pytest.mark.anyio

ONE = "1:0:19:65:1:1:C00000:0:0:0:"
FAVOURITES = '1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "userbouquet.favourites.tv" ORDER BY bouquet'


@pytest.fixture
async def receiver() -> AsyncIterator[SimulatedReceiver]:
    async with SimulatedReceiver(speed=None, clock=VirtualClock(), tuners=1) as receiver:
        yield receiver


@pytest.fixture
async def client(receiver: SimulatedReceiver) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=receiver.base_url, trust_env=False) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, **parameters: str) -> Any:
    response = await client.get(path, params=parameters)
    response.raise_for_status()
    return response.json()


async def test_bouquets_are_arrays_with_the_reference_first(client: httpx.AsyncClient) -> None:
    bouquets = (await get(client, "/api/bouquets"))["bouquets"]
    assert bouquets[0] == [FAVOURITES, "Favourites (TV)"]
    assert bouquets[1][1] == "Faults"
    radio = (await get(client, "/api/bouquets", stype="radio"))["bouquets"]
    assert [name for _, name in radio] == ["Favourites (Radio)"]


async def test_a_bouquet_holds_services_markers_duplicates_and_a_bouquet(
    client: httpx.AsyncClient,
) -> None:
    answer = await get(client, "/api/getservices", sRef=FAVOURITES)
    assert answer["result"] is True
    services = answer["services"]
    flags = {service["servicereference"].split(":")[1] for service in services}
    assert flags == {"0", "7", "64", "320"}
    positions = {s["servicename"]: s["pos"] for s in services if s["pos"]}
    # Between them is an invisible marker with a number of its own.
    assert positions["Card Five HD (scrambled)"] == positions["Radio Four"] + 2
    assert answer["pos"] == max(positions.values())
    assert [s["servicereference"] for s in services].count(ONE) == 2
    assert services[1] == {
        "pos": 1,
        "servicename": "Card One HD",
        "servicereference": ONE,
        "program": 101,
    }
    assert all(s["pos"] == 0 for s in services if int(s["servicereference"].split(":")[1]) & 64)
    (renamed,) = [s for s in services if s["servicereference"].endswith("::Card Three & Friends")]
    assert renamed["servicename"] == "Card Three & Friends", "names are not escaped here"
    inner = next(s for s in services if s["servicereference"].startswith("1:7:"))
    below = await get(client, "/api/getservices", sRef=inner["servicereference"])
    assert len(below["services"]) == 2


async def test_getservices_without_a_bouquet_lists_the_roots_or_everything(
    client: httpx.AsyncClient, receiver: SimulatedReceiver
) -> None:
    roots = await get(client, "/api/getservices")
    assert roots["services"][0]["servicereference"] == FAVOURITES
    everything = await get(client, "/api/getservices", sRef=ONE)
    assert len(everything["services"]) == len(receiver.services)
    missing = FAVOURITES.replace("favourites", "missing")
    assert (await get(client, "/api/getservices", sRef=missing))["services"] == []


async def test_getallservices_takes_any_type_for_radio(client: httpx.AsyncClient) -> None:
    television = await get(client, "/api/getallservices")
    assert television["services"][0]["subservices"][1]["servicereference"] == ONE
    radio = await get(client, "/api/getallservices", type="tv")
    assert [b["servicename"] for b in radio["services"]] == ["Favourites (Radio)"]


async def test_booleans_of_the_status_are_strings(client: httpx.AsyncClient) -> None:
    status = await get(client, "/api/statusinfo")
    assert status["inStandby"] == "true"
    assert status["isStreaming"] == "false"
    assert "currservice_serviceref" not in status


async def test_about_lists_the_streams_that_are_sent(
    client: httpx.AsyncClient, receiver: SimulatedReceiver
) -> None:
    async with watching(receiver.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER) + 1)
        info = (await get(client, "/api/about"))["info"]
        assert [(s["ref"], s["ip"], s["type"]) for s in info["streams"]] == [
            (ONE, "127.0.0.1", "S")
        ]
        assert info["tuners"][0]["stream"] == "Card One HD"
        assert (await get(client, "/api/statusinfo"))["isStreaming"] == "true"
    await until(lambda: not receiver.active_streams)
    assert (await get(client, "/api/deviceinfo"))["streams"] == []


async def test_serviceplayable_asks_the_tuners(
    client: httpx.AsyncClient, receiver: SimulatedReceiver
) -> None:
    three = "1:0:1:CA:2:1:C00000:0:0:0:"

    async def playable(reference: str) -> object:
        answer = await get(client, "/api/serviceplayable", sRef=reference)
        return answer["service"]["isplayable"]

    assert await playable(three) is True
    assert await playable("1:0:1:FFFF:2:1:C00000:0:0:0:") is False
    async with watching(receiver.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER) + 1)
        assert await playable(three) is False
        assert await playable(ONE) is True


async def test_events_are_escaped_and_their_window_is_in_minutes(
    client: httpx.AsyncClient,
) -> None:
    events = (await get(client, "/api/epgservice", sRef=ONE, endTime="60"))["events"]
    assert len(events) == 3
    running = events[0]
    assert running["begin_timestamp"] <= running["now_timestamp"]
    assert running["now_timestamp"] < running["begin_timestamp"] + running["duration_sec"]
    assert running["progress"] == 400 * 10 // 30
    listed = await day(client)
    titles = " ".join(event["title"] for event in listed)
    assert "&amp;" in titles
    assert "&lt;" in titles
    assert "<" not in titles
    assert any("\u008a" in event["longdesc"] for event in listed)


async def day(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await get(client, "/api/epgservice", sRef=ONE, endTime=str(24 * 60))
    events: list[dict[str, Any]] = answer["events"]
    assert len(events) == 49, "the one that runs, and those that begin within a day"
    return events


async def test_a_service_without_guide_has_no_events(client: httpx.AsyncClient) -> None:
    scrambled = "1:0:19:68:1:1:C00000:0:0:0:"
    assert await get(client, "/api/epgservice", sRef=scrambled) == {"events": [], "result": True}


async def test_the_playlist_names_the_stream_port_at_the_clients_own_host(
    client: httpx.AsyncClient, receiver: SimulatedReceiver
) -> None:
    response = await client.get("/web/stream.m3u", params={"ref": ONE, "name": "Card One HD"})
    assert response.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    assert response.text.splitlines() == [
        "#EXTM3U ",
        "#EXTVLCOPT:http-reconnect=true ",
        "#EXTINF:-1,Card One HD",
        "#EXTVLCOPT:program=101",
        f"http://127.0.0.1:{receiver.stream_port}/{ONE}",
    ]


async def test_a_failed_command_is_a_200(client: httpx.AsyncClient) -> None:
    assert (await get(client, "/api/zap", sRef="nonsense"))["result"] is False


@pytest.mark.parametrize(
    ("path", "status"), [("/api/getservices?sRef=x", 500), ("/api/epgservice", 500), ("/no", 404)]
)
async def test_exceptions_and_unknown_paths_are_html(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    response = await client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")


async def test_json_is_ascii_indented_by_one_and_compressed_only_on_request(
    client: httpx.AsyncClient,
) -> None:
    plain = await client.get("/api/getallservices", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"] == "application/json; charset=utf-8"
    assert plain.text.startswith('{\n "result"')
    assert plain.text.isascii()
    packed = await client.get("/api/getallservices", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()


async def test_a_client_without_cookie_opens_a_session_each_time(
    receiver: SimulatedReceiver,
) -> None:
    async with httpx.AsyncClient(base_url=receiver.base_url, trust_env=False) as client:
        assert "TWISTED_SESSION" in (await client.get("/api/statusinfo")).cookies
        assert "TWISTED_SESSION" not in (await client.get("/api/statusinfo")).cookies


async def test_an_address_from_outside_is_rejected_even_when_a_header_names_it(
    client: httpx.AsyncClient,
) -> None:
    forwarded = await client.get("/api/about", headers={"X-Forwarded-For": "8.8.8.8"})
    assert forwarded.status_code == 403
    assert "403.6 IP address rejected" in forwarded.text


async def test_with_credentials_basic_authentication_opens_a_session() -> None:
    credentials = Credentials("root", "geheim")
    async with (
        SimulatedReceiver(speed=None, api_credentials=credentials) as receiver,
        httpx.AsyncClient(base_url=receiver.base_url, trust_env=False) as client,
    ):
        refused = await client.get("/api/about")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Basic realm="OpenWebif"'
        assert (await client.get("/api/about", auth=("root", "falsch"))).status_code == 401
        assert (await client.get("/api/about", auth=("root", "geheim"))).status_code == 200
        assert (await client.get("/api/about")).status_code == 200, "the cookie suffices"

"""What the two generations of OpenWebif do differently, and what both do unlike anybody else."""

import json
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.xg2g.simulator.viewer import HEADER, until, watching
from tests.xg2g.simulator.virtual_clock import VirtualClock
from xg2g.simulator import Generation, SimulatedReceiver

pytestmark = pytest.mark.anyio

ONE = "1:0:19:65:1:1:C00000:0:0:0:"
THREE = "1:0:1:CA:2:1:C00000:0:0:0:"
SCRAMBLED = "1:0:19:68:1:1:C00000:0:0:0:"
FAVOURITES = '1:7:1:0:0:0:0:0:0:0:FROM BOUQUET "userbouquet.favourites.tv" ORDER BY bouquet'
ELSEWHERE = FAVOURITES.replace("favourites", "elsewhere")


class Box:
    """A simulated receiver and somebody who asks it."""

    def __init__(self, receiver: SimulatedReceiver, client: httpx.AsyncClient) -> None:
        self.receiver = receiver
        self.client = client
        self.generation = receiver.box.generation
        self.is_old = self.generation is Generation.E

    async def get(self, path: str, **parameters: str) -> Any:
        response = await self.client.get(path, params=parameters)
        response.raise_for_status()
        return response.json()

    async def events(self, endpoint: str, **parameters: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = (await self.get(f"/api/{endpoint}", **parameters))["events"]
        return events


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.value)
async def box(request: pytest.FixtureRequest) -> AsyncIterator[Box]:
    async with (
        SimulatedReceiver(
            speed=None, clock=VirtualClock(), tuners=2, generation=request.param
        ) as receiver,
        httpx.AsyncClient(base_url=receiver.base_url, trust_env=False) as client,
    ):
        yield Box(receiver, client)


async def test_the_version_says_which_it_is(box: Box) -> None:
    version = (await box.get("/api/about"))["info"]["webifver"]
    assert version == ("OWIF 1.5.2" if box.is_old else "OWIF 2.4.0")


async def test_epgbouquet_has_all_events_or_the_current_ones(box: Box) -> None:
    events = await box.events("epgbouquet", bRef=FAVOURITES)
    of_one = [event for event in events if event["sref"] == ONE]
    # Card One stands twice in the bouquet.
    assert len(of_one) == (2 * 337 if box.is_old else 2)


async def test_epgmulti_has_all_events_of_services_that_have_any(box: Box) -> None:
    events = await box.events("epgmulti", bRef=FAVOURITES)
    services = {event["sref"] for event in events}
    assert ONE in services
    assert SCRAMBLED not in services
    assert max(e["begin_timestamp"] for e in events) > events[0]["begin_timestamp"] + 6 * 86_400


async def test_the_window_of_epgmulti_is_in_minutes_and_an_epoch_is_taken_for_all(box: Box) -> None:
    now_s = int(box.receiver.box.air.utc().timestamp())
    hour = await box.events("epgmulti", bRef=FAVOURITES, time=str(now_s), endTime="60")
    assert 0 < max(event["begin_timestamp"] for event in hour) - now_s <= 3600
    all_of_them = await box.events("epgmulti", bRef=FAVOURITES, endTime=str(now_s + 3600))
    assert len(all_of_them) > 1000


async def test_an_unknown_bouquet_has_no_events_and_no_result(box: Box) -> None:
    for reference in (ONE, FAVOURITES.replace("favourites", "missing")):
        answer = await box.get("/api/epgmulti", bRef=reference)
        assert answer == {"events": [], "result": False}


async def test_a_service_without_guide_has_none_or_a_placeholder(box: Box) -> None:
    events = await box.events("epgservice", sRef=SCRAMBLED)
    assert [(e["id"], e["begin_timestamp"], e["title"], e["sname"]) for e in events] == (
        [(0, 0, "N/A", "")] if box.is_old else []
    )


async def test_the_older_interface_sends_no_current_time(box: Box) -> None:
    (event,) = await box.events("epgservicenow", sRef=ONE)
    assert (event["now_timestamp"] == 0) == box.is_old


async def test_now_and_next_come_for_markers_too_as_placeholders(box: Box) -> None:
    events = await box.events("epgnownext", bRef=FAVOURITES)
    marker, other, present, following, *_ = events
    assert marker["id"] is None
    assert (marker["begin_timestamp"], marker["title"]) == (0, "N/A")
    assert other["sref"].startswith("1:64:")
    assert present["begin_timestamp"] + present["duration_sec"] == following["begin_timestamp"]
    assert len(await box.events("epgnow", bRef=FAVOURITES)) == len(events) // 2


async def test_texts_are_escaped_and_keep_their_control_characters(box: Box) -> None:
    events = await box.events("epgmulti", bRef=FAVOURITES)
    titles = {event["title"] for event in events}
    assert {"Bars &amp; &quot;Tone&quot;", "&lt;Interlude&gt;"} <= titles
    texts = "".join(event["shortdesc"] + event["longdesc"] for event in events)
    assert {"\u0086", "\u0087", "\u008a", "\x1a"} <= set(texts)
    for written in ("Staffel 3, Folge 12", "S03E12", "Series 2, episode", "Saison 2"):
        assert any(written.split()[0] in event["shortdesc"] + event["longdesc"] for event in events)
    assert {event["genreid"] for event in events} >= {0, 0x10, 0x15, 0x20, 0x43}


async def test_an_answer_is_written_as_pythons_json_is(box: Box) -> None:
    response = await box.client.get("/api/epgmulti", params={"bRef": FAVOURITES})
    assert response.text == json.dumps(response.json(), indent=1)


async def test_a_file_that_is_missing_is_a_500_or_a_text(box: Box) -> None:
    box.receiver.box.whitelist = None
    path = "/etc/enigma2/whitelist_streamrelay"
    response = await box.client.get("/file", params={"file": path})
    assert response.status_code == (200 if box.is_old else 500)
    assert ("not found" in response.text) == box.is_old


async def test_the_whitelist_is_a_reference_a_line_and_files_have_ranges(box: Box) -> None:
    query = {"file": "/etc/enigma2/whitelist_streamrelay"}
    assert (await box.client.get("/file", params=query)).text == SCRAMBLED
    part = await box.client.get("/file", params=query, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.text) == (206, SCRAMBLED[2:5])
    assert part.headers["content-range"] == f"bytes 2-4/{len(SCRAMBLED)}"
    beyond = await box.client.get("/file", params=query, headers={"Range": "bytes=1000-"})
    assert beyond.status_code == 416


async def test_only_the_newer_one_sends_whitelisted_services_to_the_relay(box: Box) -> None:
    response = await box.client.get("/web/stream.m3u", params={"ref": SCRAMBLED})
    port = box.receiver.stream_port if box.is_old else box.receiver.relay_port
    assert response.text.splitlines()[-1] == f"http://127.0.0.1:{port}/{SCRAMBLED}"
    kind = "x-mpegurl" if box.is_old else "vnd.apple.mpegurl"
    assert response.headers["content-type"].startswith(f"application/{kind}")


async def test_a_playlist_resolves_alternatives_and_names_internet_addresses(box: Box) -> None:
    group, web, _ = (await box.get("/api/getservices", sRef=ELSEWHERE))["services"]
    assert group["servicereference"].startswith("1:134:")
    first = await box.client.get("/web/stream.m3u", params={"ref": group["servicereference"]})
    assert first.text.splitlines()[-1].endswith("/1:0:19:66:1:1:C00000:0:0:0:")
    query = {"ref": web["servicereference"], "name": "Web Two"}
    address = (await box.client.get("/web/stream.m3u", params=query)).text.splitlines()[-1]
    assert address == f"{box.receiver.base_url}/iptv/two.ts:Web Two"


async def test_fetching_a_playlist_may_zap(box: Box) -> None:
    box.receiver.box.zaps_on_playlist = True
    settings = (await box.get("/api/settings"))["settings"]
    assert ["config.OpenWebif.webcache.zapstream", "true"] in settings
    await box.client.get("/web/stream.m3u", params={"ref": ONE})
    assert (await box.get("/api/statusinfo"))["currservice_serviceref"] == ONE


async def test_internet_services_play_from_the_receivers_own_web_server(box: Box) -> None:
    services = (await box.get("/api/getservices", sRef=ELSEWHERE))["services"]
    kinds = [service["servicereference"].split(":")[0] for service in services]
    assert kinds == ["1", "4097", "1"]
    encoded = httpx.URL(box.receiver.base_url).netloc.decode().replace(":", "%3a")
    assert f"http%3a//{encoded}/iptv/three.ts" in services[2]["servicereference"]
    async with box.client.stream("GET", "/iptv/three.ts") as response:
        async for chunk in response.aiter_bytes():
            assert chunk.startswith(b"\x47")
            break


async def test_standby_is_a_text_here_and_a_boolean_there(box: Box) -> None:
    assert await box.get("/api/powerstate") == {"result": True, "instandby": True}
    woken = await box.get("/api/powerstate", newstate="4")
    assert woken["instandby"] is True, "the state before"
    assert (await box.get("/api/powerstate"))["instandby"] is False
    assert (await box.get("/api/statusinfo"))["inStandby"] == "false"
    assert (await box.get("/api/signal"))["snr"] == ""


async def test_the_television_takes_a_tuner_and_has_a_signal(box: Box) -> None:
    zapped = await box.get("/api/zap", sRef=ONE)
    assert zapped == {"result": True, "message": "Active service is now 'Card One HD'"}
    assert (await box.get("/api/signal"))["snr_db"] == "13.10"
    tuner, _ = (await box.get("/api/about"))["info"]["tuners"]
    assert tuner["live"] == "Card One HD"
    assert ("stream" in tuner) != box.is_old


async def test_picons_are_pictures_and_not_all_are_there(box: Box) -> None:
    response = await box.client.get("/picon/1_0_19_65_1_1_C00000_0_0_0.png")
    assert response.headers["content-type"] == "image/png"
    assert response.content.startswith(b"\x89PNG\r\n\x1a\n")
    data = response.content[response.content.index(b"IDAT") + 4 :]
    assert len(zlib.decompressobj().decompress(data)) == 132 * 221
    changed = {"If-Modified-Since": response.headers["last-modified"]}
    again = await box.client.get("/picon/1_0_19_65_1_1_C00000_0_0_0.png", headers=changed)
    assert again.status_code == 304
    assert (await box.client.get("/picon/1_0_2_67_1_1_C00000_0_0_0.png")).status_code == 404


async def test_a_list_may_name_the_picons(box: Box) -> None:
    answer = await box.get("/api/getservices", sRef=FAVOURITES, picon="1")
    picons = {s["servicename"]: s["picon"] for s in answer["services"]}
    assert picons["Card One HD"] == "/picon/1_0_19_65_1_1_C00000_0_0_0.png"
    assert picons["Card Two HD"] == "/picon/1_0_1_66_1_1_C00000_0_0_0.png"
    assert picons["Card Three & Friends"] == "/picon/cardthreeandfriends.png"
    assert picons["Radio Four"] == "/images/default_picon.png"


async def test_timers_are_added_listed_and_deleted_by_get(box: Box) -> None:
    now_s = int(box.receiver.box.air.utc().timestamp())
    times = {"begin": str(now_s + 3600), "end": str(now_s + 7200)}
    added = await box.get("/api/timeradd", sRef=ONE, name="A & B", eit="7", **times)
    assert added["result"] is True
    listed = await box.get("/api/timerlist")
    assert ("version" in listed) != box.is_old
    (timer,) = listed["timers"]
    assert (timer["name"], timer["state"], timer["disabled"]) == ("A & B", 0, 0)
    assert (timer["dirname"], timer["filename"]) == ("None", None)
    wrong = await box.get("/api/timerdelete", sRef=ONE, begin="1", end="2")
    assert wrong["result"] is False
    assert (await box.get("/api/timerdelete", sRef=ONE, **times))["result"] is True
    assert (await box.get("/api/timerlist"))["timers"] == []


async def test_timers_that_need_too_many_tuners_are_a_conflict_with_200(box: Box) -> None:
    now_s = int(box.receiver.box.air.utc().timestamp())
    times = {"begin": str(now_s + 3600), "end": str(now_s + 7200)}
    others = [THREE, "1:0:19:65:1:1:C00001:0:0:0:"]
    for reference in others:
        assert (await box.get("/api/timeradd", sRef=reference, name="x", **times))["result"]
    conflict = await box.get("/api/timeradd", sRef=ONE, name="y", **times)
    assert conflict["result"] is False
    assert len(conflict["conflicts"]) == 3


async def test_a_recording_without_a_tuner_ends_the_oldest_stream(box: Box) -> None:
    far = "1:0:19:65:1:1:C00009:0:0:0:"
    async with (
        watching(box.receiver.stream_port, ONE) as first,
        watching(box.receiver.stream_port, THREE) as second,
    ):
        await first.read(len(HEADER) + 1)
        await second.read(len(HEADER) + 1)
        now_s = int(box.receiver.box.air.utc().timestamp())
        times = {"begin": str(now_s - 60), "end": str(now_s + 7200)}
        assert (await box.get("/api/timeradd", sRef=far, name="now", **times))["result"] is True
        await first.rest()
        await second.read(188)
        assert (await box.get("/api/statusinfo"))["isRecording"] == "true"
        assert (await box.get("/api/serviceplayable", sRef=ONE))["service"]["isplayable"] is False
        assert (await box.get("/api/timerdelete", sRef=far, **times))["result"] is True
    assert (await box.get("/api/statusinfo"))["isRecording"] == "false"


async def test_serviceplayable_may_ignore_a_tuner_that_would_be_released(box: Box) -> None:
    async def playable(**query: str) -> object:
        answer = await box.get("/api/serviceplayable", sRef="1:0:19:65:1:1:C00009:0:0:0:", **query)
        return answer["service"]["isplayable"]

    box.receiver.start_recording(THREE)
    async with watching(box.receiver.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER) + 1)
        assert await playable() is False
        assert await playable(sRefPlaying=ONE) is True
        assert await playable(sRefPlaying=SCRAMBLED) is True, "one transponder with Card One"
    await until(lambda: not box.receiver.active_streams)
    box.receiver.stop_recording(THREE)


async def test_recordings_on_the_disk_are_listed_and_read(box: Box) -> None:
    answer = await box.get("/api/movielist")
    (movie,) = answer["movies"]
    assert movie["length"] == "?:??"
    part = await box.client.get(
        "/file", params={"file": movie["filename"]}, headers={"Range": "bytes=188-375"}
    )
    assert (part.status_code, part.content[:1], len(part.content)) == (206, b"\x47", 188)
    assert (await box.get("/api/movielist", dirname="/nowhere"))["movies"] == []


async def test_the_guide_of_many_services_is_different_for_each(box: Box) -> None:
    now = box.receiver.box.air.utc()
    services = [s for s in box.receiver.services if s.has_guide]
    first = {s.programmes.running_at(now).title for s in services}
    assert len(first) > 2
    for service in services:
        events = list(service.programmes.between(now, now + timedelta(days=7)))
        assert events[0].begin <= now
        ends = [event.begin + event.duration for event in events]
        assert ends[:-1] == [event.begin for event in events[1:]]
        assert len({event.event_id for event in events}) == len(events)

"""What media servers ask a tuner, through a real socket."""

import json
from xml.etree import ElementTree

import pytest

from tests.harness.scripted_daemon import LISTED, REFERENCE, daemon
from tests.harness.stream_server import (
    CRLF_ANSWER,
    PACKET,
    plays_at_leisure,
    says,
    says_then_stays_silent,
)
from xg2g.hdhomerun.identity import is_valid_device_id
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.metrics import Outcome
from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.service_reference import ServiceReference
from xg2g.web.http.access import Access

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
ULTRA = Service(ServiceReference.parse("1:0:1F:5:2:1:C00000:0:0:0:"), 'UHD <1> & "more"')
UNLISTED = "1:0:19:2840:3FB:1:C00000:0:0:0:"
STANDARD = Service(ServiceReference.parse("1:0:1:6:2:1:C00000:0:0:0:"), "SD")
WAVES = Service(ServiceReference.parse("1:0:2:7:2:1:C00000:0:0:0:"), "Waves")
BOUQUETS = [Bouquet("TV", (LISTED, ULTRA, STANDARD)), Bouquet("Radio", (WAVES,), radio=True)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_discover_has_identity_and_lineup_url() -> None:
    async with daemon(PLAYS, tuner_limit=8) as gateway:
        status, headers, body = await gateway.get("/discover.json")
    found = json.loads(body)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert is_valid_device_id(int(found["DeviceID"], 16))
    assert found["BaseURL"] == "http://gateway:8088"
    assert found["LineupURL"] == "http://gateway:8088/lineup.json"
    assert found["TunerCount"] == 8
    assert "HDTC" not in found["ModelNumber"]


async def test_the_lineup_tells_the_truth_about_codecs() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        _, _, body = await gateway.get("/lineup.json")
    rows = {row.pop("GuideName"): row for row in json.loads(body)}
    url = "http://gateway:8088/auto/v"
    assert rows["Das Erste HD"] == {
        "GuideNumber": "1",
        "VideoCodec": "H264",
        "AudioCodec": "AAC",
        "HD": 1,
        "URL": f"{url}1",
    }
    assert rows['UHD <1> & "more"']["VideoCodec"] == "HEVC"
    assert not {"VideoCodec", "HD"} & rows["SD"].keys(), "type 1 has every codec in the field"
    assert rows["Waves"] == {"GuideNumber": "4", "AudioCodec": "AAC", "URL": f"{url}4"}


async def test_the_tuner_lists_only_the_bouquets_chosen_for_it() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS, tuner_bouquets=("radio", "none")) as gateway:
        _, _, as_json = await gateway.get("/lineup.json")
        _, _, as_xml = await gateway.get("/lineup.xml")
        _, _, as_m3u = await gateway.get("/lineup.m3u")
        _, _, playlist = await gateway.get("/playlist.m3u")
        assert (await gateway.get("/auto/v1"))[0] == 200
    assert [row["GuideName"] for row in json.loads(as_json)] == ["Waves"]
    assert (as_xml.count(b"<Program>"), as_m3u.count(b"#EXTINF")) == (1, 1)
    assert playlist.count(b"#EXTINF") == 4


async def test_an_empty_lineup_is_an_empty_list() -> None:
    async with daemon(PLAYS, bouquets=[]) as gateway:
        _, _, body = await gateway.get("/lineup.json")
    assert json.loads(body) == []


async def test_the_lineup_in_xml_has_the_same_rows() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        _, _, body = await gateway.get("/lineup.xml")
        _, _, as_json = await gateway.get("/lineup.json")
    rows = [
        {field.tag: field.text for field in program} for program in ElementTree.fromstring(body)
    ]
    assert rows == [{key: str(value) for key, value in row.items()} for row in json.loads(as_json)]


async def test_the_lineup_as_m3u_has_every_stream() -> None:
    async with daemon(PLAYS, bouquets=BOUQUETS) as gateway:
        _, _, body = await gateway.get("/lineup.m3u")
    urls = [line for line in body.decode().splitlines() if not line.startswith("#")]
    assert urls == [f"http://gateway:8088/auto/v{number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("query", ["?scan=start", "?scan=start&source=Antenna", "?scan=abort"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_scan_is_accepted_and_ends_at_once(method: str, query: str) -> None:
    async with daemon(PLAYS) as gateway:
        status, _, _ = await gateway.get(f"/lineup.post{query}", method=method)
        _, _, body = await gateway.get("/lineup_status.json")
    assert status == 200
    assert json.loads(body)["ScanInProgress"] == 0


async def test_the_description_has_a_real_uuid() -> None:
    async with daemon(PLAYS) as gateway:
        _, headers, body = await gateway.get("/device.xml")
    assert headers["content-type"].startswith("application/xml")
    name = "{urn:schemas-upnp-org:device-1-0}"
    udn = ElementTree.fromstring(body).findtext(f"{name}device/{name}UDN")
    assert udn is not None
    assert len(udn) == len("uuid:") + 36


@pytest.mark.parametrize(
    ("path", "tuner"),
    [
        ("/auto/v1", "tuner0"),
        ("/tuner0/v1", "tuner0"),
        ("/tuner3/v1", "tuner3"),
        ("/auto/v1?transcode=none", "tuner0"),
    ],
)
async def test_a_number_is_a_stream_and_says_on_which_tuner(path: str, tuner: str) -> None:
    async with daemon(PLAYS, tuner_limit=4) as gateway:
        status, headers, body = await gateway.get(path)
    assert (status, headers["content-type"]) == (200, "video/mp2t")
    assert headers["x-hdhomerun-resource"] == tuner
    assert body == PACKET * 10


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/auto/v77", 404, "801 Unknown Channel"),
        ("/auto/v1?transcode=heavy", 404, "802 Unknown Transcode Profile"),
        ("/tuner4/v1", 404, "801 Unknown Channel"),
        *(
            (path, 404, "801 Unknown Channel")
            for path in (
                "/auto/ch546000000",
                "/auto/ch546000000-3",
                "/auto/v1.1",
                "/auto/vabc",
                "/auto/v",
                "/auto/",
                "/auto/v1/x",
                "/tuner0",
                "/auto/v1%2f..",
                "/auto/../auto/v77",
                "/auto/v-1",
                "/auto/v%D9%A1",
                f"/auto/v{'1' * 5000}",
                f"/tuner{'1' * 5000}/v1",
                "/tunerx/v1",
                "/tuner-1/v1",
                "/tuner0/ch546000000",
            )
        ),
    ],
)
async def test_a_refusal_has_its_code_and_no_body(path: str, status: int, error: str) -> None:
    async with daemon(PLAYS, tuner_limit=4) as gateway:
        answer, headers, body = await gateway.get(path)
        assert not gateway.upstream.connections
    assert (answer, headers["x-hdhomerun-error"], body) == (status, error, b"")


@pytest.mark.parametrize(
    "duration", ["-1", "0", "x", "1e3", "9" * 30, "%D9%A3", "%EF%BC%93", "%2B5", "5%20", "1_0"]
)
async def test_an_invalid_duration_is_refused(duration: str) -> None:
    async with daemon(PLAYS) as gateway:
        status, _, body = await gateway.get(f"/auto/v1?duration={duration}")
    assert (status, body) == (400, b"")


async def test_a_stream_with_a_duration_ends_well_by_itself() -> None:
    async with daemon(plays_at_leisure) as gateway:
        status, _, body = await gateway.get("/auto/v1?duration=1")
        await gateway.ended(Outcome.DURATION_OVER)
    assert status == 200
    assert len(body) >= 188


async def test_a_duration_that_passes_before_the_stream_begins_is_an_error_of_its_own() -> None:
    async with daemon(says_then_stays_silent()) as gateway:
        status, headers, body = await gateway.get("/auto/v1?duration=1")
        [failure] = gateway.gateway.failures
        await gateway.ended(Outcome.DURATION_OVER)
    assert (status, headers["x-hdhomerun-error"], body) == (504, "807 No Video Data", b"")
    assert "duration" in failure.reason


async def test_when_no_tuner_is_free_the_code_says_so() -> None:
    async with daemon(plays_at_leisure, bouquets=BOUQUETS, tuner_limit=1) as gateway:
        _, viewer = await gateway.watch()
        status, headers, body = await gateway.get("/auto/v2")
        opened = len(gateway.upstream.connections)
        viewer.close()
    assert (status, headers["x-hdhomerun-error"]) == (503, "805 All Tuners In Use")
    assert body == b""
    assert opened == 1, "the receiver was not asked"


async def test_the_status_shows_who_has_a_tuner() -> None:
    async with daemon(plays_at_leisure, tuner_limit=2) as gateway:
        _, _, idle = await gateway.get("/status.json")
        _, first = await gateway.watch("/tuner1/v1")
        _, second = await gateway.watch("/auto/v1")
        _, third = await gateway.watch(f"/{UNLISTED}")
        _, _, busy = await gateway.get("/status.json")
        for viewer in (first, second, third):
            viewer.close()
        await gateway.ended(Outcome.VIEWER_LEFT, times=3)
        _, _, afterwards = await gateway.get("/status.json")
    assert json.loads(idle) == [{"Resource": "tuner0"}, {"Resource": "tuner1"}]
    assert json.loads(busy) == [
        {"Resource": "tuner0", "TargetIP": "127.0.0.1"},
        {
            "Resource": "tuner1",
            "VctNumber": "1",
            "VctName": "Das Erste HD",
            "TargetIP": "127.0.0.1",
        },
    ]
    assert afterwards == idle


async def test_channels_of_one_transponder_are_all_in_the_status() -> None:
    same = Service(ServiceReference.parse("1:0:19:283E:3FB:1:C00000:0:0:0:"), "Another")
    bouquets = [Bouquet("TV", (LISTED, same))]
    async with daemon(plays_at_leisure, bouquets=bouquets, tuner_limit=1) as gateway:
        viewers = [(await gateway.watch(f"/auto/v{number}"))[1] for number in (1, 2)]
        _, _, body = await gateway.get("/status.json")
        for viewer in viewers:
            viewer.close()
    assert [(row["Resource"], row["VctNumber"]) for row in json.loads(body)] == [
        ("tuner0", "1"),
        ("tuner1", "2"),
    ]


async def test_a_tuner_of_another_client_is_refused_and_zapping_is_not() -> None:
    async with daemon(plays_at_leisure, bouquets=BOUQUETS, tuner_limit=4) as gateway:
        _, viewer = await gateway.watch("/tuner0/v1")
        elsewhere = await gateway.get("/tuner0/v2", source="127.0.0.2")
        _, same_channel = await gateway.watch("/tuner0/v1", source="127.0.0.2")
        _, zapped = await gateway.watch("/tuner0/v2")
        for each in (viewer, same_channel, zapped):
            each.close()
    status, headers, body = elsewhere
    assert (status, headers["x-hdhomerun-error"], body) == (503, "804 Tuner In Use", b"")


async def test_the_status_requires_the_token_where_reading_does() -> None:
    access = Access("swordfish", for_reading=True)
    async with daemon(plays_at_leisure, access=access) as gateway:
        _, viewer = await gateway.watch()
        status, _, body = await gateway.get("/status.json")
        viewer.close()
    assert status == 401
    assert b"Das Erste" not in body


async def test_without_a_lineup_a_number_is_refused_with_the_receivers_error() -> None:
    async with daemon(PLAYS, bouquets=UnreachableError("it does not answer")) as gateway:
        status, headers, body = await gateway.get("/auto/v1")
        lineup, _, _ = await gateway.get("/lineup.json")
    assert (status, headers["x-hdhomerun-error"], body) in (
        (502, "806 Tune Failed", b""),
        (503, "803 System Busy", b""),
    )
    assert lineup == 503


async def test_probe_then_play_tunes_once() -> None:
    async with daemon(plays_at_leisure, linger_s=30) as gateway:
        for time in range(3):
            _, writer = await gateway.watch()
            writer.close()
            await gateway.ended(Outcome.VIEWER_LEFT, times=time + 1)
        assert len(gateway.upstream.connections) == 1
        assert REFERENCE.encode() in gateway.upstream.connections[0].request

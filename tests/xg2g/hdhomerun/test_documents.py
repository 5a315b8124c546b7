"""What media servers ask a tuner, through a real socket."""

import json
from xml.etree import ElementTree

import pytest

from tests.xg2g.daemon import LISTED, REFERENCE, daemon
from tests.xg2g.upstream import CRLF_ANSWER, PACKET, plays_at_leisure, says
from xg2g.hdhomerun.identity import is_valid_device_id
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.metrics import Outcome
from xg2g.receiver.errors import UnreachableError
from xg2g.receiver.service_reference import ServiceReference

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
ULTRA = Service(ServiceReference.parse("1:0:1F:5:2:1:C00000:0:0:0:"), 'UHD <1> & "more"')
STANDARD = Service(ServiceReference.parse("1:0:1:6:2:1:C00000:0:0:0:"), "SD")
WAVES = Service(ServiceReference.parse("1:0:2:7:2:1:C00000:0:0:0:"), "Waves")
BOUQUETS = [Bouquet("TV", (LISTED, ULTRA, STANDARD)), Bouquet("Radio", (WAVES,), radio=True)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_discover_says_who_it_is_and_where_its_lineup_is() -> None:
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
async def test_a_scan_is_taken_and_over_at_once(method: str, query: str) -> None:
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
    "path", ["/auto/v1", "/tuner0/v1", "/tuner3/v1", "/auto/v1?transcode=none"]
)
async def test_a_number_is_a_stream(path: str) -> None:
    async with daemon(PLAYS) as gateway:
        status, headers, body = await gateway.get(path)
    assert (status, headers["content-type"]) == (200, "video/mp2t")
    assert body == PACKET * 10


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/auto/v77", 404, "801 Unknown Channel"),
        ("/auto/v1?transcode=heavy", 404, "802 Unknown Transcode Profile"),
    ],
)
async def test_a_refusal_has_its_code_and_no_body(path: str, status: int, error: str) -> None:
    async with daemon(PLAYS) as gateway:
        answer, headers, body = await gateway.get(path)
    assert (answer, headers["x-hdhomerun-error"], body) == (status, error, b"")


@pytest.mark.parametrize("duration", ["-1", "0", "x", "1e3", "9" * 30])
async def test_a_duration_that_is_none_is_refused(duration: str) -> None:
    async with daemon(PLAYS) as gateway:
        status, _, _ = await gateway.get(f"/auto/v1?duration={duration}")
    assert status == 400


async def test_a_stream_with_a_duration_ends_well_by_itself() -> None:
    async with daemon(plays_at_leisure) as gateway:
        status, _, body = await gateway.get("/auto/v1?duration=1")
        await gateway.ended(Outcome.DURATION_OVER)
    assert status == 200
    assert len(body) >= 188


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
        _, viewer = await gateway.watch()
        _, _, busy = await gateway.get("/status.json")
        viewer.close()
    assert json.loads(idle) == [{"Resource": "tuner0"}, {"Resource": "tuner1"}]
    assert json.loads(busy)[0] == {
        "Resource": "tuner0",
        "VctNumber": "1",
        "VctName": "Das Erste HD",
    }


async def test_without_a_lineup_a_number_is_refused_as_the_receiver_is() -> None:
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

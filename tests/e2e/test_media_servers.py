"""What Jellyfin, Plex and Kodi send, to the byte, and what they need to hear.

They are not in Debian. The requests are as their sources write them, or as packet captures show.
"""

import gzip
import json
import re
import socket
import time
import xml.etree.ElementTree as ET
from urllib.parse import urlsplit

import pytest

from tests.e2e.exchange import PACKETS, ask, head, opened
from tests.harness.house import ADDRESS, House, until

JELLYFIN = "Jellyfin-Server/10.10.7"
PLEX = "PlexMediaServer/1.41.0.8994-f2c27da23"
KODI = "Kodi/20.1 (X11; Linux x86_64) App_Bitness/64 Version/20.1-Debian"
FFMPEG = "Lavf/59.27.100"

JELLYFIN_DISCOVERY = bytes.fromhex("0002000C 0104FFFFFFFF 0204FFFFFFFF 73CC7D8F")


def stream_path(home: House, name: str) -> str:
    return urlsplit(home.channels()[name]).path


def is_a_stream(status: int, headers: dict[str, str], body: bytes) -> bool:
    return (
        (status, headers["content-type"].lower()) == (200, "video/mp2t")
        and not {"content-range", "content-length", "icy-metaint"} & headers.keys()
        and len(body) == PACKETS * 188
        and set(body[::188]) == {0x47}
    )


@pytest.mark.parametrize(
    "request_",
    [
        # Plex and other players that use ffmpeg.
        f"GET {{path}} HTTP/1.1\nUser-Agent: {FFMPEG}\nAccept: */*\nRange: bytes=0-\n"
        "Connection: close\nHost: {host}\nIcy-MetaData: 1\n\n",
        # Jellyfin's stream that viewers share.
        f"GET {{path}} HTTP/1.1\nHost: {{host}}\nUser-Agent: {JELLYFIN}\n"
        "Accept: application/json, application/xml; q=0.9, */*; q=0.8\n"
        "Accept-Encoding: gzip, deflate, br\n\n",
        # Kodi's player.
        f"GET {{path}} HTTP/1.1\nHost: {{host}}\nRange: bytes=0-\nUser-Agent: {KODI}\n"
        "Accept: */*\nIcy-MetaData: 1\n\n",
    ],
    ids=["ffmpeg", "Jellyfin", "Kodi"],
)
@pytest.mark.parametrize("path", ["/auto/v2", "/tuner0/v2", "{stream}"])
def test_a_channel_is_a_plain_stream_to_every_client(home: House, request_: str, path: str) -> None:
    path = path.replace("{stream}", stream_path(home, "Card Two HD"))
    assert is_a_stream(*ask(home, request_.replace("{path}", path)))


@pytest.mark.parametrize("agent", [JELLYFIN, KODI])
@pytest.mark.parametrize("path", ["{stream}", "/auto/v1"])
def test_head_names_the_type_of_a_stream_and_takes_no_tuner(
    home: House, agent: str, path: str
) -> None:
    path = path.replace("{stream}", stream_path(home, "Card One HD"))
    status, headers, body = ask(
        home, f"HEAD {path} HTTP/1.1\nHost: {{host}}\nUser-Agent: {agent}\nConnection: close\n\n"
    )
    assert (status, headers["content-type"].lower(), body) == (200, "video/mp2t", b"")
    assert home.watching() == 0


def test_jellyfin_knows_a_channel_from_the_three_seconds_that_it_waits(home: House) -> None:
    """It stores the stream for a time, and then lets ffprobe analyse it for at most that time."""
    path, stored = stream_path(home, "Card Two HD"), home.home / "jellyfin.ts"
    request = f"GET {path} HTTP/1.1\nHost: {{host}}\nUser-Agent: {JELLYFIN}\n\n"
    with opened(home, request) as (headers, received):
        assert headers["content-type"].lower() == "video/mp2t"
        deadline_s = time.monotonic() + 3
        with stored.open("wb") as file:
            while time.monotonic() < deadline_s:
                file.write(received())
    said = home.run(
        *("ffprobe", "-v", "fatal", "-analyzeduration", "3000000", "-show_streams", "-of", "json"),
        str(stored),
    )
    found = json.loads(said)["streams"]
    (video,) = (s for s in found if s.get("codec_type") == "video")
    assert (video["codec_name"], video["width"] > 0) == ("h264", True)
    first_audio = next(s for s in found if s.get("codec_type") == "audio")
    assert (first_audio["codec_name"], first_audio["channels"]) == ("aac", 2)


def test_who_looks_closes_and_plays_has_one_tuner_all_the_time(home: House) -> None:
    """Kodi's pvr.hdhomerun, and Jellyfin where viewers share no stream."""
    request = (
        f"GET /auto/v2 HTTP/1.1\nHost: {{host}}\nRange: bytes=0-\nUser-Agent: {KODI}\n"
        "Accept: */*\nIcy-MetaData: 1\n\n"
    )
    for _ in range(3):
        with opened(home, request) as (headers, received):
            assert headers["x-hdhomerun-resource"] == "tuner0"
            assert received()[:1] == b"\x47"
            assert home.tuners_in_use() == 1
        until(lambda: home.watching() == 0, "it has left")
        assert home.tuners_in_use() == 1


def test_what_fails_has_an_empty_body_so_that_jellyfin_records_no_text(home: House) -> None:
    status, headers, body = ask(
        home, f"GET /auto/v999 HTTP/1.1\nHost: {{host}}\nUser-Agent: {JELLYFIN}\n\n"
    )
    assert (status, headers["x-hdhomerun-error"], body) == (404, "801 Unknown Channel", b"")


@pytest.mark.skipif(ADDRESS is None, reason="discovery needs a network of its own")
def test_jellyfin_finds_the_tuner_by_its_broadcast_and_reads_it_on_port_80(home: House) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as scan:
        scan.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        scan.settimeout(10)
        scan.sendto(JELLYFIN_DISCOVERY, ("255.255.255.255", 65001))
        reply, (address, _) = scan.recvfrom(1500)
    assert len(reply) > 13
    assert reply[1] == 3
    at_port_80 = House(f"http://{address}", home.home)
    status, _, _ = ask(
        at_port_80, f"GET /discover.json HTTP/1.1\nHost: {{host}}\nUser-Agent: {JELLYFIN}\n\n"
    )
    assert status == 200
    device = at_port_80.get("/discover.json").json()
    assert device["BaseURL"] == f"http://{address}"
    assert device["TunerCount"] > 0
    # This in it, and Jellyfin would ask for the profiles of a device that transcodes video.
    assert "HDTC" not in device["ModelNumber"]


def test_plex_adds_the_tuner_and_scans_it(home: House) -> None:
    def plex(method: str, path: str) -> int:
        # What has a body says how long it is.
        length = "Content-Length: 0\n" if method == "POST" else ""
        request = (
            f"{method} {path} HTTP/1.1\nHost: {{host}}\nUser-Agent: {PLEX}\n"
            f"Accept: application/json\nAccept-Encoding: gzip\nConnection: keep-alive\n{length}\n"
        )
        return ask(home, request)[0]

    assert plex("GET", "/discover.json") == 200
    assert plex("GET", "/lineup_status.json") == 200
    assert plex("POST", "/lineup.post?scan=start&source=Antenna") == 200
    assert plex("GET", "/lineup.json") == 200
    status = home.get("/lineup_status.json").json()
    assert status["ScanInProgress"] == 0
    numbers = [row["GuideNumber"] for row in home.get("/lineup.json").json()]
    assert len(set(numbers)) == len(numbers) > 0


def test_plex_tunes(home: House) -> None:
    """It asks for three documents over one connection, and has its ffmpeg fetch what the lineup
    says."""
    where = urlsplit(home.url)
    with (
        socket.create_connection((where.hostname or "", where.port or 80), 30) as connection,
        connection.makefile("rb") as answer,
    ):
        found = {}
        for path in ("/lineup.json", "/discover.json", "/lineup_status.json"):
            request = (
                f"GET {path} HTTP/1.1\nHost: {where.netloc}\nUser-Agent: {PLEX}\n"
                "Accept: application/json\nAccept-Encoding: gzip\nConnection: keep-alive\n\n"
            )
            connection.sendall(request.replace("\n", "\r\n").encode())
            status, headers = head(answer)
            body = answer.read(int(headers["content-length"]))
            assert (status, headers["content-type"]) == (200, "application/json")
            assert "content-encoding" not in headers
            found[path] = json.loads(body)
    assert re.fullmatch("[0-9A-F]{8}", found["/discover.json"]["DeviceID"])
    assert found["/lineup_status.json"]["ScanInProgress"] == 0
    stream = urlsplit(found["/lineup.json"][1]["URL"])
    assert stream.netloc == where.netloc
    request = (
        f"GET {stream.path} HTTP/1.1\nUser-Agent: {FFMPEG}\nAccept: */*\nRange: bytes=0-\n"
        "Connection: close\nHost: {host}\nIcy-MetaData: 1\n\n"
    )
    assert is_a_stream(*ask(home, request))


def test_plex_takes_the_tuner_for_alive_by_its_description(home: House) -> None:
    description = ET.fromstring(home.get("/device.xml").content)
    device = description.find("{urn:schemas-upnp-org:device-1-0}device")
    assert device is not None
    facts = {element.tag.partition("}")[2]: element.text or "" for element in device}
    assert facts["deviceType"] == "urn:schemas-upnp-org:device:MediaServer:1"
    assert re.fullmatch(r"uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", facts["UDN"])


SEARCH = (
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n'
    "ST: upnp:rootdevice\r\n\r\n"
)


@pytest.mark.skipif(ADDRESS is None, reason="discovery needs a network of its own")
def test_a_search_by_ssdp_leads_to_the_description(home: House) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as searcher:
        searcher.settimeout(10)
        searcher.sendto(SEARCH.encode(), ("239.255.255.250", 1900))
        answer = searcher.recv(2000).decode()
    found = dict(line.split(":", 1) for line in answer.splitlines()[1:] if ":" in line)
    assert found["LOCATION"].strip() == f"{home.url}/device.xml"
    udn = found["USN"].strip().partition("::")[0]
    assert f"<UDN>{udn}</UDN>" in home.get("/device.xml").text


def test_jellyfin_gets_the_guide_compressed_once(home: House) -> None:
    plain = home.get("/xmltv.xml").content
    for path, encoded in (("/xmltv.xml", True), ("/xmltv.xml.gz", False)):
        status, headers, body = ask(
            home,
            f"GET {path} HTTP/1.1\nHost: {{host}}\nUser-Agent: {JELLYFIN}\n"
            "Accept-Encoding: gzip, deflate, br\nConnection: close\n\n",
        )
        assert status == 200
        # It unpacks what ends in .gz itself; both together, and it fails.
        assert (headers.get("content-encoding") == "gzip") == encoded
        assert gzip.decompress(body) == plain


def test_kodi_gets_the_guide_as_text_unless_it_asks_for_more(home: House) -> None:
    status, headers, body = ask(
        home, f"GET /xmltv.xml HTTP/1.1\nHost: {{host}}\nUser-Agent: {KODI}\nAccept: */*\n\n"
    )
    assert (status, headers.get("content-encoding")) == (200, None)
    assert body.startswith(b"<")


def test_the_playlist_means_the_same_to_jellyfin_and_kodi(home: House) -> None:
    lines = home.get("/playlist.m3u").text.splitlines()
    names = list(home.channels())
    entries = [line for line in lines if line.startswith("#EXTINF")]
    # Jellyfin: the text after the last comma, without a number in front of a space.
    last = [line.rpartition(",")[2].strip() for line in entries]
    assert [re.sub(r"^[\d.]+ ", "", name) for name in last] == names
    # Kodi: the text after the comma that follows the last quote.
    assert [line.rpartition('"')[2].removeprefix(",") for line in entries] == names
    urls = [line for line in lines if line and not line.startswith("#")]
    # Jellyfin lets viewers share a stream only if its path ends so, and knows channels by the URL.
    assert all(urlsplit(url).path.endswith(".ts") for url in urls)
    assert len(set(urls)) == len(urls) == len(entries)
    # Kodi opens the stream to look what it is, unless it is told.
    assert lines.count("#KODIPROP:mimetype=video/mp2t") == len(urls)


def test_the_guide_leads_to_the_channels_of_playlist_and_tuner_by_id_name_and_number(
    home: House,
) -> None:
    listed = home.get("/playlist.m3u").text
    of_playlist = re.findall(r'tvg-id="([^"]*)".* tvg-chno="([^"]*)" .*tvg-name="([^"]*)"', listed)
    of_guide = [
        (channel.get("id"), *(name.text for name in reversed(channel.findall("display-name"))))
        for channel in ET.fromstring(home.get("/xmltv.xml").content).iter("channel")
    ]
    assert of_guide == of_playlist
    of_tuner = [(row["GuideNumber"], row["GuideName"]) for row in home.get("/lineup.json").json()]
    assert of_tuner == [(number, name) for _, number, name in of_playlist]

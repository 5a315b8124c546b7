"""SSDP as Plex needs it."""

import asyncio
import socket
from random import Random
from uuid import UUID

from ssdp.messages import SSDPRequest

from xg2g.hdhomerun.ssdp import Advertisement, advertised, delay_s

UDN = UUID("8f5ba1b6-9d4f-4c0e-9f0b-5f9b8c9a0001")
ADVERTISEMENT = Advertisement(UDN, 8088)
SEARCH = (
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\n'
    "MX: {mx}\r\nST: {target}\r\n\r\n"
)


def search(target: str, mx: str = "2") -> SSDPRequest:
    return SSDPRequest.parse(SEARCH.format(mx=mx, target=target))


def test_alive_names_the_root_device_by_its_uuid_and_description() -> None:
    first = ADVERTISEMENT.alive("10.0.0.1")[0]
    headers = dict(first.headers)
    assert headers["NT"] == "upnp:rootdevice"
    assert headers["NTS"] == "ssdp:alive"
    assert headers["USN"] == f"uuid:{UDN}::upnp:rootdevice"
    assert headers["LOCATION"] == "http://10.0.0.1:8088/device.xml"
    assert headers["CACHE-CONTROL"] == "max-age=1800"


def test_a_search_is_answered_for_what_it_is_after() -> None:
    assert len(ADVERTISEMENT.answers(search("ssdp:all"), "10.0.0.1")) == 3
    (answer,) = ADVERTISEMENT.answers(search("upnp:rootdevice"), "10.0.0.1")
    assert dict(answer.headers)["ST"] == "upnp:rootdevice"
    assert not ADVERTISEMENT.answers(search("urn:schemas-upnp-org:device:Printer:1"), "10.0.0.1")
    assert not ADVERTISEMENT.answers(ADVERTISEMENT.alive("10.0.0.1")[0], "10.0.0.1")


def test_no_client_makes_us_wait_for_minutes_or_fail_over_its_wish() -> None:
    random = Random(1)
    for mx in ("0", "1", "5", "120", "99999", "-1", "x", ""):
        assert 0 <= delay_s(search("ssdp:all", mx), random.uniform) < 5


def test_a_search_through_a_socket_is_answered() -> None:
    async def ask() -> str:
        async with advertised(ADVERTISEMENT, "127.0.0.1", uniform=lambda low, _: low):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setblocking(False)
                client.bind(("127.0.0.1", 0))
                loop = asyncio.get_running_loop()
                for datagram in (b"M-SEARCH \xff", b"M-SEARCH", bytes(search("upnp:rootdevice"))):
                    await loop.sock_sendto(client, datagram, ("127.0.0.1", 1900))
                async with asyncio.timeout(10):
                    return (await loop.sock_recv(client, 4096)).decode()

    answer = asyncio.run(ask())
    assert answer.startswith("HTTP/1.1 200 OK\r\n")
    assert "LOCATION: http://127.0.0.1:8088/device.xml" in answer

"""SSDP as Plex needs it."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, closing
from importlib.metadata import version
from random import Random
from uuid import UUID

import pytest

from xg2g.hdhomerun.ssdp import Advertisement, Search, advertise_ssdp

pytestmark = pytest.mark.anyio

UDN = UUID("8f5ba1b6-9d4f-4c0e-9f0b-5f9b8c9a0001")
ADVERTISEMENT = Advertisement(UDN, 8088)
GROUP = ("239.255.255.250", 1900)
SEARCH = (
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\n'
    "MX: {mx}\r\nST: {target}\r\n\r\n"
)
NAMES = {
    f"uuid:{UDN}::upnp:rootdevice",
    f"uuid:{UDN}",
    f"uuid:{UDN}::urn:schemas-upnp-org:device:MediaServer:1",
}


def search(target: str, mx: str = "2") -> Search:
    parsed = Search.parse(SEARCH.format(mx=mx, target=target).encode())
    assert parsed is not None
    return parsed


def neighbour() -> socket.socket:
    """A socket of another UPnP program on this computer, which sends to the group as well."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    here = socket.inet_aton("127.0.0.1")
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
    sock.setblocking(False)
    return sock


def listening() -> socket.socket:
    sock = neighbour()
    sock.bind(("", GROUP[1]))
    membership = struct.pack("4s4s", socket.inet_aton(GROUP[0]), socket.inet_aton("127.0.0.1"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return sock


async def heard(sock: socket.socket) -> AsyncGenerator[dict[str, str], None]:
    """Headers of what our device says; others may be on this network, too."""
    loop = asyncio.get_running_loop()
    while True:
        text = (await loop.sock_recv(sock, 4096)).decode()
        if str(UDN) in text:
            first, *lines = text.rstrip("\r\n").split("\r\n")
            pairs = (line.partition(":") for line in lines)
            yield {"": first, **{name.upper(): value.strip() for name, _, value in pairs}}


async def of_each_name(sock: socket.socket) -> dict[str, dict[str, str]]:
    """The next messages until each of our names was in one."""
    found: dict[str, dict[str, str]] = {}
    async with asyncio.timeout(10), aclosing(heard(sock)) as messages:
        async for message in messages:
            found[message["USN"]] = message
            if len(found) == len(NAMES):
                break
    return found


class Clock:
    """Sleeps as long as the test says."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []
        self.awake = asyncio.Event()

    @property
    def sleep(self) -> Callable[[float], Awaitable[None]]:
        async def sleep(delay_s: float) -> None:
            self.asked_s.append(delay_s)
            await self.awake.wait()
            self.awake.clear()

        return sleep


async def test_it_announces_itself_every_15_seconds_and_says_goodbye() -> None:
    clock = Clock()
    with closing(listening()) as network:
        async with advertise_ssdp(ADVERTISEMENT, "127.0.0.1", sleep=clock.sleep):
            first = await of_each_name(network)
            clock.awake.set()
            second = await of_each_name(network)
        last = await of_each_name(network)
    assert clock.asked_s[:2] == [15, 15]
    assert first.keys() == second.keys() == last.keys() == NAMES
    for message in (*first.values(), *second.values()):
        assert message[""] == "NOTIFY * HTTP/1.1"
        assert message["NTS"] == "ssdp:alive"
        assert message["LOCATION"] == "http://127.0.0.1:8088/device.xml"
        assert message["CACHE-CONTROL"] == "max-age=1800"
    assert first[f"uuid:{UDN}::upnp:rootdevice"]["NT"] == "upnp:rootdevice"
    assert {message["NTS"] for message in last.values()} == {"ssdp:byebye"}


def test_a_search_is_answered_for_its_target() -> None:
    assert len(ADVERTISEMENT.answers(search("ssdp:all"), "10.0.0.1")) == 3
    (answer,) = ADVERTISEMENT.answers(search("upnp:rootdevice"), "10.0.0.1")
    assert b"\r\nST: upnp:rootdevice\r\n" in answer
    assert not ADVERTISEMENT.answers(search("urn:schemas-upnp-org:device:Printer:1"), "10.0.0.1")
    assert Search.parse(ADVERTISEMENT.alive("10.0.0.1")[0]) is None


def test_messages_have_the_form_of_the_upnp_device_architecture() -> None:
    location = (
        "CACHE-CONTROL: max-age=1800\r\nLOCATION: http://10.0.0.1:8088/device.xml\r\n"
        f"SERVER: UPnP/1.0 xg2g/{version('xg2g')}\r\n\r\n"
    )
    name = f"uuid:{UDN}::upnp:rootdevice"
    notify = "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\n"
    (answer,) = ADVERTISEMENT.answers(search("upnp:rootdevice"), "10.0.0.1")
    assert answer.decode() == (
        f"HTTP/1.1 200 OK\r\nEXT: \r\nST: upnp:rootdevice\r\nUSN: {name}\r\n{location}"
    )
    assert ADVERTISEMENT.alive("10.0.0.1")[0].decode() == (
        f"{notify}NTS: ssdp:alive\r\nUSN: {name}\r\n{location}"
    )
    assert ADVERTISEMENT.byebye()[0].decode() == (
        f"{notify}NTS: ssdp:byebye\r\nUSN: {name}\r\n\r\n"
    )


@pytest.mark.parametrize("separator", ["\r\n", "\n"])
@pytest.mark.parametrize("man", ['MAN: "ssdp:discover"', 'man:\t"ssdp:discover"'])
def test_a_search_is_read_in_every_spelling(separator: str, man: str) -> None:
    lines = ("M-SEARCH * HTTP/1.1", man, "st:upnp:rootdevice", "Mx: 3", "", "MX: 1")
    found = Search.parse(separator.join(lines).encode())
    assert found == Search("upnp:rootdevice", 3)


@pytest.mark.parametrize(
    ("mx", "longest_s"),
    [("0", 0), ("1", 1), ("5", 5), ("120", 5), ("99999", 1), ("-1", 1), ("x", 1), ("", 1)],
)
def test_no_search_delays_its_answer_for_minutes(mx: str, longest_s: int) -> None:
    assert search("ssdp:all", mx).longest_delay_s == longest_s
    random = Random(1)
    assert all(0 <= search("ssdp:all", mx).delay_s(random.uniform) <= longest_s for _ in range(50))


NOISE = [
    b"M-SEARCH",
    b"M-SEARCH \xff",
    b"M-SEARCH * HTTP/1.1\r\n",
    b"M-SEARCH * HTTP/1.1\r\nno colon\r\n\r\n",
    b"M-SEARCH * HTTP/1.1\r\n: \r\nMAN:\r\nST\r\n\r\n",
    b"M-SEARCH * HTTP/1.1\r\nST: upnp:rootdevice\r\n\r\n",
    b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"",
]


async def test_a_search_on_the_network_is_answered_after_invalid_packets() -> None:
    async with advertise_ssdp(ADVERTISEMENT, "127.0.0.1", uniform=lambda low, _: low):
        with closing(neighbour()) as client:
            for datagram in (*NOISE, SEARCH.format(mx=2, target="upnp:rootdevice").encode()):
                client.sendto(datagram, GROUP)
            async with asyncio.timeout(10), aclosing(heard(client)) as messages:
                answer = await anext(messages)
    assert answer[""] == "HTTP/1.1 200 OK"
    assert answer["ST"] == "upnp:rootdevice"
    assert answer["LOCATION"] == "http://127.0.0.1:8088/device.xml"

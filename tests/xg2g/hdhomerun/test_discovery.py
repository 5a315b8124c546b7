"""Discovery as the clients' own packets ask for it."""

import asyncio
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xg2g.errors import UserError
from xg2g.hdhomerun.discovery import TunerInfo, address_for, answer_discovery, reply_to
from xg2g.hdhomerun.frame import Frame, FrameError, FrameType, Tag

HDHOMERUN_CONFIG = bytes.fromhex("00020006 0104FFFFFFFF 4C20CB4E")
KODI = bytes.fromhex("00020006 010400000001 393077E7")
JELLYFIN_AND_OLDER_CONFIG = bytes.fromhex("0002000C 0104FFFFFFFF 0204FFFFFFFF 73CC7D8F")

DEVICE = TunerInfo(device_id=0x10439EFD, auth="a" * 24, tuners=4, port=8088)


def asking(**tags: bytes) -> bytes:
    values: dict[int, bytes] = {Tag[name]: value for name, value in tags.items()}
    return bytes(Frame(FrameType.DISCOVER_REQUEST, values))


@pytest.mark.parametrize(
    "request_",
    [HDHOMERUN_CONFIG, KODI, JELLYFIN_AND_OLDER_CONFIG],
    ids=["hdhomerun_config", "kodi", "jellyfin"],
)
def test_a_search_is_answered_with_the_urls_to_request_next(request_: bytes) -> None:
    reply = reply_to(request_, DEVICE, "192.168.100.100")
    assert reply is not None
    frame = Frame.parse(reply)
    assert frame.type == FrameType.DISCOVER_REPLY
    assert next(iter(frame.values)) == Tag.DEVICE_TYPE, "older clients look at the first alone"
    assert frame.values[Tag.DEVICE_TYPE] == bytes.fromhex("00000001")
    assert frame.values[Tag.DEVICE_ID] == bytes.fromhex("10439EFD")
    assert frame.values[Tag.TUNER_COUNT] == b"\x04"
    assert frame.values[Tag.BASE_URL] == b"http://192.168.100.100:8088"
    assert frame.values[Tag.LINEUP_URL] == b"http://192.168.100.100:8088/lineup.json"


def test_the_longest_base_url_fits_into_the_buffer_of_older_clients() -> None:
    longest = TunerInfo(device_id=1, auth="", tuners=1, port=65535)
    reply = reply_to(KODI, longest, "255.255.255.255")
    assert reply is not None
    assert len(Frame.parse(reply).values[Tag.BASE_URL]) <= 28


def test_only_searches_for_this_device_are_answered() -> None:
    ours, other = bytes.fromhex("10439EFD"), bytes.fromhex("124205A5")
    tuner, storage = bytes.fromhex("00000001"), bytes.fromhex("00000005")
    assert reply_to(asking(DEVICE_TYPE=tuner, DEVICE_ID=ours), DEVICE, "10.0.0.1")
    assert not reply_to(asking(DEVICE_TYPE=tuner, DEVICE_ID=other), DEVICE, "10.0.0.1")
    assert not reply_to(asking(DEVICE_TYPE=storage), DEVICE, "10.0.0.1")
    assert reply_to(asking(DEVICE_TYPES=storage + tuner), DEVICE, "10.0.0.1")
    assert not reply_to(bytes(Frame(FrameType.DISCOVER_REPLY, {})), DEVICE, "10.0.0.1")


@given(st.binary(max_size=4000))
def test_no_datagram_does_harm(datagram: bytes) -> None:
    reply_to(datagram, DEVICE, "10.0.0.1")


@given(st.dictionaries(st.integers(0, 255), st.binary(max_size=300), max_size=8))
def test_a_frame_reads_as_it_was_written(values: dict[int, bytes]) -> None:
    frame = Frame(FrameType.DISCOVER_REQUEST, values)
    assert Frame.parse(bytes(frame)) == frame


@given(st.integers(0, len(HDHOMERUN_CONFIG) * 8 - 1))
def test_a_flipped_bit_is_noticed(bit: int) -> None:
    damaged = bytearray(HDHOMERUN_CONFIG)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        Frame.parse(bytes(damaged))


def test_a_search_through_a_socket_brings_the_address_that_was_asked() -> None:
    async def ask() -> bytes:
        async with answer_discovery("127.0.0.1", lambda: DEVICE, port=0) as port:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setblocking(False)
                client.bind(("127.0.0.1", 0))
                loop = asyncio.get_running_loop()
                await loop.sock_sendto(client, b"noise", ("127.0.0.1", port))
                await loop.sock_sendto(client, HDHOMERUN_CONFIG, ("127.0.0.1", port))
                async with asyncio.timeout(10):
                    return await loop.sock_recv(client, 4096)

    reply = Frame.parse(asyncio.run(ask()))
    assert reply.values[Tag.BASE_URL] == b"http://127.0.0.1:8088"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a loopback that broadcasts")
@pytest.mark.anyio
async def test_a_broadcast_finds_every_daemon_of_this_computer() -> None:
    other = TunerInfo(device_id=0x105FF661, auth="b" * 24, tuners=2, port=8089)
    async with (
        answer_discovery("0.0.0.0", lambda: DEVICE, port=0) as port,
        answer_discovery("0.0.0.0", lambda: other, port=port),
    ):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            client.setblocking(False)
            client.sendto(HDHOMERUN_CONFIG, ("127.255.255.255", port))
            found: set[bytes] = set()
            async with asyncio.timeout(5):
                while len(found) < 2:
                    reply = await asyncio.get_running_loop().sock_recv(client, 2048)
                    found.add(Frame.parse(reply).values[Tag.BASE_URL][-4:])
    assert found == {b"8088", b"8089"}


@pytest.mark.anyio
async def test_discovery_says_that_another_program_has_the_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match="stop the other tuner program"):
            async with answer_discovery("0.0.0.0", lambda: DEVICE, port=port):
                pass


@pytest.mark.anyio
async def test_discovery_on_an_ipv6_address_fails_with_the_reason() -> None:
    with pytest.raises(UserError, match="IPv4"):
        async with answer_discovery("::1", lambda: DEVICE, port=0):
            pass


@pytest.mark.parametrize("peer", ["8.8.8.8", "193.99.144.80", "239.255.255.250"])
def test_datagrams_from_the_internet_are_not_answered(peer: str) -> None:
    assert address_for(peer) is None


def test_datagrams_from_the_household_are_answered() -> None:
    assert address_for("127.0.0.1") == "127.0.0.1"

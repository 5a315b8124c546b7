"""The stream port over real sockets, compared with real receivers."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest

from tests.oracle.transport import Packets, pmts
from tests.oracle.ts_checker import check, continuity_errors
from tests.xg2g.simulator.viewer import HEADER, connected, until, watching
from tests.xg2g.simulator.virtual_clock import VirtualClock
from xg2g.simulator import Answer, Conditions, Credentials, SimulatedReceiver
from xg2g.simulator.transport import PACKET_SIZE, PCR_HZ, PCR_MODULUS
from xg2g.simulator.tuners import RELEASE_S

pytestmark = pytest.mark.anyio

REFUSAL = b"HTTP/1.0 400 Bad Request\r\n\r\n"
ONE = "1:0:19:65:1:1:C00000:0:0:0:"
TWO = "1:0:19:66:1:1:C00000:0:0:0:"
THREE = "1:0:1:CA:2:1:C00000:0:0:0:"
RADIO = "1:0:2:67:1:1:C00000:0:0:0:"


@pytest.fixture
async def receiver() -> AsyncIterator[SimulatedReceiver]:
    async with SimulatedReceiver(speed=None) as receiver:
        yield receiver


@pytest.mark.parametrize("reference", [ONE, THREE, RADIO])
async def test_a_stream_is_a_header_of_http_1_0_and_then_packets_without_an_error(
    receiver: SimulatedReceiver, reference: str
) -> None:
    async with watching(receiver.stream_port, reference) as viewer:
        assert await viewer.read(len(HEADER)) == HEADER
        assert check(await viewer.read(8000 * PACKET_SIZE)).kinds() <= {"absent"}


async def test_a_stream_begins_in_mid_gop(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER))
        packets = Packets(await viewer.read(400 * PACKET_SIZE))
    video = [i for i in range(len(packets)) if packets.pid[i] == 0x101 and packets.has_payload[i]]
    assert not packets.pusi[video[0]]
    first_start = next(i for i in video if packets.pusi[i])
    # NAL unit type 5 is an IDR picture (ITU-T H.264, table 7-1).
    assert b"\0\0\1\x65" not in b"".join(packets.payload(i) for i in video if i <= first_start)


async def test_the_pat_lists_the_transponder_and_one_pmt_arrives(
    receiver: SimulatedReceiver,
) -> None:
    async with watching(receiver.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER))
        packets = Packets(await viewer.read(2000 * PACKET_SIZE))
    pat = packets.payload(int(packets.of(0)[0]))
    services = {int.from_bytes(pat[at : at + 2]) for at in range(9, 9 + 6 * 4, 4)}
    assert services == {101, 102, 103, 104, 105, 106}
    pmt_pids = {0x100, 0x200, 0x300, 0x400, 0x500, 0x600}
    assert packets.pids() & pmt_pids == {0x100}
    assert 0x108 not in packets.pids(), "teletext is in the PMT and never sent"


SILENT = "1:0:19:65:1:1:C0000A:0:0:0:"
TELETEXT = 0x108


@pytest.mark.parametrize(
    ("reference", "never_sent"),
    [
        (ONE, {TELETEXT}),
        (TWO, set()),
        (THREE, set()),
        (SILENT, {TELETEXT, 0x109, 0x10A}),
    ],
)
async def test_only_one_channel_announces_streams_that_are_never_sent(
    receiver: SimulatedReceiver, reference: str, never_sent: set[int]
) -> None:
    async with watching(receiver.stream_port, reference) as viewer:
        await viewer.read(len(HEADER))
        packets = Packets(await viewer.read(8000 * PACKET_SIZE))
    announced = {stream.pid for pmt in pmts(packets) for stream in pmt.streams}
    assert announced - packets.pids() == never_sent
    name = next(str(s.name) for s in receiver.services if str(s.reference) == reference)
    assert ("never comes" in name) is (0x10A in never_sent)


async def test_guide_and_time_of_day_are_in_the_stream(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, ONE) as viewer:
        await viewer.read(len(HEADER))
        packets = Packets(await viewer.read(6000 * PACKET_SIZE))
    assert packets.payload(int(packets.of(0x14)[0]))[1] == 0x70
    assert packets.payload(int(packets.of(0x12)[0]))[1] == 0x4E


@pytest.mark.parametrize(
    "target",
    [
        "1:0:19:FFFF:1:1:C00000:0:0:0:",
        "nonsense",
        f"{ONE}:What now?",
        f"{ONE}?bitrate=1000000",
        "1:64:0:0:0:0:0:0:0:0::Marker",
    ],
)
async def test_an_unplayable_service_is_answered_with_200_and_400_in_the_body(
    receiver: SimulatedReceiver, target: str
) -> None:
    async with watching(receiver.stream_port, target.replace(" ", "%20")) as viewer:
        assert await viewer.rest() == HEADER + REFUSAL


@pytest.mark.parametrize("target", [ONE.rstrip(":"), f"{ONE}:Card One HD", f"{ONE}?duration=5"])
async def test_a_service_is_known_by_its_first_ten_fields(
    receiver: SimulatedReceiver, target: str
) -> None:
    async with watching(receiver.stream_port, target.replace(" ", "%20")) as viewer:
        assert await viewer.read(len(HEADER) + 1) == HEADER + b"G"


@pytest.mark.parametrize("method", [b"HEAD", b"POST", b"OPTIONS"])
async def test_any_method_but_get_is_refused_at_once(
    receiver: SimulatedReceiver, method: bytes
) -> None:
    request = method + b" /" + ONE.encode() + b" HTTP/1.1\r\n\r\n"
    async with connected(receiver.stream_port, request) as viewer:
        assert await viewer.rest() == REFUSAL


async def test_a_service_without_lock_ends_without_a_byte(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, fault(receiver, "No lock")) as viewer:
        assert await viewer.rest() == HEADER


async def test_a_service_without_psi_leaves_the_socket_open_and_silent(
    receiver: SimulatedReceiver,
) -> None:
    async with watching(receiver.stream_port, fault(receiver, "No PAT")) as viewer:
        assert await viewer.read(len(HEADER)) == HEADER
        await until(lambda: len(receiver.active_streams) == 1)
        viewer.writer.write_eof()
        assert await viewer.rest() == b"", "nothing was sent until the viewer left"


async def test_the_first_packet_comes_late_and_the_header_at_once() -> None:
    clock = VirtualClock()
    async with SimulatedReceiver(clock=clock) as receiver:
        async with watching(receiver.stream_port, fault(receiver, "Late first byte")) as viewer:
            began = clock.now()
            await viewer.read(len(HEADER) + 1)
        assert clock.now() - began >= 4


async def test_the_pace_is_that_of_the_clock_in_the_stream() -> None:
    clock = VirtualClock()
    async with SimulatedReceiver(clock=clock) as receiver:
        receiver.set_conditions(RADIO, Conditions(first_byte_s=0, end_after_s=30))
        began = clock.now()
        async with watching(receiver.stream_port, RADIO) as viewer:
            data = (await viewer.rest())[len(HEADER) :]
        elapsed_s = clock.now() - began
    pcrs = [int(pcr) for pcr in Packets(data).pcr_27m if pcr >= 0]
    assert (pcrs[-1] - pcrs[0]) / PCR_HZ == pytest.approx(elapsed_s, abs=0.3)


async def test_two_viewers_see_the_same_place_of_the_broadcast() -> None:
    clock = VirtualClock()
    async with SimulatedReceiver(clock=clock) as receiver:
        receiver.set_conditions(RADIO, Conditions(first_byte_s=0, end_after_s=1))
        first_pcrs = []
        for _ in range(2):
            async with watching(receiver.stream_port, RADIO) as viewer:
                data = (await viewer.rest())[len(HEADER) :]
            first_pcrs.append(next(int(pcr) for pcr in Packets(data).pcr_27m if pcr >= 0))
            clock.advance(100 - clock.now() % 100)
        assert (first_pcrs[1] - first_pcrs[0]) / PCR_HZ == pytest.approx(100, abs=0.1)


async def test_a_slow_viewer_loses_bursts_and_is_cut_in_mid_packet() -> None:
    clock = VirtualClock()
    async with SimulatedReceiver(clock=clock) as receiver:
        request = f"GET /{ONE} HTTP/1.1\r\n\r\n".encode()
        async with connected(receiver.stream_port, request, receive_buffer=65536) as slow:
            await slow.read(len(HEADER))
            # At 2 Mbit/s more than the box's buffers and those of the sockets hold.
            started = clock.now()
            await until(lambda: clock.now() - started > 40)
            packets = Packets(await slow.read(8_000_000))
    assert packets.sync_losses > 0
    assert continuity_errors(packets, 0x101) > 0


@pytest.mark.parametrize("elapsed_s", [10])
async def test_a_recording_timer_ends_the_stream(
    receiver: SimulatedReceiver, elapsed_s: float
) -> None:
    receiver.set_conditions(RADIO, Conditions(end_after_s=elapsed_s))
    async with watching(receiver.stream_port, RADIO) as viewer:
        data = (await viewer.rest())[len(HEADER) :]
    pcrs = [int(pcr) for pcr in Packets(data).pcr_27m if pcr >= 0]
    assert (pcrs[-1] - pcrs[0]) / PCR_HZ == pytest.approx(elapsed_s, abs=0.2)


async def test_a_connection_can_be_reset_in_mid_stream(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, fault(receiver, "Reset")) as viewer:
        with pytest.raises(ConnectionResetError):
            await viewer.rest()


async def test_a_stalled_stream_stays_open(receiver: SimulatedReceiver) -> None:
    receiver.set_conditions(RADIO, Conditions(stall_after_s=2))
    async with watching(receiver.stream_port, RADIO) as viewer:
        await viewer.read(len(HEADER) + 2 * PACKET_SIZE)
        viewer.writer.write_eof()
        await viewer.rest()
        assert receiver.active_streams == []


async def test_cut_bursts_are_gaps_in_mid_packet(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, fault(receiver, "Gaps")) as viewer:
        await viewer.read(len(HEADER))
        report = check(await viewer.read(15_000 * PACKET_SIZE))
    assert report.count("sync") >= 2
    assert report.count("cc") >= 2


async def test_the_clock_of_a_service_can_be_about_to_wrap(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, fault(receiver, "Clock wraps")) as viewer:
        await viewer.read(len(HEADER))
        data = await viewer.read(23_000 * PACKET_SIZE)
    pcrs = [int(pcr) for pcr in Packets(data).pcr_27m if pcr >= 0]
    assert (PCR_MODULUS - pcrs[0]) / PCR_HZ == pytest.approx(15, abs=0.1)
    assert min(pcrs) < PCR_HZ
    assert check(data).kinds() == {"absent"}


async def test_scrambled_packets_flow_without_an_error(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, "1:0:19:68:1:1:C00000:0:0:0:") as viewer:
        await viewer.read(len(HEADER))
        packets = Packets(await viewer.read(3000 * PACKET_SIZE))
    with_payload = packets.has_payload & (packets.pid >= 0x401)
    assert {2, 3} == set(packets.scrambling[with_payload].tolist())
    assert not packets.scrambling[packets.of(0x400)].any(), "the PMT is clear"


async def test_without_a_free_tuner_the_body_is_a_refusal_until_one_is_released() -> None:
    clock = VirtualClock()
    async with SimulatedReceiver(clock=clock, speed=None, tuners=1) as receiver:
        async with (
            watching(receiver.stream_port, ONE) as first,
            watching(receiver.stream_port, RADIO) as same_transponder,
        ):
            await first.read(len(HEADER) + 1)
            assert await same_transponder.read(len(HEADER) + 1) == HEADER + b"G"
            async with watching(receiver.stream_port, THREE) as other:
                assert await other.rest() == HEADER + REFUSAL
        await until(lambda: not receiver.active_streams)
        async with watching(receiver.stream_port, THREE) as too_soon:
            assert await too_soon.rest() == HEADER + REFUSAL
        clock.advance(RELEASE_S)
        async with watching(receiver.stream_port, THREE) as later:
            assert await later.read(len(HEADER) + 1) == HEADER + b"G"


async def test_a_viewer_who_leaves_frees_the_stream(receiver: SimulatedReceiver) -> None:
    async with watching(receiver.stream_port, fault(receiver, "No PAT")) as viewer:
        await viewer.read(len(HEADER))
        await until(lambda: len(receiver.active_streams) == 1)
    await until(lambda: not receiver.active_streams)


async def test_leaving_the_receiver_ends_every_stream() -> None:
    async with AsyncExitStack() as stack:
        async with SimulatedReceiver(speed=None) as receiver:
            viewers = [
                await stack.enter_async_context(watching(receiver.stream_port, reference))
                for reference in (fault(receiver, "No PAT"), ONE, RADIO)
            ]
            for viewer in viewers:
                await viewer.read(len(HEADER))
        for viewer in viewers:
            with suppress(ConnectionResetError):
                await viewer.rest()


CREDENTIALS = Credentials("root", "geheim")
TOKEN = b64encode(b"root:geheim")


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        (b"Authorization: Basic " + TOKEN + b"\r\n", True),
        (b"X-Pad: " + b"x" * 350 + b"\r\nAuthorization: Basic " + TOKEN + b"\r\n", True),
        (b"X-Pad: " + b"x" * 430 + b"\r\nAuthorization: Basic " + TOKEN + b"\r\n", False),
        (b"authorization: Basic " + TOKEN + b"\r\n", False),
        (b"Authorization: basic " + TOKEN + b"\r\n", False),
        (b"Authorization: Basic " + b64encode(b"root:falsch") + b"\r\n", False),
        (b"", False),
    ],
    ids=["first", "within-512", "beyond-512", "name-case", "scheme-case", "wrong", "none"],
)
async def test_credentials_must_come_unasked_exactly_cased_and_early(
    headers: bytes, accepted: bool
) -> None:
    async with (
        SimulatedReceiver(speed=None, stream_credentials=CREDENTIALS) as receiver,
        watching(receiver.stream_port, ONE, headers) as viewer,
    ):
        status = await viewer.read(12)
        assert status == (b"HTTP/1.0 200" if accepted else b"HTTP/1.0 401")
        if not accepted:
            assert b'realm="streamserver"' in await viewer.rest()


async def test_conditions_apply_to_later_viewers(
    receiver: SimulatedReceiver,
) -> None:
    async with watching(receiver.stream_port, ONE) as before:
        await before.read(len(HEADER) + 1)
        receiver.set_conditions("Card One HD", Conditions(answer=Answer.REFUSE))
        async with watching(receiver.stream_port, ONE) as after:
            assert await after.rest() == HEADER + REFUSAL
        await before.read(1000 * PACKET_SIZE)


def fault(receiver: SimulatedReceiver, beginning: str) -> str:
    (found,) = [s for s in receiver.services if s.name.startswith(beginning)]
    return str(found.reference)

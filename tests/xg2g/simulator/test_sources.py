"""Any transport stream as a service: what is found in it, and what is refused."""

from contextlib import AsyncExitStack
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.transport import Packets
from tests.oracle.ts_checker import check
from tests.xg2g.simulator.viewer import HEADER, watching
from tests.xg2g.simulator.virtual_clock import VirtualClock
from xg2g.simulator import RecordingError, SimulatedReceiver
from xg2g.simulator.loop import Loop
from xg2g.simulator.recording import load_recording, parse_recording, select_program
from xg2g.simulator.stream_server import REFUSAL
from xg2g.simulator.transport import PACKET_SIZE, section_packets, with_crc

RADIO = resources.files("xg2g.simulator").joinpath("clips/four-radio.ts").read_bytes()
SCRAMBLED = resources.files("xg2g.simulator").joinpath("clips/five-scrambled.ts").read_bytes()


def written(folder: Path, data: bytes) -> Path:
    path = folder / "capture.ts"
    path.write_bytes(data)
    return path


def test_a_file_is_found_its_service_and_transponder(tmp_path: Path) -> None:
    recording = load_recording(written(tmp_path, RADIO))
    assert recording.packets == RADIO
    assert recording.transport_stream_id == 1
    (program,) = recording.programs
    assert (program.service_id, program.pcr_pid) == (103, 0x301)
    assert program.pids == {0x300, 0x301}


def test_packets_of_204_bytes_lose_their_parity(tmp_path: Path) -> None:
    parity = b"".join(
        RADIO[at : at + PACKET_SIZE] + bytes(range(16)) for at in range(0, len(RADIO), PACKET_SIZE)
    )
    assert load_recording(written(tmp_path, parity)).packets == RADIO


@pytest.mark.parametrize("garbage", [b"\x47", b"\x47" * 7, b"junk" * 50, bytes(188)])
def test_garbage_before_and_between_packets_is_dropped(tmp_path: Path, garbage: bytes) -> None:
    middle = 100 * PACKET_SIZE
    data = garbage + RADIO[:middle] + garbage + RADIO[middle:]
    kept = load_recording(written(tmp_path, data)).packets
    assert len(kept) % PACKET_SIZE == 0
    assert kept.endswith(RADIO[middle:])
    assert abs(len(kept) - len(RADIO)) <= PACKET_SIZE


def test_several_programs_give_several_services_of_their_own_packets(tmp_path: Path) -> None:
    pat = with_crc(bytes.fromhex("00b011 0001 c10000 0067e300 0068e400".replace(" ", "")))
    both = RADIO[:188] * 0 + b"".join(bytes(p) for p in section_packets(0, pat))
    both += RADIO + SCRAMBLED
    recording = parse_recording(both)
    assert [program.service_id for program in recording.programs] == [103, 104]
    radio, scrambled = recording.programs
    assert Packets(select_program(recording, radio)).pids() == {0, 0x300, 0x301}
    assert Packets(select_program(recording, scrambled)).pids() == {0, 0x400, 0x401, 0x402}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [(b"", "is not an MPEG transport stream"), (b"RIFF" * 1000, "is not an MPEG transport stream")],
    ids=["empty", "other"],
)
def test_a_file_that_is_not_a_transport_stream_is_refused_in_one_line(
    tmp_path: Path, data: bytes, complaint: str
) -> None:
    with pytest.raises(RecordingError, match=complaint) as caught:
        SimulatedReceiver(sources=[written(tmp_path, data)])
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        SimulatedReceiver(sources=[tmp_path / "missing.ts"])
    with pytest.raises(RecordingError, match="Is a directory"):
        SimulatedReceiver(sources=[tmp_path])


@settings(max_examples=60, deadline=None)
@given(
    packets=st.lists(st.binary(min_size=187, max_size=187), min_size=1, max_size=20),
    flips=st.lists(st.tuples(st.integers(0, 300 * PACKET_SIZE - 1), st.integers(0, 255))),
)
def test_any_packets_can_be_looped(packets: list[bytes], flips: list[tuple[int, int]]) -> None:
    data = bytearray(RADIO[: 300 * PACKET_SIZE])
    for at, value in flips:
        data[at] = value
    data += b"".join(b"\x47" + packet for packet in packets)
    recording = parse_recording(bytes(data))
    for program in recording.programs:
        selected = select_program(recording, program)
        loop = Loop(selected, program.pcr_pid)
        assert len(loop.read(5, 2 * len(selected) // PACKET_SIZE)) % PACKET_SIZE == 0
    loop = Loop(bytes(data), 0x301)
    assert len(data) * 8 / loop.duration_s < 410e6, "a damaged clock does not send it in no time"
    assert len(loop.read(0, loop.packet_at(3 * loop.duration_s))) == 3 * len(data)


@pytest.mark.anyio
async def test_sources_are_services_of_their_own_even_with_equal_ids(tmp_path: Path) -> None:
    path = written(tmp_path, RADIO)
    async with SimulatedReceiver(speed=None, sources=[path, path]) as receiver:
        first, second = [s for s in receiver.services if s.name == "capture"]
        assert str(first.reference) == "1:0:1:67:1:1:FFFF0000:0:0:0:"
        assert first.reference != second.reference
        async with watching(receiver.stream_port, second.reference) as viewer:
            await viewer.read(len(HEADER))
            # Three rounds of the file, without a guide of the simulator's own.
            data = await viewer.read(3 * len(RADIO))
    assert check(data).kinds() == {"absent"}
    assert Packets(data).pids() == {0, 0x300, 0x301}


@pytest.mark.anyio
async def test_a_stream_without_tables_is_served_whole(tmp_path: Path) -> None:
    audio = b"".join(
        RADIO[at : at + PACKET_SIZE]
        for at in range(0, len(RADIO), PACKET_SIZE)
        if RADIO[at + 1] & 0x1F == 3 and RADIO[at + 2] == 1
    )
    async with SimulatedReceiver(speed=None, sources=[written(tmp_path, audio)]) as receiver:
        service = receiver.service("capture")
        async with watching(receiver.stream_port, service.reference) as viewer:
            await viewer.read(len(HEADER))
            data = await viewer.read(2 * len(audio))
    packets = Packets(data)
    assert packets.pids() == {0x301}
    assert check(data).count("cc") == 0


@pytest.mark.anyio
async def test_a_source_is_offered_as_several_services_on_transponders_of_their_own(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, RADIO)
    async with SimulatedReceiver(
        sources=[path], copies=3, tuners=2, clock=VirtualClock()
    ) as receiver:
        found = [service for service in receiver.services if service.name.startswith("capture")]
        assert [service.name for service in found] == ["capture 1", "capture 2", "capture 3"]
        heads = []
        async with AsyncExitStack() as viewers:
            for service in found:
                watch = watching(receiver.stream_port, service.reference)
                viewer = await viewers.enter_async_context(watch)
                heads.append((await viewer.read(len(HEADER) + 5))[len(HEADER) :])
    assert [head[:1] for head in heads[:2]] == [b"G", b"G"]
    assert heads[2] == REFUSAL[:5], "two tuners are not enough for three transponders"

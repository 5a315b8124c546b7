"""Multiplexes elementary streams as a broadcaster does, into a loop without a joint.

Times are counted from the start of the loop; what would be sent after its end is sent at its
beginning, one period earlier, so that the end of the file continues with its own beginning. An
audio access unit is complete AUDIO_LEAD_S before its PTS by the PCR, and a picture at least
VIDEO_LEAD_S before its DTS: that is what broadcast captures show, and what ffmpeg's muxer does not
do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from xg2g.simulator.transport import (
    NULL_PID,
    PACKET_SIZE,
    PAT_PID,
    PAYLOAD_SIZE,
    PCR_HZ,
    SYNC_BYTE,
    encode_pcr,
    encode_stamp,
    section_packets,
    with_crc,
)

PCR_INTERVAL_S = 0.040
PSI_INTERVAL_S = 0.100
AUDIO_LEAD_S = 0.040
VIDEO_LEAD_S = 0.4
VIDEO_LEAD_MAX_S = 1.2
VIDEO_RATES = (1.25, 2.0, 3.0, 4.0)
"""As parts of the mean rate: key frames that are seldom are large beside it."""

# Below what drains a transport buffer of DVB subtitles (ETSI EN 300 743, clause 5.2.1), 192 kbit/s.
SUBTITLE_BPS = 160_000

# Content time 0 is presented this long after the PCR of the loop's first packet.
PRESENTATION_DELAY_S = 1.5
# Keeps every stamp of the file positive, the pieces moved to its beginning included.
FIRST_PCR_27M = 10 * PCR_HZ


@dataclass(frozen=True)
class AccessUnit:
    """A coded frame or picture; stamps in 90 kHz units of content time."""

    data: bytes
    pts_90k: int
    dts_90k: int


@dataclass(frozen=True)
class ElementaryStream:
    """One entry of the PMT; without access units it is declared there and never sent."""

    pid: int
    stream_type: int
    descriptors: bytes = b""
    stream_id: int = 0xBD
    units: list[AccessUnit] = field(default_factory=list)
    units_per_pes: int = 1
    lead_s: float | None = None
    """Of subtitles: how long before its PTS each unit is whole. They are sent at SUBTITLE_BPS."""
    header_stuffing: int = 0
    """Bytes of stuffing in each PES header."""

    @property
    def is_video(self) -> bool:
        """Return whether the PES stream id is one of video."""
        return self.stream_id & 0xF0 == 0xE0


@dataclass(frozen=True)
class Program:
    """A service of the transponder, of which this clip is the recording."""

    service_id: int
    pmt_pid: int
    pcr_pid: int
    descriptors: bytes
    streams: list[ElementaryStream]


@dataclass(frozen=True)
class _Timed:
    """A packet, when it is sent, and the stamps that it is to carry."""

    at_s: float
    packet: bytearray
    pts_90k: int | None = None
    dts_90k: int | None = None
    has_pcr: bool = False


def multiplex(
    programs: list[Program], transport_stream_id: int, services: dict[int, int], period_s: float
) -> bytes:
    """The loop as packets. `services` maps each service id of the transponder to its PMT PID.

    Several programs are one service whose PMT changes: each holds for an equal part of the loop,
    and its streams must have access units for that part only, unless all programs share them.
    """
    program = programs[0]
    timed: list[_Timed] = []
    for stream in {s.pid: s for p in programs for s in p.streams}.values():
        if stream.units:
            clocked = stream.pid == program.pcr_pid
            packets: Iterable[_Timed]
            if stream.is_video:
                packets = _video(stream, period_s)
            elif stream.lead_s is not None:
                packets = _subtitles(stream, stream.lead_s)
            else:
                packets = _audio(stream, clocked)
            timed.extend(_wrapped(packets, period_s))
            if clocked and stream.is_video:
                timed.extend(_clock(stream.pid, period_s))
    pat = _pat(transport_stream_id, services)
    timed.extend(_repeated([section_packets(PAT_PID, pat)], period_s, 0.001))
    pmts = [section_packets(p.pmt_pid, _pmt(p, version)) for version, p in enumerate(programs)]
    timed.extend(_repeated(pmts, period_s, 0.002))
    timed.sort(key=lambda t: t.at_s)
    return _finished(timed)


def _wrapped(packets: Iterable[_Timed], period_s: float) -> Iterator[_Timed]:
    for timed in packets:
        loops = int(timed.at_s // period_s)
        shift_90k = round(loops * period_s * 90_000)
        yield replace(
            timed,
            at_s=timed.at_s - loops * period_s,
            pts_90k=None if timed.pts_90k is None else timed.pts_90k - shift_90k,
            dts_90k=None if timed.dts_90k is None else timed.dts_90k - shift_90k,
        )


def _audio(stream: ElementaryStream, clocked: bool) -> Iterator[_Timed]:
    """Each PES packet is spread over its own duration, so that no frame waits for the next one."""
    frame_90k = stream.units[1].pts_90k - stream.units[0].pts_90k
    for first in range(0, len(stream.units), stream.units_per_pes):
        units = stream.units[first : first + stream.units_per_pes]
        pes = _pes(stream, b"".join(unit.data for unit in units), with_dts=False)
        packets = _packetised(stream.pid, pes, room_for_pcr=clocked)
        start_s = PRESENTATION_DELAY_S + (units[0].pts_90k - frame_90k) / 90_000 - AUDIO_LEAD_S
        step_s = len(units) * frame_90k / 90_000 / len(packets)
        for i, packet in enumerate(packets):
            at_s = start_s + i * step_s
            if i == 0:
                yield _Timed(at_s, packet, units[0].pts_90k, has_pcr=clocked)
            else:
                yield _Timed(at_s, packet)


def _subtitles(stream: ElementaryStream, lead_s: float) -> Iterator[_Timed]:
    """A PES packet a unit. One that finds the way taken is sent behind, and is still early."""
    free_s = -PRESENTATION_DELAY_S
    step_s = PACKET_SIZE * 8 / SUBTITLE_BPS
    for unit in stream.units:
        packets = _packetised(stream.pid, _pes(stream, unit.data, with_dts=False), False)
        shown_s = PRESENTATION_DELAY_S + unit.pts_90k / 90_000
        free_s = max(free_s, shown_s - lead_s - len(packets) * step_s)
        if free_s + len(packets) * step_s >= shown_s:
            raise ValueError(f"the subtitle shown at {unit.pts_90k} is too large to be early")
        for i, packet in enumerate(packets):
            yield _Timed(free_s, packet, unit.pts_90k if i == 0 else None)
            free_s += step_s


def _video(stream: ElementaryStream, period_s: float) -> list[_Timed]:
    """The slowest constant rate of VIDEO_RATES at which each picture is early."""
    pictures = []
    for unit in stream.units:
        with_dts = unit.dts_90k != unit.pts_90k
        pictures.append((unit, _packetised(stream.pid, _pes(stream, unit.data, with_dts), False)))
    count = sum(len(packets) for _, packets in pictures)
    for rate in VIDEO_RATES:
        timed = _early(pictures, period_s, period_s / count / rate)
        if timed:
            return timed
    raise ValueError("the pictures of one group are too large beside those of the others")


def _early(
    pictures: list[tuple[AccessUnit, list[bytearray]]], period_s: float, step_s: float
) -> list[_Timed] | None:
    """As far ahead of the DTS as VIDEO_LEAD_MAX_S; None if a picture is late at this rate."""
    free_s = 0.0
    steady: list[_Timed] = []
    # The second round starts from the state that the loop's end leaves.
    for loop in range(2):
        steady.clear()
        for unit, packets in pictures:
            decoded_s = PRESENTATION_DELAY_S + unit.dts_90k / 90_000 + loop * period_s
            free_s = max(free_s, decoded_s - VIDEO_LEAD_MAX_S)
            for i, packet in enumerate(packets):
                at_s = free_s - loop * period_s
                if i == 0:
                    dts_90k = unit.dts_90k if unit.dts_90k != unit.pts_90k else None
                    steady.append(_Timed(at_s, packet, unit.pts_90k, dts_90k))
                else:
                    steady.append(_Timed(at_s, packet))
                free_s += step_s
            if free_s > decoded_s - VIDEO_LEAD_S:
                return None
    return steady


def _clock(pid: int, period_s: float) -> Iterator[_Timed]:
    for i in range(round(period_s / PCR_INTERVAL_S)):
        packet = bytearray(b"\xff" * PACKET_SIZE)
        packet[:6] = bytes((SYNC_BYTE,)) + pid.to_bytes(2, "big") + b"\x20\xb7\x00"
        yield _Timed(i * PCR_INTERVAL_S, packet, has_pcr=True)


def _repeated(
    variants: list[list[bytearray]], period_s: float, offset_s: float
) -> Iterator[_Timed]:
    """A table each PSI_INTERVAL_S; a variant comes shortly before what it announces is sent."""
    for i in range(round(period_s / PSI_INTERVAL_S)):
        at_s = i * PSI_INTERVAL_S
        content_s = (at_s + PSI_INTERVAL_S - PRESENTATION_DELAY_S) % period_s
        turn = int(content_s / period_s * len(variants) + 1e-9) % len(variants)
        for j, packet in enumerate(variants[turn]):
            yield _Timed(at_s + offset_s + j * 1e-5, bytearray(packet))


def _finished(timed: list[_Timed]) -> bytes:
    """Write time stamps, and continuity counters in sending order."""
    counters: dict[int, int] = {}
    presentation_90k = round((FIRST_PCR_27M / PCR_HZ + PRESENTATION_DELAY_S) * 90_000)
    out = bytearray()
    for item in timed:
        packet = item.packet
        if item.has_pcr:
            packet[5] |= 0x10
            packet[6:12] = encode_pcr(FIRST_PCR_27M + round(item.at_s * PCR_HZ))
        if item.pts_90k is not None:
            pes = 4 if not packet[3] & 0x20 else 5 + packet[4]
            prefix = 2 if item.dts_90k is None else 3
            packet[pes + 9 : pes + 14] = encode_stamp(prefix, item.pts_90k + presentation_90k)
            if item.dts_90k is not None:
                packet[pes + 14 : pes + 19] = encode_stamp(1, item.dts_90k + presentation_90k)
        pid = _pid(packet)
        counter = counters.get(pid, -1)
        counter = (counter + (1 if packet[3] & 0x10 else 0)) & 0x0F
        counters[pid] = counter
        packet[3] |= counter
        out += packet
    return bytes(out)


def _pid(packet: bytearray) -> int:
    return int.from_bytes(packet[1:3], "big") & NULL_PID


def _pes(stream: ElementaryStream, payload: bytes, with_dts: bool) -> bytes:
    """A PES packet with room for its stamps; video has no length (13818-1, clause 2.4.3.7)."""
    fields = b"\0" * (10 if with_dts else 5) + b"\xff" * stream.header_stuffing
    body = bytes((0x84, 0xC0 if with_dts else 0x80, len(fields))) + fields + payload
    length = 0 if stream.stream_id & 0xF0 == 0xE0 else len(body)
    return b"\0\0\1" + bytes((stream.stream_id,)) + length.to_bytes(2, "big") + body


def _packetised(pid: int, pes: bytes, room_for_pcr: bool) -> list[bytearray]:
    """Packets with counter 0; stuffing stands in the last one's adaptation field."""
    packets: list[bytearray] = []
    while pes:
        adaptation = b""
        if room_for_pcr and not packets:
            adaptation = b"\x07\x00" + b"\xff" * 6
        room = PAYLOAD_SIZE - len(adaptation)
        if len(pes) < room:
            missing = room - len(pes)
            length = len(adaptation) + missing - 1
            adaptation = bytes((length,)) + (b"\0" if length else b"") + b"\xff" * (length - 1)
        take = PAYLOAD_SIZE - len(adaptation)
        flags = (0x4000 if not packets else 0) | pid
        control = b"\x30" if adaptation else b"\x10"
        header = bytes((SYNC_BYTE,)) + flags.to_bytes(2, "big") + control
        packets.append(bytearray(header + adaptation + pes[:take]))
        pes = pes[take:]
    return packets


def _pat(transport_stream_id: int, services: dict[int, int]) -> bytes:
    body = b"".join(
        sid.to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big") for sid, pid in services.items()
    )
    return _section(0x00, transport_stream_id, 0, body)


def _pmt(program: Program, version: int) -> bytes:
    body = (0xE000 | program.pcr_pid).to_bytes(2, "big") + _loop(program.descriptors)
    for stream in program.streams:
        body += bytes((stream.stream_type,)) + (0xE000 | stream.pid).to_bytes(2, "big")
        body += _loop(stream.descriptors)
    return _section(0x02, program.service_id, version, body)


def _loop(descriptors: bytes) -> bytes:
    return (0xF000 | len(descriptors)).to_bytes(2, "big") + descriptors


def _section(table_id: int, extension: int, version: int, body: bytes) -> bytes:
    length = 5 + len(body) + 4
    head = bytes((table_id,)) + (0xB000 | length).to_bytes(2, "big") + extension.to_bytes(2, "big")
    return with_crc(head + bytes((0xC1 | version << 1, 0, 0)) + body)

"""Makes transport streams for tests: constant bit rate, exact clocks, and every
liberty that a fault needs. Content comes from FFmpeg's encoders."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from io import BytesIO

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from tests.oracle.access_unit import split
from tests.oracle.transport import NULL_PID, PACKET_BYTES, PCR_MODULUS, PTS_MODULUS, crc32

Samples = NDArray[np.float32]
_SLOTS_APART = 3
"""A PID's packets keep this distance, so that its transport buffer can drain."""


def sound(seconds: float, channels: int = 2, rate_hz: int = 48_000, seed: int = 1) -> Samples:
    """Noise with the spectrum of speech and music, different in each channel and never
    repeating, so that it correlates with itself at one place alone."""
    count = round(seconds * rate_hz)
    noise = np.random.default_rng(seed).standard_normal((channels, count))
    spectrum = np.fft.rfft(noise)
    frequency = np.fft.rfftfreq(count, 1 / rate_hz)
    spectrum *= 1 / np.maximum(frequency, 100)
    spectrum[:, frequency > 8000] = 0
    shaped = np.fft.irfft(spectrum, count)
    return np.asarray(shaped * 0.1 / shaped.std(), np.float32)


@dataclass(frozen=True)
class Coded:
    """An access unit and when it is heard, in seconds from the start of its samples."""

    at_s: float
    data: bytes


_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_SAMPLE_FORMATS = {"mp2": "s16", "ac3": "fltp", "eac3": "fltp", "aac": "fltp"}


def encode(
    codec: str, samples: Samples, rate_hz: int = 48_000, bitrate: int = 0, layout: str = ""
) -> list[Coded]:
    """Encodes with mp2, ac3, eac3, aac (ADTS) or aac_latm (LOAS). `layout` is FFmpeg's name of
    the channels, where their number does not say it."""
    layout = layout or _LAYOUTS[samples.shape[0]]
    if codec == "aac_latm":
        return _encode_loas(samples, rate_hz, bitrate)
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, AudioCodecContext)
    context.layout = av.AudioLayout(layout)
    context.rate = rate_hz
    context.format = av.AudioFormat(_SAMPLE_FORMATS[codec])
    context.bit_rate = bitrate or {"mp2": 256_000, "ac3": 448_000}.get(codec, 192_000)
    context.open()
    coded = []
    for frame in _frames(samples, rate_hz, context.format.name, context.frame_size, layout):
        coded += [(packet.pts, bytes(packet)) for packet in context.encode(frame)]
    coded += [(packet.pts, bytes(packet)) for packet in context.encode(None)]
    header = _adts_header if codec == "aac" else _no_header
    channels = samples.shape[0]
    return [
        Coded((pts or 0) / rate_hz, header(len(data), rate_hz, channels) + data)
        for pts, data in coded
    ]


def _frames(
    samples: Samples, rate_hz: int, name: str, size: int, layout: str
) -> list[av.AudioFrame]:
    frames = []
    for start in range(0, samples.shape[1], size):
        part = samples[:, start : start + size]
        block: Samples | NDArray[np.int16] = np.ascontiguousarray(part)
        if name == "s16":
            block = np.asarray(np.clip(part, -1, 1) * 32767, np.int16).T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, name, layout)
        frame.sample_rate = rate_hz
        frame.pts = start
        frames.append(frame)
    return frames


def _no_header(_size: int, _rate_hz: int, _channels: int) -> bytes:
    return b""


def _adts_header(size: int, rate_hz: int, channels: int) -> bytes:
    index = {48000: 3, 44100: 4, 32000: 5}[rate_hz]
    total = size + 7
    return bytes(
        [
            0xFF,
            0xF1,
            1 << 6 | index << 2 | channels >> 2,
            (channels & 3) << 6 | total >> 11,
            total >> 3 & 0xFF,
            (total & 7) << 5 | 0x1F,
            0xFC,
        ]
    )


def _encode_loas(samples: Samples, rate_hz: int, bitrate: int) -> list[Coded]:
    target = BytesIO()
    with av.open(target, "w", format="latm") as container:
        stream = container.add_stream("aac", rate=rate_hz, layout=_LAYOUTS[samples.shape[0]])
        stream.bit_rate = bitrate or 128_000
        for frame in _frames(samples, rate_hz, "fltp", 1024, _LAYOUTS[samples.shape[0]]):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = target.getvalue()
    units = split("aac_latm", data)
    return [
        Coded((number - 1) * 1024 / rate_hz, data[start:end])
        for number, (start, end, _) in enumerate(units)
    ]


@dataclass(frozen=True)
class Entry:
    """A stream of a PMT."""

    stream_type: int
    pid: int
    descriptors: bytes = b""


@dataclass(frozen=True)
class Program:
    """A program as its PMT shall say."""

    number: int
    pmt_pid: int
    pcr_pid: int
    streams: tuple[Entry, ...]
    version: int = 0
    descriptors: bytes = b""


def language(code: str, audio_type: int = 0) -> bytes:
    """ISO_639_language_descriptor."""
    return b"\x0a\x04" + code.encode() + bytes([audio_type])


def languages(*codes: str) -> bytes:
    """ISO_639_language_descriptor of a track with a programme in either channel."""
    return bytes([0x0A, 4 * len(codes)]) + b"".join(code.encode() + b"\0" for code in codes)


def dual_mono(units: list[Coded]) -> list[Coded]:
    """MP2 stereo as two programmes: mode 2 (ISO/IEC 11172-3, 2.4.2.3) codes either channel as
    mode 0 does."""
    return [
        Coded(unit.at_s, unit.data[:3] + bytes([unit.data[3] & 0x3F | 0x80]) + unit.data[4:])
        for unit in units
    ]


def tones(seconds: float, frequencies_hz: tuple[float, ...], amplitude: float) -> Samples:
    """A steady tone in each channel; 0 Hz for silence."""
    at = np.arange(round(seconds * 48_000)) / 48_000
    rows = [amplitude * np.sin(2 * np.pi * hz * at) for hz in frequencies_hz]
    return np.asarray(rows, np.float32)


def section(table_id: int, extension: int, version: int, body: bytes, current: int = 1) -> bytes:
    """A long section with its CRC."""
    length = len(body) + 9
    head = bytes([table_id, 0xB0 | length >> 8, length & 0xFF, extension >> 8, extension & 0xFF])
    whole = head + bytes([0xC0 | version << 1 | current, 0, 0]) + body
    return whole + crc32(whole).to_bytes(4, "big")


def pat_section(programs: list[Program], version: int = 0) -> bytes:
    """A PAT that names the programs."""
    pairs = ((p.number << 16 | 0xE000 | p.pmt_pid).to_bytes(4, "big") for p in programs)
    return section(0, 1, version, b"".join(pairs))


def pmt_section(program: Program) -> bytes:
    """The PMT of a program."""
    info = program.descriptors
    body = (0xE000 | program.pcr_pid).to_bytes(2, "big") + (0xF000 | len(info)).to_bytes(2, "big")
    body += info
    for entry in program.streams:
        body += bytes([entry.stream_type]) + (0xE000 | entry.pid).to_bytes(2, "big")
        body += (0xF000 | len(entry.descriptors)).to_bytes(2, "big") + entry.descriptors
    return section(2, program.number, program.version, body)


def pes(data: bytes, pts_90k: int, stream_id: int = 0xC0, aligned: bool = True) -> bytes:
    """A PES packet with a PTS."""
    pts = pts_90k % PTS_MODULUS
    length = len(data) + 8
    stamp = bytes(
        [
            0x21 | pts >> 29 & 0x0E,
            pts >> 22 & 0xFF,
            pts >> 14 & 0xFE | 1,
            pts >> 7 & 0xFF,
            pts << 1 & 0xFE | 1,
        ]
    )
    head = b"\x00\x00\x01" + bytes([stream_id]) + (length if length < 65536 else 0).to_bytes(2)
    return head + bytes([0x84 if aligned else 0x80, 0x80, 5]) + stamp + data


def packetize(payload: bytes) -> list[tuple[bool, bytes]]:
    """A PES packet or section in pieces of one packet: (start, payload)."""
    room = PACKET_BYTES - 4
    pieces = [payload[at : at + room] for at in range(0, len(payload), room)]
    return [(number == 0, piece) for number, piece in enumerate(pieces)]


def pcr_field(pcr_27m: int) -> bytes:
    """The six bytes of a PCR."""
    base, extension = divmod(pcr_27m % PCR_MODULUS, 300)
    return (base << 15 | 0x7E00 | extension).to_bytes(6, "big")


@dataclass
class _Waiting:
    due_s: float
    pid: int
    pieces: deque[tuple[bool, bytes]]


@dataclass
class Multiplexer:
    """Writes packets in slots of a constant bit rate; change it between `run` calls.

    `base_27m` is the PCR at stream time 0; time stamps of what was added follow it
    when the packets leave, so that changing it makes a jump of the time base.
    """

    programs: list[Program]
    rate_bps: float = 4e6
    base_27m: int = 27_000_000 * 3600
    pat_version: int = 0
    video_pid: int = 0
    """PID of a stand-in for a picture; 0 for none."""
    now_s: float = 0.0
    packets: list[bytes] = field(default_factory=list)
    mark_discontinuity: bool = False
    """The next PCR carries discontinuity_indicator."""
    _cc: dict[int, int] = field(default_factory=dict)
    _waiting: list[_Waiting] = field(default_factory=list)
    _last_slot: dict[int, int] = field(default_factory=dict)
    _next_psi_s: float = 0.0
    _next_pcr_s: float = 0.0
    _next_picture_s: float = 0.0

    def add(
        self,
        pid: int,
        units: list[Coded],
        start_s: float = 0.0,
        lead_s: float = 0.04,
        units_per_pes: int = 1,
        stream_id: int = 0xC0,
    ) -> None:
        """Schedules access units so that each PES packet is there `lead_s` early."""
        slot_s = PACKET_BYTES * 8 / self.rate_bps
        for first in range(0, len(units), units_per_pes):
            group = units[first : first + units_per_pes]
            heard_s = start_s + group[0].at_s
            pts_90k = self.base_27m // 300 + round(heard_s * 90_000)
            pieces = packetize(pes(b"".join(u.data for u in group), pts_90k, stream_id))
            due_s = heard_s - lead_s - len(pieces) * _SLOTS_APART * slot_s
            if due_s >= 0:
                self._waiting.append(_Waiting(due_s, pid, deque(pieces)))

    def add_payload(self, pid: int, payload: bytes, due_s: float) -> None:
        """Schedules any PES packet or section (with its pointer_field)."""
        self._waiting.append(_Waiting(due_s, pid, deque(packetize(payload))))

    def run(self, seconds: float) -> None:
        """Writes the packets of the next seconds."""
        self._waiting.sort(key=lambda entry: entry.due_s)
        slot_s = PACKET_BYTES * 8 / self.rate_bps
        end_s = self.now_s + seconds
        while self.now_s < end_s - slot_s / 2:
            self._write_slot(len(self.packets))
            self.now_s += slot_s

    def output(self) -> bytes:
        """Everything written so far."""
        return b"".join(self.packets)

    def _write_slot(self, slot: int) -> None:
        if self.now_s >= self._next_psi_s:
            self._next_psi_s += 0.1
            self.add_payload(0, b"\x00" + pat_section(self.programs, self.pat_version), -1)
            for program in self.programs:
                self.add_payload(program.pmt_pid, b"\x00" + pmt_section(program), -1)
            self._waiting.sort(key=lambda entry: entry.due_s)
        if self.now_s >= self._next_pcr_s:
            self._next_pcr_s += 0.03
            self._pcr_due = list({program.pcr_pid for program in self.programs})
        if self.video_pid and self.now_s >= self._next_picture_s:
            self._next_picture_s += 0.04
            self._add_picture()
        if self._pcr_due:
            self._write_pcr(self._pcr_due.pop())
            return
        for entry in self._waiting:
            if entry.due_s > self.now_s:
                break
            if slot - self._last_slot.get(entry.pid, -_SLOTS_APART) >= _SLOTS_APART:
                self._write(entry.pid, *entry.pieces.popleft())
                self._last_slot[entry.pid] = slot
                if not entry.pieces:
                    self._waiting.remove(entry)
                return
        self.packets.append(b"\x47\x1f\xff\x10" + b"\xff" * 184)

    _pcr_due: list[int] = field(default_factory=list)

    def _add_picture(self) -> None:
        content = random.Random(len(self.packets)).randbytes(2000)
        pts_90k = self.base_27m // 300 + round((self.now_s + 0.5) * 90_000)
        payload = pes(content, pts_90k, 0xE0)
        self._waiting.append(_Waiting(self.now_s, self.video_pid, deque(packetize(payload))))

    def _write_pcr(self, pid: int) -> None:
        if pid == NULL_PID:
            return
        pcr_27m = self.base_27m + round(self.now_s * 27_000_000)
        flags = 0x90 if self.mark_discontinuity else 0x10
        self.mark_discontinuity = False
        body = bytes([183, flags]) + pcr_field(pcr_27m) + b"\xff" * 176
        cc = (self._cc.get(pid, 0) - 1) & 15
        self.packets.append(bytes([0x47, pid >> 8, pid & 0xFF, 0x20 | cc]) + body)

    def _write(self, pid: int, start: bool, payload: bytes) -> None:
        cc = self._cc.get(pid, 0)
        self._cc[pid] = (cc + 1) & 15
        room = PACKET_BYTES - 4 - len(payload)
        head = bytes([0x47, start << 6 | pid >> 8, pid & 0xFF, (0x30 if room else 0x10) | cc])
        is_table = pid == 0 or any(pid == program.pmt_pid for program in self.programs)
        if room and is_table:
            head = head[:3] + bytes([0x10 | cc])
            self.packets.append(head + payload + b"\xff" * room)
            return
        stuffing = b""
        if room:
            stuffing = bytes([room - 1]) + (b"\x00" + b"\xff" * (room - 2) if room > 1 else b"")
        self.packets.append(head + stuffing + payload)

"""Recordings: a transport stream file split into packets, and the services in it."""

from dataclasses import dataclass
from pathlib import Path

from xg2g.errors import UsageError
from xg2g.simulator.transport import (
    EIT_PID,
    NULL_PID,
    PACKET_SIZE,
    PAT_PID,
    SYNC_BYTE,
    TDT_PID,
    crc32,
    payload_start,
)

# A recording is held in memory, once, for as long as the receiver lives.
MAX_RECORDING_BYTES = 512 * 1024 * 1024

# DVB-T modulators and some capture cards add 16 bytes of Reed-Solomon parity to each packet.
_PARITY_PACKET_SIZE = 204
_SYNC_RUN = 5
_SYNC = bytes((SYNC_BYTE,))


class RecordingError(UsageError):
    """A file that cannot be served."""


@dataclass(frozen=True)
class ProgramMap:
    """The content of one service's PMTs, all versions together."""

    service_id: int
    pcr_pid: int
    pids: frozenset[int]


@dataclass(frozen=True)
class Recording:
    """Packets of 188 bytes without gaps between them, and the services that have a PMT."""

    packets: bytes
    transport_stream_id: int
    programs: tuple[ProgramMap, ...]


def load_recording(path: Path) -> Recording:
    """Read a transport stream of 188- or 204-byte packets; bytes between packets are dropped."""
    try:
        if path.stat().st_size > MAX_RECORDING_BYTES:
            limit_mib = MAX_RECORDING_BYTES >> 20
            raise RecordingError(f"{path} is larger than {limit_mib} MiB; cut a piece out of it")
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error
    packets = _aligned(data)
    if not packets:
        raise RecordingError(f"{path} is not an MPEG transport stream; choose a .ts recording")
    return parse_recording(packets)


def parse_recording(packets: bytes) -> Recording:
    """Return the services of aligned packets."""
    transport_stream_id = 0
    pmt_pids: dict[int, set[int]] = {}
    for section in _sections(packets, {PAT_PID}).get(PAT_PID, []):
        if section[0] == 0x00:
            transport_stream_id = int.from_bytes(section[3:5], "big")
            for at in range(8, len(section) - 7, 4):
                service_id = int.from_bytes(section[at : at + 2], "big")
                if service_id:
                    pmt_pids.setdefault(_pid_at(section, at + 2), set()).add(service_id)
    found: dict[int, ProgramMap] = {}
    for pmt_pid, sections in _sections(packets, set(pmt_pids)).items():
        for section in sections:
            program = _program(pmt_pid, section)
            if program and program.service_id in pmt_pids[pmt_pid]:
                earlier = found.get(program.service_id)
                pids = program.pids | (earlier.pids if earlier else frozenset())
                pcr_pid = earlier.pcr_pid if earlier else program.pcr_pid
                found[program.service_id] = ProgramMap(program.service_id, pcr_pid, pids)
    programs = tuple(found[service_id] for service_id in sorted(found))
    return Recording(packets, transport_stream_id, programs)


def select_program(recording: Recording, program: ProgramMap) -> bytes:
    """Return the packets that a receiver sends for one service, with the multiplex's PAT."""
    wanted = program.pids | {PAT_PID, EIT_PID, TDT_PID}
    packets = recording.packets
    return b"".join(
        packets[at : at + PACKET_SIZE]
        for at in range(0, len(packets), PACKET_SIZE)
        if _pid_at(packets, at + 1) in wanted
    )


def exchange_service_ids(packets: bytes, first: int, second: int) -> bytes:
    """Return the packets with two service ids exchanged in PAT and PMT.

    Every such section must begin and end in one packet, like those of the test cards.
    """
    exchanged = {first: second, second: first}
    pmt_pids: set[int] = set()
    out = bytearray(packets)
    for at in range(0, len(packets), PACKET_SIZE):
        pid = _pid_at(packets, at + 1)
        begins = packets[at + 1] & 0x40
        if not begins or (pid != PAT_PID and pid not in pmt_pids):
            continue
        start = payload_start(packets, at) + 1 + packets[payload_start(packets, at)]
        end = start + 3 + (int.from_bytes(packets[start + 1 : start + 3], "big") & 0x0FFF)
        entries = range(start + 8, end - 4, 4) if pid == PAT_PID else (start + 3,)
        for entry in entries:
            service_id = int.from_bytes(packets[entry : entry + 2], "big")
            if pid == PAT_PID and service_id:
                pmt_pids.add(_pid_at(packets, entry + 2))
            out[entry : entry + 2] = exchanged.get(service_id, service_id).to_bytes(2, "big")
        out[end - 4 : end] = crc32(bytes(out[start : end - 4])).to_bytes(4, "big")
    return bytes(out)


def without_streams(packets: bytes, pids: frozenset[int]) -> bytes:
    """Return the packets with these elementary streams removed from every PMT.

    Every such section must begin and end in one packet, like those of the test cards.
    """
    pmt_pids: set[int] = set()
    out = bytearray(packets)
    for at in range(0, len(packets), PACKET_SIZE):
        pid = _pid_at(packets, at + 1)
        if not packets[at + 1] & 0x40 or (pid != PAT_PID and pid not in pmt_pids):
            continue
        start = payload_start(packets, at) + 1 + packets[payload_start(packets, at)]
        end = start + 3 + (int.from_bytes(packets[start + 1 : start + 3], "big") & 0x0FFF)
        if pid == PAT_PID:
            pmt_pids |= {_pid_at(packets, entry + 2) for entry in range(start + 8, end - 4, 4)}
            continue
        stream = start + 12 + (int.from_bytes(packets[start + 10 : start + 12], "big") & 0x0FFF)
        section = bytearray(packets[start:stream])
        while stream + 5 <= end - 4:
            following = (
                stream + 5 + (int.from_bytes(packets[stream + 3 : stream + 5], "big") & 0x0FFF)
            )
            if _pid_at(packets, stream + 1) not in pids:
                section += packets[stream:following]
            stream = following
        flags = int.from_bytes(section[1:3], "big") & 0xF000
        section[1:3] = (flags | len(section) + 4 - 3).to_bytes(2, "big")
        section += crc32(bytes(section)).to_bytes(4, "big")
        out[start : at + PACKET_SIZE] = section.ljust(at + PACKET_SIZE - start, b"\xff")
    return bytes(out)


def _aligned(data: bytes) -> bytes:
    out = bytearray()
    at = 0
    size = 0
    while at + PACKET_SIZE <= len(data):
        if size and data[at] == SYNC_BYTE and data[at + size : at + size + 1] in (b"", _SYNC):
            out += data[at : at + PACKET_SIZE]
            at += size
            continue
        at, size = _find_sync(data, at)
        if not size:
            break
    return bytes(out)


def _find_sync(data: bytes, start: int) -> tuple[int, int]:
    """Return where packets begin again and their size; size 0 without any."""
    at = data.find(SYNC_BYTE, start)
    while at != -1:
        for size in (PACKET_SIZE, _PARITY_PACKET_SIZE):
            run = data[at : at + _SYNC_RUN * size : size]
            complete = len(run) == _SYNC_RUN or at + len(run) * size >= len(data)
            if complete and run.count(SYNC_BYTE) == len(run):
                return at, size
        at = data.find(SYNC_BYTE, at + 1)
    return len(data), 0


def _sections(packets: bytes, pids: set[int]) -> dict[int, list[bytes]]:
    """Return the sections with a valid CRC on `pids`, each content once."""
    partial: dict[int, bytearray] = {}
    found: dict[int, list[bytes]] = {}
    for at in range(0, len(packets), PACKET_SIZE):
        pid = _pid_at(packets, at + 1)
        if pid not in pids:
            continue
        payload = packets[payload_start(packets, at) : at + PACKET_SIZE]
        if not payload:
            continue
        if packets[at + 1] & 0x40:
            pointer = payload[0]
            if pid in partial:
                partial[pid] += payload[1 : 1 + pointer]
                _collect(partial[pid], found.setdefault(pid, []))
            partial[pid] = bytearray(payload[1 + pointer :])
        elif pid in partial:
            partial[pid] += payload
        else:
            continue
        _collect(partial[pid], found.setdefault(pid, []))
    return found


def _collect(partial: bytearray, found: list[bytes]) -> None:
    """Move the complete sections at the beginning of `partial` to `found`."""
    while len(partial) >= 3 and partial[0] != 0xFF:
        length = 3 + (int.from_bytes(partial[1:3], "big") & 0x0FFF)
        if len(partial) < length:
            return
        section = bytes(partial[:length])
        del partial[:length]
        if length >= 12 and crc32(section) == 0 and section not in found:
            found.append(section)


def _program(pmt_pid: int, section: bytes) -> ProgramMap | None:
    if section[0] != 0x02:
        return None
    pcr_pid = _pid_at(section, 8)
    pids = {pmt_pid, pcr_pid} - {NULL_PID}
    at = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    while at + 5 <= len(section) - 4:
        pids.add(_pid_at(section, at + 1))
        at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0x0FFF)
    return ProgramMap(int.from_bytes(section[3:5], "big"), pcr_pid, frozenset(pids))


def _pid_at(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big") & NULL_PID

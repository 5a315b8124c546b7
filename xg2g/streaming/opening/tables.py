"""The tables that say what a stream consists of: PAT and PMT (ISO/IEC 13818-1, 2.4.4)."""

import zlib
from collections.abc import Iterator

from .packet import payload_of, pid_of, starts_unit
from .picture import VIDEO_STREAM_TYPES

_PAT_PID = 0
_PAT_TABLE, _PMT_TABLE = 0x00, 0x02
_SECTION_STREAM_TYPES = frozenset({0x05, 0x0A, 0x0B, 0x0C, 0x0D, 0x14, 0x16, 0x86})
"""Private sections, DSM-CC, metadata in sections (table 2-34), cues (SCTE 35)."""
_STUFFING = b"\xff"
_SECTION_LIMIT_BYTES = 1024
"""Of a section of PAT or PMT (2.4.4)."""
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class Tables:
    """Follows PAT and PMTs, and keeps the packets that carried them last."""

    def __init__(self) -> None:
        self.video: dict[int, int] = {}
        """PID -> stream_type of the video that each program names first: what players choose."""
        self.elementary: frozenset[int] = frozenset()
        """The PIDs that the PMTs name."""
        self.pes: frozenset[int] = frozenset()
        """Those of them that carry PES packets."""
        self._programs: dict[int, list[tuple[int, int]]] = {}
        self._carriers = {_PAT_PID: _Carrier()}

    def __contains__(self, pid: int) -> bool:
        return pid in self._carriers

    @property
    def are_known(self) -> bool:
        """Whether there was a PMT."""
        return bool(self._programs)

    def push(self, packet: bytes) -> None:
        """Take a packet of a PID that is `in` this."""
        pid = pid_of(packet)
        for section in self._carriers[pid].push(packet):
            if pid == _PAT_PID and section[0] == _PAT_TABLE:
                self._follow(section)
            elif pid != _PAT_PID and section[0] == _PMT_TABLE:
                self._learn(section)

    def packets(self) -> bytes:
        """Those of the last whole PAT and PMTs, and what has come of the next."""
        return b"".join(carrier.packets() for carrier in self._carriers.values())

    def _follow(self, pat: bytes) -> None:
        for at in range(8, len(pat) - 7, 4):
            if pat[at : at + 2] != b"\0\0":
                self._carriers.setdefault(_pid_at(pat, at + 2), _Carrier())

    def _learn(self, pmt: bytes) -> None:
        self._programs[pmt[3] << 8 | pmt[4]] = list(_streams(pmt))
        self.video.clear()
        for named in self._programs.values():
            self.video.update([s for s in named if s[1] in VIDEO_STREAM_TYPES][:1])
        streams = [stream for s in self._programs.values() for stream in s]
        self.elementary = frozenset(pid for pid, _ in streams)
        self.pes = frozenset(pid for pid, kind in streams if kind not in _SECTION_STREAM_TYPES)


class _Carrier:
    """A PID that carries sections, which may take several packets and share some."""

    def __init__(self) -> None:
        self._last = b""
        """The packets of the last good section."""
        self._coming = bytearray()
        """The packets of the section that is under way."""
        self._section = bytearray()

    def push(self, packet: bytes) -> list[bytes]:
        """Return the good sections that the packet completes."""
        payload = payload_of(packet)
        if not payload or not (self._section or starts_unit(packet)):
            return []
        self._coming += packet
        if not starts_unit(packet):
            self._section += payload
            return self._completed()
        pointer = payload[0]
        self._section += payload[1 : 1 + pointer] if self._section else b""
        sections = self._completed()
        self._section = bytearray(payload[1 + pointer :])
        self._coming = bytearray(packet)
        return sections + self._completed()

    def packets(self) -> bytes:
        """Those of the last good section, and of the one that is under way."""
        return self._last + self._coming

    def _completed(self) -> list[bytes]:
        """Take the sections that are whole. Behind them is stuffing, or the next."""
        completed: list[bytes] = []
        section = self._section
        while len(section) >= 3 and section[:1] != _STUFFING:
            length = 3 + (_pid_at(section, 1) & 0x0FFF)
            if len(section) < length <= _SECTION_LIMIT_BYTES:
                return completed
            whole = bytes(section[:length])
            del section[:length]
            if _is_good(whole):
                completed.append(whole)
                self._last = bytes(self._coming)
        if section[:1] == _STUFFING:
            section.clear()
        if not section:
            self._coming.clear()
        return completed


def _is_good(section: bytes) -> bool:
    """Whether it is in force and its CRC fits (annex A: zlib's, with each byte's bits reversed)."""
    if len(section) < 12 or not section[5] & 1:
        return False
    return zlib.crc32(section.translate(_REVERSED)) == 0xFFFF_FFFF


def _streams(pmt: bytes) -> Iterator[tuple[int, int]]:
    """PID and stream_type, in the table's order."""
    at = 12 + (_pid_at(pmt, 10) & 0x0FFF)
    while at + 5 <= len(pmt) - 4:
        yield _pid_at(pmt, at + 1), pmt[at]
        at += 5 + (_pid_at(pmt, at + 3) & 0x0FFF)


def _pid_at(section: bytes | bytearray, at: int) -> int:
    return (section[at] & 0x1F) << 8 | section[at + 1]

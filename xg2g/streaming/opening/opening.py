"""The opening of a live stream: whether there is anything to see, and where to begin.

A receiver answers 200 for a channel that it cannot descramble, and sends noise; a softcam's relay
sends noise for the first half second, until it has the key. And every stream is tuned to in the
middle: what comes before the first picture that decodes by itself makes players wait, complain or
lose sync.

    UNKNOWN -- clear ------> CLEAR -- a picture to begin with, or ----> JOINING ----> OVER
       |                     |  ^     patience is over
       '-- noise --> SCRAMBLED -'

Radio and data, for which no PMT names video, go from UNKNOWN, and behind noise from SCRAMBLED, to
OVER with a few clear packets.
"""

from enum import Enum, auto

from .packet import (
    NULL_PID,
    PACKET_BYTES,
    is_pes,
    is_video_pes,
    payload_of,
    pid_of,
    pts_90k,
    since_90k,
    starts_unit,
)
from .picture import can_begin
from .scrambling import Scrambling
from .tables import Tables

PATIENCE_S = 5
"""For a picture to begin with: the most between two of them (TS 101 154)."""

_PATIENCE_90K = PATIENCE_S * 90_000
_PATIENCE_PACKETS = 16 * 1024 * 1024 // PACKET_BYTES
"""Where no clock shows how long: 5 s at 26 Mbit/s."""
_NO_VIDEO_90K = 90_000
"""Video that has not come for so long does not come: pictures are at most 0.7 s apart (2.7.4)."""
_CLEAR_PACKETS = 8
"""A tenth of a second of radio."""
_CLEAR_AFTER_NOISE_PACKETS = 200
_HELD_BYTES = 1024 * 1024
"""What is held of a stream until it is known what it is: the remuxer begins with the tables."""
_FIRST_ELEMENTARY_PID = 0x20
"""Below are tables, which are never scrambled (EN 300 468, table 1)."""
_JOINING_PACKETS = 8192
"""For every PID to begin: more than a second of most channels."""
_EARLY_90K, _UNRELATED_90K = 90_000, 900_000
"""Sound more than a second before the first picture is left out; more than ten, and its clock is
another one."""


class Phase(Enum):
    """How far a stream is."""

    UNKNOWN = auto()
    SCRAMBLED = auto()
    """Noise has come, and nothing clear behind it yet."""
    CLEAR = auto()
    """Pictures come, and none so far to begin with."""
    JOINING = auto()
    """The stream has begun; a PID that was in the middle of a unit is left out until its next."""
    OVER = auto()
    """The stream passes as it is."""


class Opening:
    """Takes a stream's packets until it has begun."""

    def __init__(self) -> None:
        self.phase = Phase.UNKNOWN
        self._tables = Tables()
        self._scrambling = Scrambling()
        self._held = bytearray()
        self._clear_packets = 0
        self._has_pictures = False
        self._wait = _Wait()
        self._joined: set[int] = set()
        self._joining_packets = 0
        self._begin_pts_90k: int | None = None

    def take(self, packets: bytes) -> bytes:
        """Return what leaves of these whole packets: nothing until the stream begins.

        Television begins with its tables and a picture that decodes by itself, or any picture when
        none such comes for `PATIENCE_S`. Radio begins with all that came, behind noise with its
        tables.
        """
        if self._is_over():
            return packets
        out = bytearray()
        for at in range(0, len(packets), PACKET_BYTES):
            if self._is_over():
                out += packets[at:]
                break
            packet = packets[at : at + PACKET_BYTES]
            if self.phase is Phase.JOINING:
                self._join(packet, out)
            elif self._tables.video:
                self._await_picture(packet, out)
            else:
                self._await_tables(packet, out)
        if self._has_no_video():
            out += self._held or self._tables.packets()
            self._held.clear()
            self.phase = Phase.OVER
        return bytes(out)

    def rest(self) -> bytes:
        """What was held of a stream that ended before it had begun."""
        return bytes(self._held)

    def _is_over(self) -> bool:
        return self.phase is Phase.OVER

    def _await_tables(self, packet: bytes, out: bytearray) -> None:
        pid = pid_of(packet)
        if pid in self._tables:
            self._tables.push(packet)
        elif pid >= _FIRST_ELEMENTARY_PID:
            if self._is_noise(pid, packet):
                self._hear_noise()
                return
            self._look_at(pid, packet)
        if self.phase is Phase.UNKNOWN:
            if len(self._held) >= _HELD_BYTES:
                self._held.clear()
            self._held += packet
        if self._tables.video:
            held, self._held = self._held, bytearray()
            self._wait = _Wait()
            out += self.take(bytes(held))

    def _look_at(self, pid: int, packet: bytes) -> None:
        payload = payload_of(packet)
        self._clear_packets += pid != NULL_PID and bool(payload)
        if starts_unit(packet) and is_video_pes(payload):
            self._has_pictures = True
            self._wait.note(pid, pts_90k(payload))

    def _has_no_video(self) -> bool:
        """Whether there is something to hear, or data. Nobody plays pictures without tables, of
        which some streams are sparing; sound that the remuxer sent without has none."""
        if self._tables.video or self.phase not in (Phase.UNKNOWN, Phase.SCRAMBLED):
            return False
        had_noise = self.phase is Phase.SCRAMBLED
        wanted = _CLEAR_AFTER_NOISE_PACKETS if had_noise else _CLEAR_PACKETS
        comes_later = self._has_pictures and not (self._tables.are_known or self._wait.is_over)
        return self._clear_packets >= wanted and not comes_later

    def _await_picture(self, packet: bytes, out: bytearray) -> None:
        pid = pid_of(packet)
        if pid in self._tables:
            self._tables.push(packet)
            return
        if pid < _FIRST_ELEMENTARY_PID:
            return
        video = self._tables.video.get(pid)
        if self._is_noise(pid, packet):
            if video is not None or self.phase is not Phase.CLEAR:
                self._hear_noise()
            return
        self._wait.packets += 1
        if not starts_unit(packet) or not is_pes(payload := payload_of(packet)):
            return
        pts = pts_90k(payload)
        self._wait.note(pid, pts)
        if video is not None:
            self.phase = Phase.CLEAR
            if can_begin(packet, video) or self._wait.is_over:
                self._begin_pts_90k = pts
                self._begin(packet, out)
        elif self.phase is not Phase.CLEAR and self._wait.video_is_missing:
            self._begin(packet, out)

    def _is_noise(self, pid: int, packet: bytes) -> bool:
        return self._scrambling.is_noise(
            packet,
            carries_pes=pid in self._tables.pes,
            carries_video=pid in self._tables.video,
        )

    def _hear_noise(self) -> None:
        self.phase = Phase.SCRAMBLED
        self._clear_packets = 0
        self._held.clear()
        self._wait = _Wait()

    def _begin(self, packet: bytes, out: bytearray) -> None:
        self.phase = Phase.JOINING
        self._joined.add(pid_of(packet))
        out += self._tables.packets()
        out += packet

    def _join(self, packet: bytes, out: bytearray) -> None:
        pid = pid_of(packet)
        self._joining_packets += 1
        if pid not in self._joined and pid not in self._tables and (payload := payload_of(packet)):
            if not starts_unit(packet) or self._is_early(payload):
                return
            self._joined.add(pid)
        out += packet
        if self._joined >= self._tables.elementary or self._joining_packets >= _JOINING_PACKETS:
            self.phase = Phase.OVER

    def _is_early(self, payload: bytes) -> bool:
        pts = pts_90k(payload) if is_pes(payload) else None
        if pts is None or self._begin_pts_90k is None:
            return False
        return _EARLY_90K < since_90k(self._begin_pts_90k, pts) < _UNRELATED_90K


class _Wait:
    """How long a picture has been waited for, by every clock that there is."""

    def __init__(self) -> None:
        self.packets = 0
        self._first_90k: dict[int, int] = {}
        self._longest_90k = 0

    def note(self, pid: int, pts: int | None) -> None:
        """A PES packet begins. A clock that jumps ends the wait."""
        if pts is not None:
            first = self._first_90k.setdefault(pid, pts)
            self._longest_90k = max(self._longest_90k, abs(since_90k(pts, first)))

    @property
    def is_over(self) -> bool:
        """Whether any picture will do."""
        return self._longest_90k >= _PATIENCE_90K or self.packets >= _PATIENCE_PACKETS

    @property
    def video_is_missing(self) -> bool:
        """Whether pictures would have come."""
        return self._longest_90k >= _NO_VIDEO_90K or self.packets >= _PATIENCE_PACKETS

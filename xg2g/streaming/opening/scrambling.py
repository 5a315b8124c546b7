"""Whether the packets of a stream are clear or noise.

`transport_scrambling_control` says so (ISO/IEC 13818-1, 2.4.3.3) and is not always right: what was
descrambled may keep it set, and what was not may have lost it. A PES packet shows it: it begins
with a start code or with noise. Between two beginnings the bits are believed as far as they were
right before; the remuxer judges sound by the same rules.
"""

from .packet import NULL_PID, elementary, is_pes, is_scrambled, payload_of, pid_of, starts_unit

_START_CODE = b"\0\0\1"
_START_CODE_BYTES = len(_START_CODE)
_NOISE_VALUES = 110
"""Different bytes in a whole payload that begin noise: of 184 random ones some 132 differ."""
_WHOLE_PAYLOAD_BYTES = 184
_MIN_NOISE_BYTES = 64
"""A shorter payload does not show noise."""
_BARE_PES_RUN = 4
"""PES packets of video in a row that begin with noise behind their header and have no start code
inside. A picture has one in each slice."""


class Scrambling:
    """Judges the packets of a stream in their order."""

    def __init__(self) -> None:
        self._bits_are_right: dict[int, bool] = {}
        """By PID: whether they were, where a PES packet with them set began."""
        self._noisy: set[int] = set()
        """PIDs whose PES packet under way began with noise although its bits say clear."""
        self._videos: dict[int, _Video] = {}

    def is_noise(self, packet: bytes, *, carries_pes: bool, carries_video: bool) -> bool:
        """Tell whether the payload is noise.

        `carries_pes` says that the PMT names the PID as one of PES packets, `carries_video` that
        these are of video. Of other PIDs clear bits are believed: sections begin with anything.
        """
        pid, payload = pid_of(packet), payload_of(packet)
        if pid == NULL_PID or not payload:
            return False
        has_bits = is_scrambled(packet)
        if starts_unit(packet) and len(payload) >= _START_CODE_BYTES:
            begins_clear = is_pes(payload)
            self._noisy.discard(pid)
            if has_bits:
                self._bits_are_right[pid] = not begins_clear
            elif carries_pes and not begins_clear and _is_even(payload):
                self._noisy.add(pid)
            is_noise = not begins_clear if has_bits else pid in self._noisy
        elif has_bits:
            is_noise = self._bits_are_right.get(pid, True)
        else:
            is_noise = pid in self._noisy
        if carries_video and not is_noise:
            return self._videos.setdefault(pid, _Video()).is_noise(packet, payload)
        return is_noise


class _Video:
    """The PES packets of a video PID that begin clear, and may be noise inside."""

    def __init__(self) -> None:
        self._has_begun = False
        self._has_start_code = False
        self._bare = 0

    def is_noise(self, packet: bytes, payload: bytes) -> bool:
        if starts_unit(packet):
            if self._has_begun:
                self._bare = 0 if self._has_start_code else self._bare + 1
            payload = elementary(payload)
            self._has_begun, self._has_start_code = True, not _is_even(payload)
        if _START_CODE in payload:
            self._has_start_code, self._bare = True, 0
        return self._bare >= _BARE_PES_RUN


def _is_even(payload: bytes) -> bool:
    """Whether a payload's values are spread as those of noise; tables, text and stuffing repeat."""
    wanted = _NOISE_VALUES * len(payload) // _WHOLE_PAYLOAD_BYTES
    return len(payload) >= _MIN_NOISE_BYTES and len(set(payload)) >= wanted

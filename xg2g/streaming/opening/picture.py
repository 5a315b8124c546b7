"""Whether a decoder can begin with a picture.

Broadcasters put sequence and picture parameters in front of each picture that decodes without
others, so that receivers can begin there (TS 101 154).
"""

from collections.abc import Callable

from .packet import elementary, is_random_access, payload_of

VIDEO_STREAM_TYPES = frozenset(
    {0x01, 0x02, 0x10, 0x1B, 0x1F, 0x20, 0x21, 0x24, 0x25, 0x27, 0x33, 0x42, 0xD1, 0xD2, 0xD4, 0xEA}
)
"""ISO/IEC 13818-1, table 2-34; 0x27 is HEVC to some; AVS, Dirac, VC-1."""


def _is_sequence_header(code: int) -> bool:
    return code == 0xB3


def _is_h264_parameter_set(code: int) -> bool:
    return code & 0x1F == 7


def _is_hevc_parameter_set(code: int) -> bool:
    return code >> 1 in (32, 33)


_PARAMETERS: dict[int, Callable[[int], bool]] = {
    0x01: _is_sequence_header,
    0x02: _is_sequence_header,
    0x1B: _is_h264_parameter_set,
    0x24: _is_hevc_parameter_set,
    0x27: _is_hevc_parameter_set,
}
"""stream_type -> whether the byte behind a start code begins what a decoder needs first."""


def can_begin(packet: bytes, stream_type: int) -> bool:
    """Whether the picture that begins in this packet of video decodes without those before it.

    The parameters tell: random_access_indicator stands on every picture of some streams and on
    none of others. It is believed where there is nothing to check it by.
    """
    is_parameter = _PARAMETERS.get(stream_type)
    pieces = elementary(payload_of(packet)).split(b"\0\0\1")[1:]
    if is_parameter is None or not pieces:
        return is_random_access(packet)
    return any(piece and is_parameter(piece[0]) for piece in pieces)

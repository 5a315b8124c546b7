"""The C ABI, declared for ctypes. transcoder/include/xg2g_transcoder.h documents each function."""

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Final

from ..base import PointKind

ABI_VERSION: Final = 1

PACKET_BYTES: Final = 188

OUTPUT_TOO_SMALL: Final = -2


class Options(ctypes.Structure):
    """xg2g_options."""

    _fields_ = (
        ("size", c_size_t),
        ("sample_rate_hz", c_uint32),
        ("channels", c_uint32),
        ("bitrate_bps", c_uint32),
        ("program", c_uint32),
        ("keep_original", c_uint32),
        ("generation", c_uint32),
        ("tracks", c_char_p),
        ("dual_mono", c_char_p),
    )


class PointRecord(ctypes.Structure):
    """xg2g_point."""

    _fields_ = (
        ("size", c_size_t),
        ("offset", c_uint64),
        ("pts_90k", c_uint64),
        ("kind", c_uint32),
        ("program", c_uint32),
        ("codec", c_uint32),
        ("is_open", c_uint32),
        ("tables_len", c_size_t),
    )


POINT_RECORD_BYTES: Final = ctypes.sizeof(PointRecord)

POINT_KINDS: Final = tuple(PointKind)
"""xg2g_point_kind -> kind; the numbers count from 0."""

VIDEO_CODECS: Final = (None, "mpeg2", "h264", "hevc", None)
"""xg2g_video_codec -> name."""

NO_PTS: Final = 2**64 - 1


PROTOTYPES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "xg2g_abi_version": (c_uint32, ()),
    "xg2g_version": (c_char_p, ()),
    "xg2g_open_streams": (c_size_t, ()),
    "xg2g_error_name": (c_char_p, (c_int,)),
    "xg2g_audio_remux_init": (c_void_p, (c_int, c_int, c_int)),
    "xg2g_audio_remux_init_with_options": (
        c_void_p,
        (POINTER(Options), POINTER(c_int), c_char_p, c_size_t),
    ),
    "xg2g_audio_remux_process": (c_int, (c_void_p, c_char_p, c_size_t, c_void_p, c_size_t)),
    "xg2g_audio_remux_finish": (c_int, (c_void_p, c_void_p, c_size_t)),
    "xg2g_audio_remux_process_view": (
        c_int,
        (c_void_p, c_char_p, c_size_t, POINTER(c_void_p), POINTER(c_size_t)),
    ),
    "xg2g_audio_remux_finish_view": (c_int, (c_void_p, POINTER(c_void_p), POINTER(c_size_t))),
    "xg2g_audio_remux_output_capacity": (c_size_t, (c_void_p, c_size_t)),
    "xg2g_audio_remux_next_point": (c_int, (c_void_p, POINTER(PointRecord), c_void_p, c_size_t)),
    "xg2g_audio_remux_stats": (c_int, (c_void_p, c_char_p, c_size_t)),
    "xg2g_audio_remux_last_error": (c_int, (c_void_p, c_char_p, c_size_t)),
    "xg2g_audio_remux_free": (None, (c_void_p,)),
    "xg2g_joiner_init": (c_void_p, (POINTER(PointRecord), c_char_p, c_int)),
    "xg2g_joiner_process": (c_int, (c_void_p, c_char_p, c_size_t, c_void_p, c_size_t)),
    "xg2g_joiner_is_over": (c_int, (c_void_p,)),
    "xg2g_joiner_free": (None, (c_void_p,)),
    "xg2g_packager_init": (c_void_p, (c_uint32, c_uint32, c_uint32, c_uint32)),
    "xg2g_packager_process": (c_int, (c_void_p, c_char_p, c_size_t)),
    "xg2g_packager_finish": (c_int, (c_void_p,)),
    "xg2g_packager_next_event": (
        c_int,
        (c_void_p, POINTER(c_void_p), POINTER(c_size_t), POINTER(c_void_p), POINTER(c_size_t)),
    ),
    "xg2g_packager_free": (None, (c_void_p,)),
    "xg2g_splice_lead": (c_int, (c_char_p, c_size_t, c_uint32, c_int, c_void_p, c_size_t)),
    "xg2g_splice_keep_video": (
        c_int,
        (
            c_char_p,
            c_size_t,
            c_char_p,
            c_size_t,
            c_uint32,
            c_void_p,
            c_size_t,
            POINTER(c_size_t),
        ),
    ),
    "xg2g_splice_first_packet": (c_int, (c_char_p, c_size_t)),
}
"""Function -> (type of its result, types of its arguments)."""

"""What is known of a channel's codecs before it is tuned."""

from typing import Final

from .lineup import Channel

AUDIO_CODEC: Final = "AAC"
"""Of every stream, whatever is broadcast."""

_VIDEO_CODECS: Final = {0x11: "MPEG2", 0x16: "H264", 0x19: "H264", 0x1F: "HEVC"}
"""By type of service (EN 300 468, table 87). Under 0x01, MPEG-2 by that table, everything else is
broadcast, too, so that it tells nothing; nor do other types."""

_HIGH_DEFINITION: Final = frozenset({0x11, 0x19, 0x1F})


def video_codec(channel: Channel) -> str | None:
    """Return MPEG2, H264 or HEVC; None for radio, and where the type of service does not tell."""
    return None if channel.radio else _VIDEO_CODECS.get(channel.reference.service_type)


def is_high_definition(channel: Channel) -> bool:
    """Tell whether the type of service says high definition."""
    return not channel.radio and channel.reference.service_type in _HIGH_DEFINITION

"""Descriptors that broadcasters put into the PMT (ETSI EN 300 468)."""


def language(code: str, audio_type: int = 0) -> bytes:
    """ISO_639_language_descriptor; audio_type 3 is commentary for the visually impaired."""
    return b"\x0a\x04" + code.encode() + bytes((audio_type,))


def component(tag: int) -> bytes:
    """stream_identifier_descriptor (ETSI EN 300 468, clause 6.2.39)."""
    return bytes((0x52, 0x01, tag))


def ac3_descriptor(component_type: int) -> bytes:
    """AC-3_descriptor with its component_type (EN 300 468, annex D.3)."""
    return bytes((0x6A, 0x02, 0x80, component_type))


def eac3_descriptor(component_type: int) -> bytes:
    """enhanced_AC-3_descriptor with its component_type (EN 300 468, annex D.5)."""
    return bytes((0x7A, 0x02, 0x80, component_type))


def supplementary_audio(code: str) -> bytes:
    """Receiver-mixed-in-advance description for the visually impaired (EN 300 468, 6.4.11)."""
    return b"\x7f\x05\x06\x85" + code.encode()


CONDITIONAL_ACCESS = bytes.fromhex("0904 1814 e060 0904 0d95 e061")
TELETEXT = bytes.fromhex("5605 646575 0100")
AAC_PROFILE = bytes.fromhex("7c01 29")
STEREO, MULTICHANNEL = 0x42, 0x44

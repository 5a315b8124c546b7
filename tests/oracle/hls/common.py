"""What has to hold of every playlist (4.1, 4.2, 4.4.1, 4.4.2)."""

import re
from collections import Counter
from collections.abc import Iterator

from .playlist import Tag, attributes, lines, unquoted

ATTRIBUTE_LISTS = {
    "EXT-X-MAP", "EXT-X-PART", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-SKIP",
    "EXT-X-PRELOAD-HINT", "EXT-X-RENDITION-REPORT", "EXT-X-MEDIA", "EXT-X-STREAM-INF",
    "EXT-X-SESSION-DATA", "EXT-X-START",
}  # fmt: skip

_QUOTED = {
    "URI", "GROUP-ID", "LANGUAGE", "ASSOC-LANGUAGE", "NAME", "INSTREAM-ID", "CHARACTERISTICS",
    "CHANNELS", "CODECS", "AUDIO", "VIDEO", "SUBTITLES", "DATA-ID", "VALUE", "STABLE-RENDITION-ID",
}  # fmt: skip
_DECIMAL = {
    "DURATION", "PART-TARGET", "CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK", "FRAME-RATE",
}  # fmt: skip
_INTEGER = {
    "BANDWIDTH", "AVERAGE-BANDWIDTH", "SKIPPED-SEGMENTS", "LAST-MSN", "LAST-PART",
    "BYTERANGE-START", "BYTERANGE-LENGTH",
}  # fmt: skip
_CHOICE = {
    "INDEPENDENT": {"YES"},
    "GAP": {"YES"},
    "CAN-BLOCK-RELOAD": {"YES"},
    "CAN-SKIP-DATERANGES": {"YES"},
    "DEFAULT": {"YES", "NO"},
    "AUTOSELECT": {"YES", "NO"},
    "FORCED": {"YES", "NO"},
}
_TYPES = {
    "EXT-X-MEDIA": {"AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"},
    "EXT-X-PRELOAD-HINT": {"PART", "MAP"},
}
_ONCE = {
    "EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-ENDLIST", "EXT-X-PART-INF",
    "EXT-X-SERVER-CONTROL", "EXT-X-PLAYLIST-TYPE", "EXT-X-SKIP", "EXT-X-I-FRAMES-ONLY",
}  # fmt: skip


def text_errors(text: str) -> Iterator[str]:
    """4.1: no byte order mark, no control characters; 4.1: lines are tags, comments or URIs."""
    if text.startswith("\ufeff"):
        yield "begins with a byte order mark"
    if found := re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]", text):
        yield f"has the control character {found[0]!r}"
    if not text.endswith("\n"):
        yield "its last line does not end"
    for line in lines(text):
        if line.strip() and not line.startswith("#") and re.search(r"[\s\"<>\\^`{|}]", line):
            yield f"{line!r} is no URI"


def first_line_errors(text: str) -> Iterator[str]:
    """4.4.1.1: EXTM3U is the first line."""
    if lines(text)[0] != "#EXTM3U":
        yield f"begins with {lines(text)[0]!r}"


def once_errors(tags: list[Tag]) -> Iterator[str]:
    """4.4.1.2 and others: these tags stand once at most."""
    for name, count in Counter(tag.name for tag in tags).items():
        if name in _ONCE and count > 1:
            yield f"{name} stands {count} times"


def attribute_errors(tags: list[Tag]) -> Iterator[str]:
    """4.2: attribute lists, and the kind of each value."""
    for tag in tags:
        if tag.name not in ATTRIBUTE_LISTS:
            continue
        found = attributes(tag.value)
        if found is None:
            yield f"{tag.name}:{tag.value} is no attribute list"
            continue
        for name, count in Counter(name for name, _ in found).items():
            if count > 1:
                yield f"{tag.name} has {name} {count} times"
        for name, value in found:
            if not _is_of_its_kind(tag.name, name, value):
                yield f"{tag.name} has {name}={value}"


def _is_of_its_kind(tag: str, name: str, value: str) -> bool:
    if name == "TYPE":
        return value in _TYPES.get(tag, {value})
    if name in _CHOICE:
        return value in _CHOICE[name]
    if name == "CLOSED-CAPTIONS":
        return value == "NONE" or unquoted(value) != value
    if name in _QUOTED:
        return unquoted(value) != value
    if name in _DECIMAL:
        return re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII) is not None
    if name in _INTEGER:
        return re.fullmatch(r"\d{1,20}", value, re.ASCII) is not None
    if name == "RESOLUTION":
        return re.fullmatch(r"[1-9]\d*x[1-9]\d*", value, re.ASCII) is not None
    return True

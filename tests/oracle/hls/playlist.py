"""Playlists as they read, without judging what they say."""

import re
from dataclasses import dataclass, field
from datetime import datetime

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^",]*)(?:,|$)')


def attributes(value: str) -> list[tuple[str, str]] | None:
    """The attributes of a list, with their quotes; None where it is no attribute list (4.2)."""
    found, at = [], 0
    while at < len(value):
        match = _ATTRIBUTE.match(value, at)
        if match is None:
            return None
        found.append((match[1], match[2]))
        at = match.end()
    return None if value.endswith(",") else found


def unquoted(value: str) -> str:
    """A quoted-string's text."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


@dataclass
class Tag:
    """A line that begins with #EXT."""

    name: str
    value: str
    line: int

    @property
    def attributes(self) -> dict[str, str]:
        return dict(attributes(self.value) or ())

    def text(self, attribute: str) -> str | None:
        """An attribute without its quotes."""
        value = self.attributes.get(attribute)
        return None if value is None else unquoted(value)

    def number(self, attribute: str) -> float | None:
        """An attribute as a number; None where it is absent or none."""
        return decimal(self.attributes.get(attribute, ""))


def decimal(text: str) -> float | None:
    """A decimal number without sign (4.2)."""
    return float(text) if re.fullmatch(r"\d+(\.\d+)?|\.\d+", text, re.ASCII) else None


@dataclass
class Part:
    """EXT-X-PART."""

    tag: Tag

    @property
    def uri(self) -> str | None:
        return self.tag.text("URI")

    @property
    def duration(self) -> float:
        return self.tag.number("DURATION") or 0.0

    @property
    def is_independent(self) -> bool:
        return self.tag.text("INDEPENDENT") == "YES"

    @property
    def is_gap(self) -> bool:
        return self.tag.text("GAP") == "YES"


@dataclass
class Segment:
    """A URI with the tags that apply to it, or the parts at the end that have none yet."""

    number: int
    discontinuity_number: int
    uri: str | None = None
    tags: list[Tag] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    map_uri: str | None = None
    """That applies to it, whether told here or before."""

    def tag(self, name: str) -> Tag | None:
        return next((tag for tag in self.tags if tag.name == name), None)

    @property
    def duration(self) -> float:
        extinf = self.tag("EXTINF")
        return (decimal(extinf.value.partition(",")[0]) or 0.0) if extinf else 0.0

    @property
    def is_gap(self) -> bool:
        return self.tag("EXT-X-GAP") is not None

    @property
    def is_discontinuous(self) -> bool:
        return self.tag("EXT-X-DISCONTINUITY") is not None

    @property
    def date(self) -> datetime | None:
        tag = self.tag("EXT-X-PROGRAM-DATE-TIME")
        try:
            return None if tag is None else datetime.fromisoformat(tag.value)
        except ValueError:
            return None


_OF_SEGMENTS = {
    "EXTINF",
    "EXT-X-BYTERANGE",
    "EXT-X-DISCONTINUITY",
    "EXT-X-KEY",
    "EXT-X-MAP",
    "EXT-X-PROGRAM-DATE-TIME",
    "EXT-X-GAP",
    "EXT-X-BITRATE",
    "EXT-X-PART",
}


def lines(text: str) -> list[str]:
    """A playlist's lines."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def _tags(text: str) -> list[Tag | str]:
    """Tags and URIs in order; comments and empty lines are left out."""
    found: list[Tag | str] = []
    for at, line in enumerate(lines(text)):
        if line.startswith("#EXT"):
            name, _, value = line[1:].partition(":")
            found.append(Tag(name, value, at))
        elif line.strip() and not line.startswith("#"):
            found.append(line)
    return found


class MediaPlaylist:
    """A media playlist."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tags: list[Tag] = []
        """In order, those of segments included."""
        self.segments: list[Segment] = []
        self.trailing: Segment | None = None
        """Parts of the segment whose URI is not there yet."""
        found = _tags(text)
        self.tags = [tag for tag in found if isinstance(tag, Tag)]
        skipped = int(self.number("EXT-X-SKIP", "SKIPPED-SEGMENTS") or 0)
        number = int(self.integer("EXT-X-MEDIA-SEQUENCE") or 0) + skipped
        discontinuities = int(self.integer("EXT-X-DISCONTINUITY-SEQUENCE") or 0)
        mapped: str | None = None
        current = Segment(number, discontinuities)
        for item in found:
            if isinstance(item, str):
                current.uri, current.map_uri = item, mapped
                self.segments.append(current)
                number += 1
                current = Segment(number, discontinuities)
            elif item.name in _OF_SEGMENTS:
                if item.name == "EXT-X-DISCONTINUITY":
                    discontinuities += 1
                    current.discontinuity_number = discontinuities
                if item.name == "EXT-X-MAP":
                    mapped = item.text("URI")
                if item.name == "EXT-X-PART":
                    current.parts.append(Part(item))
                current.tags.append(item)
        if current.tags:
            current.map_uri = mapped
            self.trailing = current

    def named(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]

    def first(self, name: str) -> Tag | None:
        return next(iter(self.named(name)), None)

    def integer(self, name: str) -> int | None:
        """The value of a tag that is a decimal-integer."""
        tag = self.first(name)
        if tag is None or not re.fullmatch(r"\d{1,20}", tag.value, re.ASCII):
            return None
        return int(tag.value)

    def number(self, name: str, attribute: str) -> float | None:
        tag = self.first(name)
        return None if tag is None else tag.number(attribute)

    @property
    def target(self) -> int:
        return self.integer("EXT-X-TARGETDURATION") or 0

    @property
    def part_target(self) -> float | None:
        return self.number("EXT-X-PART-INF", "PART-TARGET")

    @property
    def has_ended(self) -> bool:
        return self.first("EXT-X-ENDLIST") is not None

    @property
    def all_segments(self) -> list[Segment]:
        return self.segments + ([self.trailing] if self.trailing else [])

    @property
    def duration(self) -> float:
        trailing = sum(part.duration for part in self.trailing.parts) if self.trailing else 0.0
        return sum(segment.duration for segment in self.segments) + trailing


class Multivariant:
    """A multivariant playlist."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = _tags(text)
        self.tags = [tag for tag in found if isinstance(tag, Tag)]
        self.variants: list[tuple[Tag, str | None]] = []
        """EXT-X-STREAM-INF with the URI that follows."""
        self.stray_uris: list[str] = []
        waiting: Tag | None = None
        for item in found:
            if isinstance(item, str):
                if waiting is None:
                    self.stray_uris.append(item)
                else:
                    self.variants.append((waiting, item))
                waiting = None
            elif waiting is not None:
                self.variants.append((waiting, None))
                waiting = None
            if isinstance(item, Tag) and item.name == "EXT-X-STREAM-INF":
                waiting = item
        if waiting is not None:
            self.variants.append((waiting, None))

    def named(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]

    @property
    def media(self) -> list[Tag]:
        return self.named("EXT-X-MEDIA")

    @property
    def uris(self) -> list[str]:
        """Of media playlists, each once."""
        found = [uri for _, uri in self.variants if uri]
        found += [uri for tag in self.media if (uri := tag.text("URI"))]
        return list(dict.fromkeys(found))

"""Service references: Enigma2's names for services, bouquets and markers.

    type:flags:stype:SID:TSID:ONID:namespace:parent SID:parent TSID:source:path[:name]

The first two fields are decimal, the next eight hexadecimal (enigma2 lib/service/service.cpp).
"""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

DVB = 1
"""`type` of everything that a tuner of the receiver brings."""

RADIO_SERVICE_TYPES = frozenset({0x02, 0x0A})
"""Digital radio, and advanced-codec digital radio (EN 300 468, table 87)."""

_DIRECTORY = 1
_MARKER = 64
_GROUP = 128
_NUMBERED = 256
_BASES = (10, 10, *(16,) * 8)
"""Of the ten fields that say what it is."""


@dataclass(frozen=True, slots=True)
class ServiceReference:
    """A parsed reference. Two that name the same service have equal `channel_id`s."""

    numbers: tuple[int, ...]
    """The first ten fields."""
    path: str = ""
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference. Raises `ValueError` when the text is none."""
        fields = text.strip().split(":", len(_BASES) + 1)
        if len(fields) < len(_BASES):
            raise ValueError(f"{text!r} is no service reference: it has fewer than ten fields")
        try:
            numbers = tuple(map(_number, fields, _BASES))
        except ValueError:
            raise ValueError(f"{text!r} is no service reference: a field is no number") from None
        path, name, *_ = (*map(unquote, fields[len(_BASES) :]), "", "")
        return cls(numbers, path, name)

    @property
    def type(self) -> int:
        """Who plays it: `DVB`, or one of Enigma2's media players."""
        return self.numbers[0]

    @property
    def flags(self) -> int:
        """What it is if no service (enigma2 lib/service/iservice.h)."""
        return self.numbers[1]

    @property
    def service_type(self) -> int:
        """Kind of service as broadcast (EN 300 468, table 87)."""
        return self.numbers[2]

    @property
    def sid(self) -> int:
        """Service id: the program's number in the PAT."""
        return self.numbers[3]

    @property
    def channel_id(self) -> str:
        """The one name of a channel in every URL, list and guide that xg2g gives out."""
        return "_".join(self._written)

    @property
    def stream_path(self) -> str:
        """What the stream server takes: ten fields and a colon. A name may make it fail."""
        return ":".join(self._written) + ":"

    @property
    def is_marker(self) -> bool:
        """A heading within a bouquet."""
        return bool(self.flags & _MARKER)

    @property
    def is_numbered_marker(self) -> bool:
        """A heading that takes a number as a service does."""
        return self.is_marker and bool(self.flags & _NUMBERED)

    @property
    def takes_a_number(self) -> bool:
        """Whether the receiver's remote control counts this entry of a bouquet."""
        return self.is_numbered_marker or not (self.is_marker or self.flags & _DIRECTORY)

    @property
    def is_bouquet(self) -> bool:
        """A bouquet, or one inside another; the receiver lists what is in it.

        No other directory: asked for one that selects nothing by name, receivers list their whole
        database, or abort.
        """
        return bool(self.flags & _DIRECTORY) and not self.flags & _GROUP and self._names_a_list

    @property
    def is_group(self) -> bool:
        """Alternatives for one service; the receiver lists what they are."""
        return bool(self.flags & _GROUP) and self._names_a_list

    @property
    def is_dvb_service(self) -> bool:
        """Something that the stream server can tune to.

        Not so IPTV entries and recordings, which name a URL or file in `path`.
        """
        return self.type == DVB and self.flags == 0 and 0 < self.sid <= 0xFFFF and not self.path

    @property
    def is_radio(self) -> bool:
        """A radio service by its declared type."""
        return self.service_type in RADIO_SERVICE_TYPES

    @property
    def _names_a_list(self) -> bool:
        return "FROM BOUQUET " in self.path

    @property
    def _written(self) -> list[str]:
        """The ten fields as Enigma2 prints them: upper case, no leading zeros."""
        return [
            str(number) if base == 10 else f"{number:X}"
            for number, base in zip(self.numbers, _BASES, strict=True)
        ]


def _number(field: str, base: int) -> int:
    if not field.isascii() or not field.isalnum() or len(field) > 8:
        raise ValueError(field)
    return int(field, base)

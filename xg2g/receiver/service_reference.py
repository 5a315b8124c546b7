"""Service references: Enigma2's names for services, bouquets and markers.

    type:flags:stype:SID:TSID:ONID:namespace:parent SID:parent TSID:source:path[:name]

The first two fields are decimal, the next eight hexadecimal (enigma2 lib/service/service.cpp).
"""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

DVB = 1
"""The `type` of everything that a tuner of the receiver receives."""

RADIO_SERVICE_TYPES = frozenset({0x02, 0x0A})
"""Service types of digital radio, and of advanced-codec digital radio (EN 300 468, table 87)."""

_DIRECTORY = 1
_MARKER = 64
_GROUP = 128
_NUMBERED = 256
_BASES = (10, 10, *(16,) * 8)
"""Number bases of the first ten fields, which identify the service."""


@dataclass(frozen=True, slots=True)
class ServiceReference:
    """A parsed reference. References to one service have equal `channel_id`s."""

    numbers: tuple[int, ...]
    """The first ten fields."""
    path: str = ""
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a reference. Raises `ValueError`."""
        fields = text.strip().split(":", len(_BASES) + 1)
        if len(fields) < len(_BASES):
            raise ValueError(f"{text!r} is not a service reference: it has fewer than ten fields")
        try:
            numbers = tuple(map(_number, fields, _BASES))
        except ValueError:
            raise ValueError(
                f"{text!r} is not a service reference: a field is not a number"
            ) from None
        path, name, *_ = (*map(unquote, fields[len(_BASES) :]), "", "")
        return cls(numbers, path, name)

    @property
    def type(self) -> int:
        """`DVB`, or the number of one of Enigma2's media players."""
        return self.numbers[0]

    @property
    def flags(self) -> int:
        """Flags that mark directories, markers and groups (enigma2 lib/service/iservice.h)."""
        return self.numbers[1]

    @property
    def service_type(self) -> int:
        """Service type as broadcast (EN 300 468, table 87)."""
        return self.numbers[2]

    @property
    def sid(self) -> int:
        """Service id: the program's number in the PAT."""
        return self.numbers[3]

    @property
    def channel_id(self) -> str:
        """Name of the channel in every URL, list and guide of xg2g."""
        return "_".join(self._written)

    @property
    def stream_path(self) -> str:
        """Path at the stream server: ten fields and a colon. With a name the server may fail."""
        return ":".join(self._written) + ":"

    @property
    def is_marker(self) -> bool:
        """Whether it is a heading within a bouquet."""
        return bool(self.flags & _MARKER)

    @property
    def is_numbered_marker(self) -> bool:
        """Whether it is a heading that takes a number, as a service does."""
        return self.is_marker and bool(self.flags & _NUMBERED)

    @property
    def takes_a_number(self) -> bool:
        """Whether this entry of a bouquet takes a number on the receiver's remote control."""
        return self.is_numbered_marker or not (self.is_marker or self.flags & _DIRECTORY)

    @property
    def is_bouquet(self) -> bool:
        """Whether it is a bouquet, on its own or inside another one.

        Other directories are not bouquets: when asked for a directory that selects nothing by name,
        receivers list their whole database, or abort.
        """
        return bool(self.flags & _DIRECTORY) and not self.flags & _GROUP and self._names_a_list

    @property
    def is_group(self) -> bool:
        """Whether it is a group of alternatives for one service."""
        return bool(self.flags & _GROUP) and self._names_a_list

    @property
    def is_dvb_service(self) -> bool:
        """Whether the stream server can tune to it.

        It cannot play IPTV entries and recordings, which have a URL or file in `path`.
        """
        return self.type == DVB and self.flags == 0 and 0 < self.sid <= 0xFFFF and not self.path

    @property
    def is_radio(self) -> bool:
        """Whether the declared service type is radio."""
        return self.service_type in RADIO_SERVICE_TYPES

    @property
    def _names_a_list(self) -> bool:
        return "FROM BOUQUET " in self.path

    @property
    def _written(self) -> list[str]:
        """The ten fields in Enigma2's spelling: upper case, no leading zeros."""
        return [
            str(number) if base == 10 else f"{number:X}"
            for number, base in zip(self.numbers, _BASES, strict=True)
        ]


def _number(field: str, base: int) -> int:
    if not field.isascii() or not field.isalnum() or len(field) > 8:
        raise ValueError(field)
    return int(field, base)

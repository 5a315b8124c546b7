"""The identity of the tuner, which never changes: clients keep settings and recordings under it."""

import secrets
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Self

from ..store import metadata

_CHECKSUM = bytes.fromhex("0A050F06070C010B0902080D04030E00")
"""Checksum value of each odd nibble (libhdhomerun, hdhomerun_discover.c)."""

_PREFIXES = (0x104, 0x105, 0x106, 0x107, 0x108)
"""First digits of the ids of current models. Clients take 101 to 103, 111, 121, 122 and low numbers
under 100 and 120 for models with fewer features."""

_AUTH_BYTES = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of the device."""

    device_id: int
    """32 bits that pass the check of `is_valid_device_id`."""
    udn: uuid.UUID
    """Unique device name (UPnP Device Architecture 2.0, 2.3)."""
    auth: str
    """`DeviceAuth`, 24 characters. It protects nothing: only SiliconDust's guide would check it."""

    @classmethod
    def load_or_make(cls, connection: sqlite3.Connection) -> Self:
        """Return the identity in the store; make one the first time."""

        def known(name: str, make: Callable[[], str]) -> str:
            return metadata.get_or_make(connection, f"hdhomerun_{name}", make)

        return cls(
            device_id=int(known("device_id", lambda: f"{new_device_id():08X}"), 16),
            udn=uuid.UUID(known("udn", lambda: str(uuid.uuid4()))),
            auth=known("auth", lambda: secrets.token_hex(_AUTH_BYTES)),
        )

    @property
    def device_id_text(self) -> str:
        """The device id as it is written everywhere: eight hexadecimal digits."""
        return f"{self.device_id:08X}"


def new_device_id(random_below: Callable[[int], int] = secrets.randbelow) -> int:
    """Make a valid device id of a current model."""
    prefix = _PREFIXES[random_below(len(_PREFIXES))]
    free = (prefix << 20) | (random_below(1 << 16) << 4)
    return free | _checksum(free)


def is_valid_device_id(device_id: int) -> bool:
    """Return whether clients accept the id: its nibbles, odd ones through a table, XOR to 0."""
    return 0 < device_id <= 0xFFFFFFFF and _checksum(device_id) == 0


def _checksum(device_id: int) -> int:
    nibbles = [(device_id >> shift) & 0xF for shift in range(28, -4, -4)]
    return reduce(xor, (n if i % 2 else _CHECKSUM[n] for i, n in enumerate(nibbles)))

"""The Host header: which values there can be, and which names xg2g answers to.

A page of a stranger reads what is open to the household when its own name is made to lead to xg2g
(DNS rebinding): the browser takes both for one site, and only `Host` still says whose name it was.
So xg2g answers to addresses, to names that nobody outside can own, and to those of the settings.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from ..network.hosts import LONGEST_NAME

HOUSEHOLD_DOMAINS = (
    "localhost",  # RFC 6761, 6.3
    "local",  # RFC 6762, 3
    "home.arpa",  # RFC 8375
    "internal",  # reserved by ICANN for private use, 29 July 2024
    # Undelegated, and what home routers and companies use.
    "localdomain",
    "lan",
    "home",
    "intranet",
    "private",
    "corp",
    # The domain of the router that half of Germany has; it belongs to its maker.
    "fritz.box",
)
"""No stranger can have a name that ends so."""

ANY = "*"
"""In place of a name: answer to every one."""

_AUTHORITY = re.compile(r"(?P<host>[^:\[\]]+|\[[^\[\]]*\])(?::(?P<port>[0-9]{1,5})?)?", re.ASCII)
_LABELS = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)
_LONGEST_AUTHORITY = LONGEST_NAME + len(".:65535")


def host_of(authority: str) -> str | None:
    """The name or address in `name:port`, in lower case, without brackets and final dot; None when
    there can be no such host (RFC 3986, 3.2.2; RFC 1035, 2.3.4)."""
    if len(authority) > _LONGEST_AUTHORITY or not (match := _AUTHORITY.fullmatch(authority)):
        return None
    if int(match["port"] or 0) > 65535:
        return None
    host = match["host"]
    if host.startswith("["):
        return host[1:-1].lower() if ":" in host and _is_address(host[1:-1]) else None
    if re.fullmatch(r"[0-9.]+", host) and "." in host:
        return host if _is_address(host) else None
    if len(host.removesuffix(".")) > LONGEST_NAME or not _LABELS.fullmatch(host):
        return None
    return host.removesuffix(".").lower()


class Hosts:
    """The names that xg2g answers to."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names` come on top of addresses and of what only a household can have; `ANY` among them
        stands for every name."""
        self._names = frozenset(name.lower().removesuffix(".") for name in names if name)

    @classmethod
    def of_settings(cls, names: Iterable[str], *, public_url: str | None, host: str) -> Self:
        """Take the settings' names, and what else is this computer's."""
        public = urlsplit(public_url).hostname if public_url else None
        return cls([*names, public or "", host, socket.gethostname()])

    def has(self, host: str) -> bool:
        """Whether xg2g answers to a host, as `host_of` gives it."""
        return ANY in self._names or _is_address(host) or self.is_own(host)

    def is_own(self, name: str) -> bool:
        """Whether a name is one of the settings, or one that only a household can have."""
        _, dot, _ = name.partition(".")
        domains = tuple(f".{domain}" for domain in HOUSEHOLD_DOMAINS)
        return name in self._names or not dot or name.endswith(domains)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text

"""Names and addresses of computers: which ones are valid, and which ones xg2g answers to.

A foreign web page could read everything that is open to the household if its host name resolved to
xg2g's address (DNS rebinding): the browser considers both the same site, and only the `Host` header
shows the foreign name. So xg2g answers to addresses, to names that nobody outside the household can
own, and to the names in the settings.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final, Self
from urllib.parse import urlsplit

LONGEST_NAME: Final = 253
"""Characters of a host name (RFC 1035, 2.3.4)."""

HOUSEHOLD_DOMAINS: Final = (
    "localhost",  # RFC 6761, 6.3
    "local",  # RFC 6762, 3
    "home.arpa",  # RFC 8375
    "internal",  # reserved by ICANN for private use, 29 July 2024
    # Not delegated, and used by home routers and companies.
    "localdomain",
    "lan",
    "home",
    "intranet",
    "private",
    "corp",
    # The domain of the most common router in Germany; its maker owns it.
    "fritz.box",
)
"""Domains in which no stranger can have a name."""

ANY: Final = "*"
"""Setting that allows every name."""

_AUTHORITY = re.compile(r"(?P<host>[^:\[\]]+|\[[^\[\]]*\])(?::(?P<port>[0-9]{1,5})?)?", re.ASCII)
_LABELS = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?", re.ASCII)
_LONGEST_AUTHORITY = LONGEST_NAME + len(".:65535")


def is_host(name: str) -> bool:
    """Return whether a text can be the name or the address of a computer.

    A text that looks like an address has to be a valid one: no computer has the name
    192.168.1.300, and looking it up takes seconds."""
    if ":" in name or re.fullmatch(r"[\d.]+", name):
        try:
            ip_address(name)
        except ValueError:
            return False
        return True
    return len(name) <= LONGEST_NAME and re.fullmatch(r"[\w.-]+", name) is not None


def is_loopback(host: str) -> bool:
    """Return whether it is a loopback address; IPv4 mapped into IPv6 counts as IPv4."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def client_network(address: str) -> str:
    """Return by what a client is known: its IPv4 address, or the /64 of its IPv6 address, since a
    client that has one address of a /64 has all of them."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def host_of(authority: str) -> str | None:
    """Return the name or address in `name:port`, in lower case, without brackets and final dot;
    None when it is not valid (RFC 3986, 3.2.2; RFC 1035, 2.3.4)."""
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


class AllowedHosts:
    """The values of `Host` that xg2g answers to."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Allow `names` besides addresses and household names; `ANY` allows every name."""
        self._names = frozenset(name.lower().removesuffix(".") for name in names if name)

    @classmethod
    def of_settings(cls, names: Iterable[str], *, public_url: str | None, host: str) -> Self:
        """Allow the names in the settings and this computer's own name."""
        public = urlsplit(public_url).hostname if public_url else None
        return cls([*names, public or "", host, socket.gethostname()])

    def has(self, host: str) -> bool:
        """Return whether a host, in the form that `host_of` returns, is allowed."""
        return ANY in self._names or _is_address(host) or self.is_own(host)

    def is_own(self, name: str) -> bool:
        """Return whether a name is in the settings or can belong to a household only."""
        _, dot, _ = name.partition(".")
        domains = tuple(f".{domain}" for domain in HOUSEHOLD_DOMAINS)
        return name in self._names or not dot or name.endswith(domains)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text

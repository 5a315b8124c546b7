"""Names and addresses of computers."""

import re
from ipaddress import IPv6Address, IPv6Network, ip_address

LONGEST_NAME = 253
"""Of a host (RFC 1035, 2.3.4), in characters."""


def place_of(address: str) -> str:
    """Who is behind an address: with IPv6 its /64, since whoever has one has all the others."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed)


def is_loopback(host: str) -> bool:
    """Whether it is an address of this computer alone; IPv4 in IPv6's form is IPv4."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_host(name: str) -> bool:
    """Whether it can be a name or an address. What looks like an address has to be one: nobody
    answers to the name 192.168.1.300, and asking for it takes seconds."""
    if ":" in name or re.fullmatch(r"[\d.]+", name):
        try:
            ip_address(name)
        except ValueError:
            return False
        return True
    return len(name) <= LONGEST_NAME and re.fullmatch(r"[\w.-]+", name) is not None

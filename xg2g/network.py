"""The network that this computer is in."""

import os
import re
import socket
import ssl
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

LONGEST_NAME = 253
"""Of a host (RFC 1035, 2.3.4), in characters."""

_NOWHERE = ("192.0.2.1", 9)
"""An address of TEST-NET-1 (RFC 5737). A datagram socket that is connected sends nothing."""

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def own_address() -> IPv4Address | None:
    """The address under which the home's other devices reach this computer; None without one."""
    address = outgoing_address()
    return address if address and is_at_home(IPv4Network(address)) else None


def outgoing_address() -> IPv4Address | None:
    """The address from which this computer reaches other networks; None without a route there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)
        except OSError:
            return None
        return IPv4Address(probe.getsockname()[0])


def own_network() -> IPv4Network | None:
    """The 256 addresses around this computer's: what a home's router gives out, almost always."""
    address = own_address()
    return IPv4Network(f"{address}/24", strict=False) if address else None


def is_at_home(network: IPv4Network) -> bool:
    """Whether all of it is private (RFC 1918)."""
    return any(network.subnet_of(private) for private in _PRIVATE)


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


def why_no_connection(error: BaseException) -> str:
    """The system's word for it. asyncio's own text repeats the address, httpx's says nothing."""
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return "nothing in the network has this name"
        if isinstance(cause, ssl.SSLError):
            # Its numbers are OpenSSL's, and would read as errors of the system.
            return f"no TLS connection ({_tls_reason(cause)})"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
    return str(error) or type(error).__name__


def is_refused(error: BaseException) -> bool:
    """Whether a computer answered that nothing listens on the port."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))


def is_tls_trouble(error: BaseException) -> bool:
    """Whether there was a connection, and TLS on it could not be agreed upon."""
    return any(isinstance(cause, ssl.SSLError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__


def _tls_reason(error: ssl.SSLError) -> str:
    if error.reason is None or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the other side ended it"
    return error.reason.lower().replace("_", " ")

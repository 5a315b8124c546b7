"""The network that this computer is in."""

import socket
from ipaddress import IPv4Address, IPv4Network

_NOWHERE = ("192.0.2.1", 9)
"""An address of TEST-NET-1 (RFC 5737). A datagram socket that is connected sends nothing."""

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def own_address() -> IPv4Address | None:
    """The address under which the home's other devices reach this computer; None without one."""
    address = outgoing_address()
    return address if address and is_private(IPv4Network(address)) else None


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


def is_private(network: IPv4Network) -> bool:
    """Whether all of it is private (RFC 1918)."""
    return any(network.subnet_of(private) for private in _PRIVATE)

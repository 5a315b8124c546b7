"""The network that this computer is in."""

import socket
from ipaddress import IPv4Address, IPv4Network

_ELSEWHERE = "192.0.2.1"
"""An address of TEST-NET-1 (RFC 5737)."""
_DISCARD_PORT = 9

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def address_towards(peer: str) -> IPv4Address | None:
    """Return the address from which this computer reaches `peer`, an IPv4 address; None without a
    route. Sends nothing: connecting a datagram socket only looks up the route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, _DISCARD_PORT))
        except OSError:
            return None
        return IPv4Address(probe.getsockname()[0])


def outgoing_address() -> IPv4Address | None:
    """Return the address from which this computer reaches other networks; None without a route."""
    return address_towards(_ELSEWHERE)


def own_address() -> IPv4Address | None:
    """Return the address at which other devices in the home reach this computer, or None."""
    address = outgoing_address()
    return address if address and is_private(IPv4Network(address)) else None


def own_network() -> IPv4Network | None:
    """Return the 256 addresses around this computer's: nearly every home router uses a /24."""
    address = own_address()
    return IPv4Network(f"{address}/24", strict=False) if address else None


def is_private(network: IPv4Network) -> bool:
    """Return whether all of the network is private (RFC 1918)."""
    return any(network.subnet_of(private) for private in _PRIVATE)

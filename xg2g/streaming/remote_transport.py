"""HTTP connections to other machines only, which protects local services from IPTV entries.

A URL in the receiver's lists, or a redirect behind one, may name this machine in many spellings:
0.0.0.0, 2130706433, 0x7f.1, ::ffff:127.0.0.1, or a foreign name that resolves to one of them,
another time to something else. So every address that a name resolves to is checked, not its
spelling, and the connection is made to a checked address: the name is not resolved again.
"""

import asyncio
import socket
from collections.abc import Container, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx

from ..receiver.errors import UnexpectedAnswerError

_EMBEDDING = (
    IPv6Network("::/96"),  # IPv4-compatible, RFC 4291, 2.5.5.1
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
)
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
"""RFC 8215: each network decides where in it the IPv4 address is."""


def is_remote(address: str) -> bool:
    """Return whether an address can be that of a server on another machine: not a loopback,
    unspecified, link-local, multicast or reserved address, nor an IPv6 address that embeds one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return not any(_is_barred(each) for each in (parsed, *_embedded(parsed)))


def _is_barred(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address in _LOCAL_NAT64:
        return True
    embeds = isinstance(address, IPv6Address) and any(address in net for net in _EMBEDDING)
    return (
        address.is_loopback
        or address.is_unspecified
        or address.is_link_local
        or address.is_multicast
        or (address.is_reserved and not embeds)
        # This network, RFC 791, 3.2: Linux takes all of it for itself.
        or (isinstance(address, IPv4Address) and address.packed[0] == 0)
    )


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        if any(address in network for network in _EMBEDDING):
            yield IPv4Address(address.packed[-4:])


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host name, or of an address in any spelling. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class RemoteTransport(httpx.AsyncHTTPTransport):
    """A transport of httpx that connects to other machines only, redirects included. Raises
    `UnexpectedAnswerError` where a host has any other address."""

    def __init__(self, *, local_ports: Container[int] = ()) -> None:
        """`local_ports` are ports of this machine that may be connected to as well."""
        super().__init__(trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            network_backend=_RemoteBackend(local_ports),
        )


class _RemoteBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, local_ports: Container[int]) -> None:
        self._local_ports = local_ports
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        if not (port in self._local_ports or all(map(is_remote, addresses))):
            raise UnexpectedAnswerError(
                "the address of the stream leads to the machine that xg2g runs on"
            )
        for address in addresses[:-1]:
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError:
                continue
        return await self._backend.connect_tcp(
            addresses[-1], port, timeout, local_address, socket_options
        )

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)

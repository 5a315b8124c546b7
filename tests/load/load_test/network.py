"""A network of its own: the house where daemon and receiver run, and the viewers' devices on a
cable to it, each with its own address.

A device vanishes as a phone that leaves the Wi-Fi does: its address is gone, so nothing it still
would say leaves it, and nothing that is sent there is answered, not even by a reset.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import struct
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

HOUSE = "198.18.0.1"
"""The daemon's address for the devices (a range for tests, RFC 2544)."""
BROADCAST = "198.18.255.255"
_PREFIX = 16
_CLONE_NEWNET = 0x4000_0000
_INSIDE = "LOAD_TEST_INSIDE"


def move_in(module: str) -> None:
    """Start this program anew in a network namespace of its own, unless it is in one; without the
    rights of root, in a user namespace as well."""
    if os.environ.get(_INSIDE):
        return
    for tool, package in (("unshare", "util-linux"), ("nsenter", "util-linux"), ("ip", "iproute2")):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is missing: this runs on Linux, and needs {package}")
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", "--net", *rights, sys.executable, "-m", module, *sys.argv[1:]]
    os.environ[_INSIDE] = "1"
    os.execvp(command[0], command)


class Network:
    """An async context manager: the devices' side exists inside."""

    async def __aenter__(self) -> Self:
        self._devices_given = 0
        self._is_up = asyncio.Event()
        self._is_up.set()
        # It ends with its standard input, however this program ends.
        self._holder = await asyncio.create_subprocess_exec(
            "unshare", "--net", "cat", stdin=asyncio.subprocess.PIPE
        )
        self._here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        await self._unshared()
        self._there = os.open(f"/proc/{self._holder.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        await _run("ip", "link", "set", "lo", "up")
        peer = ("peer", "name", "devices", "netns", str(self._holder.pid))
        await _run("ip", "link", "add", "house", "type", "veth", *peer)
        await _run("ip", "addr", "add", f"{HOUSE}/{_PREFIX}", "brd", BROADCAST, "dev", "house")
        await _run("ip", "link", "set", "house", "up")
        await _run("ip", "route", "add", "default", "dev", "house")
        await self._run_there("ip", "link", "set", "devices", "up")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._holder.kill()
        await self._holder.wait()
        os.close(self._here)
        os.close(self._there)

    @property
    def is_up(self) -> bool:
        """True while the cable is plugged in."""
        return self._is_up.is_set()

    async def wait_up(self) -> None:
        """Return once the cable is plugged in."""
        await self._is_up.wait()

    async def new_device(self) -> str:
        """The address of one more device."""
        self._devices_given += 1
        high, low = divmod(self._devices_given, 250)
        address = f"198.18.{high + 1}.{low + 1}"
        await self._run_there(
            "ip", "addr", "add", f"{address}/{_PREFIX}", "brd", BROADCAST, "dev", "devices"
        )
        return address

    async def vanish(self, address: str, connection: socket.socket) -> None:
        """Take a device away with its connection, of which nobody is told."""
        await self._run_there("ip", "addr", "del", f"{address}/{_PREFIX}", "dev", "devices")
        # Else the kernel would try to send its FIN for a minute; the reset cannot leave either.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    async def unplug(self, seconds: float) -> None:
        """Cut every device off for a while, as an access point that restarts."""
        self._is_up.clear()
        await self._run_there("ip", "link", "set", "devices", "down")
        await asyncio.sleep(seconds)
        await self._run_there("ip", "link", "set", "devices", "up")
        self._is_up.set()

    def socket(self, address: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket of the device with this address."""
        with self._among_devices():
            found = socket.socket(socket.AF_INET, kind)
        found.setblocking(False)
        found.bind((address, 0))
        return found

    @contextmanager
    def _among_devices(self) -> Iterator[None]:
        """A socket belongs to the namespace in which the thread is that makes it."""
        _enter(self._there)
        try:
            yield
        finally:
            _enter(self._here)

    async def _run_there(self, *command: str) -> None:
        await _run("nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *command)

    async def _unshared(self) -> None:
        """Wait until the holder is in a namespace of its own."""
        while _namespace("self") == _namespace(self._holder.pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


_libc = ctypes.CDLL(None, use_errno=True)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")


def _namespace(pid: object) -> Path:
    return Path(f"/proc/{pid}/ns/net").readlink()


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, complaint = await process.communicate()
    if process.returncode:
        raise OSError(f"{' '.join(command)}: {complaint.decode().strip()}")

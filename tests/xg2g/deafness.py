"""A device that drops off the network, without the rights of an administrator.

A socket filter (Linux, socket(7), SO_ATTACH_FILTER) that takes no packet has the kernel drop each
segment before TCP sees it: nothing is acknowledged, no probe is answered, nothing is refused.
"""

import ctypes
import socket
import struct

_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_RETURN_0 = struct.pack("=HBBI", 6, 0, 0, 0)
"""BPF: `BPF_RET | BPF_K` with 0, the length of the packet that is kept."""


def vanish(connection: socket.socket) -> None:
    """Have the connection's kernel hear nothing any more."""
    program = ctypes.create_string_buffer(_RETURN_0, len(_RETURN_0))
    connection.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program))
    )


def come_back(connection: socket.socket) -> None:
    """Have it hear again."""
    connection.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)

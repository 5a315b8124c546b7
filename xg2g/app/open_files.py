"""The limit on open files: each connection uses one, and each stream from the receiver another."""

import sys

try:
    import resource
except ImportError:
    # Windows: each program there can open more than enough.
    _IS_LIMITED = False
else:
    _IS_LIMITED = True

WANTED = 8192
"""More than the maximum number of connections and streams."""

_RESERVED = 1 / 3
"""Share of a small limit that is reserved for the streams of connected clients."""
_RESERVED_MAX = 256


def raise_limit() -> None:
    """Raise the limit to `WANTED`, or as far as the system allows; defaults are 1024 or 256."""
    if sys.platform != "win32" and _IS_LIMITED:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit() -> int:
    """Return the maximum number of open files; 0 for no limit."""
    soft = 0
    if sys.platform != "win32" and _IS_LIMITED:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft = 0 if soft == resource.RLIM_INFINITY else soft
    return soft


def left(newest: int) -> int:
    """Return how many more connections can be accepted. `newest` is the descriptor of the file that
    was just opened: the system assigns the lowest free one."""
    maximum = limit()
    return maximum - int(min(maximum * _RESERVED, _RESERVED_MAX)) - newest if maximum else 1

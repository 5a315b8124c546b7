"""The limit on open files: each connection is one, and each stream of the receiver another."""

import sys

if sys.platform != "win32":
    import resource

WANTED = 8192
"""More than all connections and streams there can be."""

_KEPT = 1 / 3
"""Part of a small limit that is kept for the streams of those who are connected."""
_KEPT_AT_MOST = 256


def raise_limit() -> None:
    """Take as many as the system allows, up to `WANTED`; systems begin with 1024 or 256."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit() -> int:
    """Return how many files may be open; 0 for no limit."""
    soft = 0
    if sys.platform != "win32":
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft = 0 if soft == resource.RLIM_INFINITY else soft
    return soft


def left(newest: int) -> int:
    """Return how many more connections there is room for, when the file that was just opened has
    the number `newest`: the system gives the lowest that is free."""
    most = limit()
    return most - int(min(most * _KEPT, _KEPT_AT_MOST)) - newest if most else 1

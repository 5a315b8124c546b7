"""Locks between processes: `flock`, or `LockFileEx` on Windows.

The system releases a lock when its process ends, in whatever way. A file that was left behind
blocks nobody.
"""

import errno
import os
from typing import IO, Any

from filelock import lock_descriptor


def lock_file(file: IO[Any]) -> None:
    """Lock an open file until it is closed or the process ends. Does not wait.

    Raises `BlockingIOError` if another process has locked it, and another `OSError` if the file
    system has no locks.
    """
    if not lock_descriptor(file.fileno(), blocking=False):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

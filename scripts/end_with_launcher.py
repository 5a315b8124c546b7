"""Runs first in the single executable: ends it when its launcher was killed.

The launcher unpacks, passes signals on, waits and removes what it unpacked. A SIGKILL leaves it no
time for that, and a daemon that nobody knows any more would keep the port.
"""

import atexit
import ctypes
import os
import shutil
import signal
import sys

PR_SET_PDEATHSIG = 1

if sys.platform == "linux":
    launcher = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    @atexit.register
    def remove_what_was_unpacked() -> None:
        if os.getppid() != launcher:
            shutil.rmtree(sys._MEIPASS, ignore_errors=True)  # type: ignore[attr-defined]

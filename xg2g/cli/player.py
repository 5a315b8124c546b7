"""The player on this computer that shows a stream."""

import shutil
from collections.abc import Callable

PLAYERS = ("mpv", "vlc", "ffplay")
"""By how soon and how well they show live television."""


def find_player(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """Return the name of the first of `PLAYERS` that is installed; None without one."""
    return next((name for name in PLAYERS if which(name)), None)

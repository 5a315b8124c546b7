"""The command line as a person calls it, with nothing set but what a test sets."""

import subprocess
import sys

from tests.harness.process import READY_S, Process, environment

COMMAND = (sys.executable, "-c", "from xg2g.cli import main; main()")


def xg2g(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, within a minute."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(**variables),
    )


class DaemonProcess(Process):
    """`xg2g serve`, or another command that announces a daemon once it serves."""

    async def address(self, within_s: float = READY_S) -> str:
        """Wait until it serves, and return its URL without a final slash."""
        return _announced(await self.line(_is_playlist, within_s=within_s))

    def await_address(self) -> str:
        """As `address`, for tests without an event loop."""
        return _announced(self.await_line(_is_playlist))


def _is_playlist(line: str) -> bool:
    return line.split()[:1] == ["playlist"]


def _announced(line: str) -> str:
    return line.split()[-1].removesuffix("/playlist.m3u")

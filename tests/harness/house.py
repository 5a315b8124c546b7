"""A house with a running daemon in it, and real clients."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.harness.command import COMMAND, DaemonProcess

ADDRESS = os.environ.get("XG2G_E2E_ADDRESS")
"""The daemon's address in the network that tools/e2e.sh has made; None without one."""

PATIENCE_S = 60
"""What has to happen happens in this time, on a busy machine, too."""


@dataclass(frozen=True)
class House:
    """A daemon that serves, and where its clients are run."""

    url: str
    """How clients reach it, without a final slash."""
    home: Path
    """What clients have as HOME."""

    @property
    def playlist_url(self) -> str:
        return f"{self.url}/playlist.m3u"

    def ask(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False)

    def get(self, path: str) -> httpx.Response:
        return self.ask(path).raise_for_status()

    def channels(self) -> dict[str, str]:
        """Name -> URL, in the playlist's order."""
        return dict(
            re.findall(
                r'^#EXTINF[^\n]*tvg-name="([^"]*)".*\n(?:#.*\n)*(http.*)$',
                self.get("/playlist.m3u").text,
                re.MULTILINE,
            )
        )

    def watching(self) -> int:
        """Viewers that the daemon has at the moment."""
        return self._metric("xg2g_streams_active")

    def tuners_in_use(self) -> int:
        """Of the receiver, also by channels that nobody watches any more."""
        return self._metric("xg2g_tuners_in_use")

    def lingering(self) -> int:
        """Streams that are kept open after their last viewer."""
        return self._metric("xg2g_streams_lingering")

    def watched(self) -> int:
        """Streams that have ended because the viewer left."""
        return self._metric('xg2g_streams_total{outcome="viewer_left"}')

    def _metric(self, name: str) -> int:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        assert found, name
        return int(float(found[1]))

    def run(self, *command: str, timeout_s: float = PATIENCE_S, fails: bool | None = False) -> str:
        """Run a client to its end and return what it says; what it started ends with it.

        A client that is not done in time, or fails, fails the test with its words. `fails=None`
        leaves the second to the test.
        """
        with self.client(*command) as process:
            try:
                said, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                said, _ = process.communicate()
                raise AssertionError(
                    f"{command[0]} was not done in {timeout_s} s: {said}"
                ) from None
        assert fails in (None, bool(process.returncode)), said
        return said

    @contextmanager
    def client(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> Iterator[subprocess.Popen[str]]:
        """A client that runs for as long as the context is open."""
        process = subprocess.Popen(
            command,
            env={**_environment(self.home), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=pass_fds,
        )
        with process:
            try:
                yield process
            finally:
                # Its children, too, and those that outlive it.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def until(condition: Callable[[], bool], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for something that nothing announces."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not in {within_s} s: {what}"
        time.sleep(0.2)


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """`xg2g demo`, with its lineup and guide read; it is stopped as a terminal stops it."""
    home = folder / "home"
    home.mkdir()
    # Any free port when the tests run without a network of their own.
    where = ("--host", "0.0.0.0", "--port", "8088") if ADDRESS else ("--port", "0")
    ports = {"XG2G_HDHOMERUN_PORTS": "80,5004"} if ADDRESS else {}
    variables = {**_environment(home), **ports}
    daemon = DaemonProcess(*COMMAND, "demo", *where, folder=folder, variables=variables)
    with daemon:
        running = House(daemon.await_address(), home)
        until(
            lambda: "<programme " in running.ask("/xmltv.xml").text, "the daemon has read the guide"
        )
        yield running
        daemon.stop(signal.SIGINT)
    assert "Traceback" not in daemon.log.text(), daemon.log.text()


def _environment(home: Path) -> dict[str, str]:
    """As at the first start on a new computer; no proxy stands between client and daemon."""
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "no_proxy": "*",
    }

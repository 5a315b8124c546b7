"""Browsers as the distribution has them, and a sound card that nobody hears."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Playwright

from tests.harness.house import until
from tests.harness.process import Process

BrowserName = Literal["chromium", "firefox"]


@dataclass(frozen=True)
class Launcher:
    """Starts browsers, with what they need of the system."""

    playwright: Playwright
    environment: Mapping[str, str]

    def start(self, name: BrowserName) -> Browser:
        """Start it without a window; it forgets everything when it is closed."""
        if name == "chromium":
            return self.playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                # Sound is played, as at home: the sound card has no loudspeaker.
                ignore_default_args=["--mute-audio"],
                env=dict(self.environment),
            )
        return self.playwright.firefox.launch(
            # Firefox as it is released, by WebDriver BiDi.
            channel="moz-firefox",
            executable_path="/usr/bin/firefox-esr",
            env=dict(self.environment),
        )


@contextmanager
def sound_card(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run a sound server without loudspeakers; yields the variables by which clients find it.

    Firefox has no clock for Web Audio where there is no sound card.
    """
    socket = folder / "sound"
    environment = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    server = Process(
        *("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no"),
        *("--exit-idle-time=-1", "--load=module-null-sink"),
        f"--load=module-native-protocol-unix auth-anonymous=1 socket={socket}",
        variables=environment,
    )
    with server:
        until(lambda: socket.exists() or not server.alive, "the sound server listens")
        assert socket.exists(), server.written()
        yield {**environment, "PULSE_SERVER": f"unix:{socket}"}

"""Running a program and telling what it used."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.harness.process import peak_resident_bytes

_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """A program that has ended well."""

    cpu_s: float
    """User and system time of the process with its threads, from start to end."""
    peak_rss_bytes: int
    """Largest resident set, seen every 20 ms; 0 where there is no /proc."""
    stdout: bytes


def run(command: Sequence[str | Path]) -> Run:
    """Run a program to its end. Raises `CalledProcessError`, with what it said on our stderr."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        peak_rss_bytes = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak_rss_bytes = max(peak_rss_bytes, peak_resident_bytes(process.pid))
            time.sleep(_POLL_S)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            stderr.seek(0)
            sys.stderr.write(stderr.read().decode(errors="replace"))
            raise subprocess.CalledProcessError(process.returncode, [*map(str, command)])
        stdout.seek(0)
        return Run(usage.ru_utime + usage.ru_stime, peak_rss_bytes, stdout.read())

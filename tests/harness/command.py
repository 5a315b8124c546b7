"""The command as a person calls it, with nothing set but what a test sets."""

import os
import subprocess
import sys

COMMAND = (sys.executable, "-c", "from xg2g.cli import main; main()")


def environment(**variables: str) -> dict[str, str]:
    """The test's own, without settings and without the files of whoever runs the test."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("XG2G_")}
    return bare | {"XG2G_CONFIG": "/dev/null", "COLUMNS": "200"} | variables


def xg2g(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(**variables),
    )

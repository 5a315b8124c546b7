"""Locks between processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from xg2g.store.file_lock import lock_file

HOLDER = """
import sys, time
from xg2g.store.file_lock import lock_file
file = open(sys.argv[1], "a")
lock_file(file)
print("locked", flush=True)
time.sleep(60)
"""


def test_a_lock_ends_when_its_process_is_killed_and_the_file_left_behind_blocks_nobody(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            with path.open("a") as file, pytest.raises(BlockingIOError):
                lock_file(file)
        finally:
            holder.kill()
        holder.wait(timeout=10)
    assert path.exists()
    with path.open("a") as file:
        lock_file(file)
    with path.open("a") as file:
        lock_file(file)
    assert path.read_bytes() == b""

"""`scripts/counted.sh` shows how far a long step of the build is."""

import os
import pty
import re
import subprocess
from pathlib import Path

COUNTED = Path(__file__).parents[2] / "scripts" / "counted.sh"


def counted(script: str) -> subprocess.CompletedProcess[str]:
    command = [str(COUNTED), "step", "parts", "3", "^part ", "bash", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_end_says_how_many_parts_there_were_and_nothing_of_what_was_said() -> None:
    done = counted("echo part 1; echo noise; echo part 2 >&2; printf 'part 3'")
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(r"  step       parts: 3, \d+ s\n", done.stderr)


def test_a_line_that_comes_in_two_pieces_counts_once() -> None:
    done = counted("printf 'pa'; sleep 1.5; echo 'rt 1'; echo part 2")
    assert "  step       parts: 2, " in done.stderr


def test_what_fails_ends_with_its_own_code_and_its_own_words() -> None:
    done = counted("echo part 1; echo 'cannot go on' >&2; exit 7")
    assert done.returncode == 7
    assert "cannot go on" in done.stderr
    assert "parts: 1" not in done.stderr


def test_a_command_that_is_not_there_fails() -> None:
    command = [str(COUNTED), "step", "parts", "3", "^part ", "no-such-command"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 127
    assert "no-such-command" in done.stderr


def test_a_terminal_sees_the_count_grow_on_one_line() -> None:
    terminal, of_child = pty.openpty()
    script = "echo part 1; sleep 1.2; echo part 2; sleep 1.2"
    process = subprocess.Popen(
        [str(COUNTED), "step", "parts", "3", "^part ", "bash", "-c", script], stderr=of_child
    )
    assert process.wait(60) == 0
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    os.close(of_child)
    assert "\r  step       parts: 1 of 3, " in shown
    assert "\r  step       parts: 2 of 3, " in shown
    assert shown.count("\n") == 1

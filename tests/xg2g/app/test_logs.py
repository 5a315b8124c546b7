"""The log: text on a terminal, JSON elsewhere, or as set."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import logging, structlog, sys
from xg2g.app import logs
from xg2g.config.settings import LogSettings
logs.configure(LogSettings(format=sys.argv[1], level=sys.argv[2]))
structlog.get_logger().info("lineup read", channels=3)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("uvicorn.error").exception("from elsewhere")
"""


def logged(form: str, level: str = "info", *, stderr: int = subprocess.PIPE) -> str:
    command = (sys.executable, "-c", PROGRAM, form, level)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, check=True)
    assert done.stdout == ""
    return done.stderr or ""


@pytest.mark.parametrize("form", ["auto", "json"])
def test_programs_get_a_json_object_a_line(form: str) -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in logged(form).splitlines()]
    assert [line["event"] for line in lines] == ["lineup read", "from elsewhere"]
    assert lines[0]["channels"] == 3
    assert [line["level"] for line in lines] == ["info", "error"]
    assert lines[1]["exception"].endswith("ZeroDivisionError: division by zero")
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_the_text_format_has_no_colours_in_a_file() -> None:
    text = logged("text")
    assert "lineup read" in text
    assert "channels=3" in text
    assert "\x1b" not in text


def test_a_terminal_gets_text() -> None:
    terminal, inside = pty.openpty()
    logged("auto", stderr=inside)
    os.close(inside)
    shown = os.read(terminal, 4096).decode()
    os.close(terminal)
    assert "lineup read" in shown
    assert "{" not in shown


def test_a_name_from_outside_neither_moves_the_cursor_nor_begins_a_line() -> None:
    evil = "\x1b[2J\x9b31m\nstream started \u202e\x07"
    program = f"""
import logging, structlog
from xg2g.app import logs
from xg2g.config.settings import LogSettings
logs.configure(LogSettings(format="text"))
structlog.get_logger().warning({evil!r}, name={evil.replace(" ", "_")!r}, reason={evil!r})
logging.getLogger("uvicorn.error").error({evil!r})
"""
    done = subprocess.run(
        (sys.executable, "-c", program), stderr=subprocess.PIPE, text=True, check=True
    )
    first, second = done.stderr.splitlines()
    assert first.isprintable()
    assert second.isprintable()
    assert first.count("x1b[2J") == 3


def test_a_log_level_leaves_out_less_severe_lines() -> None:
    [line] = logged("json", "error").splitlines()
    assert json.loads(line)["event"] == "from elsewhere"

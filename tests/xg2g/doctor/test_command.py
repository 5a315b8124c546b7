"""`xg2g doctor` as a person and a program call it."""

import asyncio
import json
from collections.abc import AsyncIterator
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from tests.harness.command import xg2g
from xg2g.cli import main
from xg2g.cli.doctor import show
from xg2g.doctor import run
from xg2g.doctor.check import Finding, Verdict
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio


async def test_the_command_prints_json_for_programs_and_exits_with_the_verdict() -> None:
    async with SimulatedReceiver() as receiver:
        flags = ("--receiver", receiver.base_url, "--port", "0", "--json", "--seconds", "1")
        port = {"XG2G_RELAY_PORT": str(receiver.relay_port), "XG2G_HDHR_ENABLED": "false"}
        well = await asyncio.to_thread(
            xg2g, "doctor", *flags, "--stream-port", str(receiver.stream_port), **port
        )
        ill = await asyncio.to_thread(xg2g, "doctor", *flags, "--stream-port", "1", **port)
    assert well.returncode == 0, well.stdout
    assert ill.returncode == 1
    topics = {finding["topic"] for finding in json.loads(well.stdout)}
    assert {"versions", "settings", "receiver", "stream", "sound", "guide"} <= topics


def test_on_a_terminal_a_finding_is_wrapped_under_its_column() -> None:
    finding = Finding("guide", Verdict.NOTE, "no guide " * 10, "watch the channel " * 5)
    text, lines = StringIO(), StringIO()
    show(Console(file=lines, width=80), finding)
    show(Console(file=text, width=80, force_terminal=True, no_color=True), finding)
    assert len(lines.getvalue().splitlines()) == 2
    first, *wrapped = Text.from_ansi(text.getvalue()).plain.splitlines()
    assert first.startswith("note     guide         no guide")
    assert len(wrapped) > 2
    assert all(line.startswith(" " * 23) and len(line) <= 80 for line in wrapped)


async def test_an_exit_code_tells_faults_of_television_from_other_faults() -> None:
    async with SimulatedReceiver() as receiver:
        flags = ("--receiver", receiver.base_url, "--port", "0", "--seconds", "1")
        streams = ("--stream-port", str(receiver.stream_port))
        around = ("--data-dir", "/dev/null/xg2g")
        port = {"XG2G_RELAY_PORT": str(receiver.relay_port), "XG2G_HDHR_ENABLED": "false"}
        said = {}
        for name, more in {
            "well": streams,
            "around": (*streams, *around),
            "ill": ("--stream-port", "1", *around),
        }.items():
            result = await asyncio.to_thread(xg2g, "doctor", *flags, *more, **port)
            said[name] = (result.returncode, result.stdout.splitlines()[-1])
    assert said["well"] == (0, "television works")
    assert said["around"] == (3, "television works, but not everything: see data")
    code, line = said["ill"]
    assert code == 1
    assert line.startswith("television does not work: see data, streams")


async def test_log_lines_are_no_part_of_the_output() -> None:
    async with SimulatedReceiver() as receiver:
        flags = ("--receiver", receiver.base_url, "--stream-port", str(receiver.stream_port))
        channel = ("--channel", "Card Five HD (scrambled)", "--seconds", "1")
        gone = {"XG2G_RELAY_PORT": "1", "XG2G_EXTERNAL_TRANSCODER": "http://127.0.0.1:1"}
        gone["XG2G_EXTERNAL_FALLBACK"] = "true"
        result = await asyncio.to_thread(xg2g, "doctor", *flags, *channel, "--json", **gone)
    assert json.loads(result.stdout)
    assert result.stderr == ""


async def test_settings_that_cannot_work_are_findings_too() -> None:
    result = await asyncio.to_thread(xg2g, "doctor", "--port", "x")
    assert result.returncode == 1
    assert '--port: "x" is not a whole number' in result.stdout
    assert "Traceback" not in result.stderr


def test_every_finding_is_shown_with_its_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def checks(*_: object, **__: object) -> AsyncIterator[Finding]:
        for verdict in Verdict:
            yield Finding(f"topic {verdict}", verdict, f"text {verdict}", f"advice {verdict}")

    monkeypatch.setattr(run, "run_checks", checks)
    monkeypatch.setattr("sys.argv", ["xg2g", "doctor"])
    monkeypatch.setenv("XG2G_CONFIG", "/dev/null")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    shown = capsys.readouterr().out
    for verdict in Verdict:
        assert f"{verdict:8} topic {verdict}" in shown
        assert f"text {verdict}" in shown
        assert f"→ advice {verdict}" in shown

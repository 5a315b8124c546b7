"""The harness tells why a program failed, and the rooms around the tests import one way."""

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.command import DaemonProcess, xg2g
from tests.harness.ports import free_port
from tests.harness.process import Process, running
from tests.harness.transcoder import Transcoder

ROOT = Path(__file__).parents[1]
ROOMS = ("scripts", "tools", "bench", "tests")
IMPORTS = {
    "scripts": {"scripts"},
    "tools": {"tools"},
    "bench": {"bench", "tools", "tests.harness", "tests.oracle"},
    "tests/harness": {"tests.harness"},
    "tests/load": {"tests.load", "tests.harness", "tests.oracle", "tests.e2e"},
}
"""What each may import of the rooms beside the packages that ship."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def python(program: str, **options: int) -> Process:
    return Process(sys.executable, "-c", program, name="program", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("room", "allowed"), IMPORTS.items(), ids=list(IMPORTS))
def test_a_room_imports_what_lies_below_it(room: str, allowed: set[str]) -> None:
    found = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in (ROOT / room).rglob("*.py")
        for name in imported(file)
        if name.partition(".")[0] in ROOMS
        and not any(f"{name}.".startswith(f"{each}.") for each in allowed)
    }
    assert found == set()


def imported(file: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {alias.name for it in nodes if isinstance(it, ast.Import) for alias in it.names}
    return names | {
        it.module for it in nodes if isinstance(it, ast.ImportFrom) and it.module and not it.level
    }


@pytest.mark.anyio
async def test_a_program_that_ends_too_soon_shows_both_that_it_wrote() -> None:
    program = "import sys; print('ready soon'); sys.stderr.write('no database\\n'); sys.exit(3)"
    async with python(program) as process:
        with pytest.raises(
            AssertionError, match=r"program ended with 3:\nready soon\n+no database"
        ):
            await process.line(lambda line: line == "ready")


@pytest.mark.anyio
async def test_a_daemon_that_ends_before_it_serves_shows_why() -> None:
    command = (sys.executable, "-c", "from xg2g.cli import main; main()")
    async with DaemonProcess(*command, "serve", "--receiver", "nonsense://", name="it") as daemon:
        with pytest.raises(AssertionError, match=r"it ended with 2:\n.*--receiver"):
            await daemon.address()


def test_a_transcoder_that_cannot_start_shows_why() -> None:
    transcoder = Transcoder(f"http://127.0.0.1:{free_port()}", "--no-such-flag")
    with pytest.raises(AssertionError, match="no-such-flag"):
        transcoder.start()


@pytest.mark.anyio
async def test_a_program_that_is_too_slow_shows_what_it_wrote() -> None:
    async with python("import time; print('waiting', flush=True); time.sleep(60)") as process:
        await process.line(lambda line: line == "waiting")
        with pytest.raises(AssertionError, match="more than 0.1 s:\nwaiting"):
            await process.line(within_s=0.1)


@pytest.mark.anyio
async def test_a_program_answers_line_by_line_and_starts_again_after_a_crash() -> None:
    program = "import sys\nsum(range(5_000_000))\n"
    program += "for line in sys.stdin: print(line.strip().upper(), flush=True)"
    async with python(program, stdin=subprocess.PIPE) as process:
        assert [await process.ask("one"), await process.ask("two")] == ["ONE", "TWO"]
        assert process.resident_bytes() > 1_000_000
        assert process.cpu_s() > 0
        assert await process.end(signal.SIGKILL) == -signal.SIGKILL
        assert (process.alive, process.resident_bytes(), process.cpu_s()) == (False, 0, 0.0)
        process.start()
        assert await process.ask("three") == "THREE"


@pytest.mark.anyio
async def test_processes_have_ended_after_an_error() -> None:
    first, second = (python("import time; time.sleep(60)") for _ in range(2))
    with pytest.raises(RuntimeError):
        async with running(first, second):
            assert first.alive and second.alive
            raise RuntimeError
    assert not first.alive and not second.alive


def test_settings_of_this_computer_do_not_reach_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XG2G_PORT", "nonsense")
    assert xg2g("config", "show", XG2G_RECEIVER="http://box").returncode == 0
    assert xg2g("config", "show", XG2G_PORT="nonsense").returncode == 2


def test_the_memory_of_this_process_is_seen() -> None:
    # In a process of its own: this one has freed memory that the kernel may take back meanwhile.
    program = """
from tests.harness.process import resident_bytes
before = resident_bytes()
held = b"x" * 100_000_000
print(resident_bytes() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 80_000_000 < int(done.stdout) < 120_000_000

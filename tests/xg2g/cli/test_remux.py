"""`xg2g remux` as a person runs it."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

CLIPS = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips"
RADIO = CLIPS / "four-radio.ts"
LATM = CLIPS / "three-latm.ts"

COMMAND = (sys.executable, "-c", "from xg2g.cli import main; main()", "remux")
ENVIRONMENT: Mapping[str, str] = {
    name: value for name, value in os.environ.items() if not name.startswith("XG2G_")
}


def remux(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments], input=stdin, capture_output=True, timeout=100, env=ENVIRONMENT
    )


def complaint(result: subprocess.CompletedProcess[bytes]) -> str:
    """The one line that a failed command says."""
    text = result.stderr.decode()
    assert text.startswith("xg2g: ") and text.count("\n") == 1, text
    return text


def test_files_and_pipes_give_the_same_stream(tmp_path: Path) -> None:
    result = remux(RADIO, tmp_path / "out.ts")
    assert (result.returncode, result.stdout) == (0, b"")
    converted = (tmp_path / "out.ts").read_bytes()
    assert len(converted) > len(RADIO.read_bytes()) // 2
    piped = remux("-", "-", stdin=RADIO.read_bytes())
    assert (piped.stdout, piped.stderr) == (converted, b"")

    os.mkfifo(tmp_path / "fifo")
    with subprocess.Popen([*COMMAND, tmp_path / "fifo", tmp_path / "2.ts"], env=ENVIRONMENT) as one:
        (tmp_path / "fifo").write_bytes(RADIO.read_bytes())
        assert one.wait() == 0
    assert (tmp_path / "2.ts").read_bytes() == converted


def test_the_last_line_says_what_was_converted_and_repaired_and_how_long_it_took(
    tmp_path: Path,
) -> None:
    source = RADIO.read_bytes()
    said = remux(RADIO, tmp_path / "1.ts").stderr.decode()
    assert re.fullmatch(
        r"converted mp2 deu to AAC; 0\.3 MB in \d+\.\d s; repaired: nothing\n", said
    ), said
    (tmp_path / "cut.ts").write_bytes(source[: 188 * 400] + b"?" * 50 + source[188 * 420 :])
    said = remux(tmp_path / "cut.ts", tmp_path / "2.ts").stderr.decode()
    assert re.search(r"repaired: \d gaps in the packets, 50 bytes between packets", said), said
    untouched = remux(CLIPS / "five-scrambled.ts", tmp_path / "3.ts").stderr.decode()
    assert untouched.startswith("converted no audio; ")


def test_an_existing_file_is_replaced_only_with_force(tmp_path: Path) -> None:
    target = tmp_path / "out.ts"
    target.write_bytes(b"mine")
    refused = remux(RADIO, target)
    assert (refused.returncode, target.read_bytes()) == (2, b"mine")
    assert "--force" in complaint(refused)
    assert remux(RADIO, target, "--force").returncode == 0
    assert target.read_bytes()[0] == 0x47
    assert remux(RADIO, "/dev/null").returncode == 0
    (tmp_path / "made").touch()
    assert remux(RADIO, tmp_path / "made").returncode == 0


def test_the_counters_come_as_json_on_standard_error(tmp_path: Path) -> None:
    result = remux(LATM, tmp_path / "out.ts", "--stats", "--channels", "1", "--bitrate", "64k")
    counters = json.loads(result.stderr)
    assert counters["bytes_in"] == LATM.stat().st_size
    assert counters["bytes_out"] == (tmp_path / "out.ts").stat().st_size
    assert "aac_latm" in {track["codec"] for track in counters["tracks"]}


def test_a_converted_stream_is_available_while_the_source_goes_on() -> None:
    with subprocess.Popen(
        [*COMMAND, "-", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LATM.read_bytes()[: 200 * 188])
        process.stdin.flush()
        assert process.stdout.read(188)[0] == 0x47
        process.kill()


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    with subprocess.Popen(
        [*COMMAND, LATM, "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_an_unknown_program_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    result = remux(LATM, tmp_path / "out.ts", "--program", "9")
    assert result.returncode == 1
    assert "program 9 is not in" in complaint(result)
    there = complaint(result).rpartition("choose one of ")[2].split(", ")
    for program in there:
        chosen = remux(LATM, "-", "--program", program.strip())
        assert chosen.returncode == 0, chosen.stderr
    assert not (tmp_path / "out.ts").exists()


@pytest.mark.parametrize(
    ("source", "target", "exit_code", "said"),
    [
        ("missing.ts", "out.ts", 1, "cannot read"),
        (".", "out.ts", 1, "Is a directory"),
        ("text", "out.ts", 1, "not a transport stream"),
        ("noise", "out.ts", 1, "not a transport stream"),
        ("empty", "out.ts", 1, "is empty"),
        ("clip.ts", "clip.ts", 2, "the same file"),
        ("clip.ts", "link.ts", 2, "the same file"),
        ("clip.ts", "missing/out.ts", 1, "cannot write"),
    ],
)
def test_what_cannot_be_converted_is_one_line_and_leaves_no_output(
    tmp_path: Path, source: str, target: str, exit_code: int, said: str
) -> None:
    (tmp_path / "text").write_text("plain text\n" * 1000)
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 8192)
    (tmp_path / "empty").touch()
    (tmp_path / "clip.ts").write_bytes(RADIO.read_bytes())
    (tmp_path / "link.ts").symlink_to("clip.ts")
    result = remux(tmp_path / source, tmp_path / target)
    assert result.returncode == exit_code, result.stderr
    assert said in complaint(result)
    assert not (tmp_path / "out.ts").exists()
    assert (tmp_path / "clip.ts").read_bytes() == RADIO.read_bytes()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--bitrate", "1", "use 8000 to 576000"),
        ("--channels", "3", "channels 3"),
        ("--sample-rate", "47999", "47999"),
        ("--tracks", "german", '"german"'),
        ("--program", "70000", "65535"),
    ],
)
def test_an_option_out_of_range_says_what_to_use(option: str, value: str, said: str) -> None:
    result = remux(RADIO, "-", option, value)
    assert result.returncode == 2
    assert said in result.stderr.decode()
    assert result.stdout == b""


def test_a_terminal_gets_a_progress_bar_and_no_binary_data(tmp_path: Path) -> None:
    terminal, terminal_of_child = pty.openpty()
    cases = (("-", 2, "cannot write to a terminal"), (str(tmp_path / "out.ts"), 0, "0:00:"))
    for target, code, shown in cases:
        process = subprocess.Popen(
            [*COMMAND, LATM, target],
            stdout=terminal_of_child,
            stderr=terminal_of_child,
            env={**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "120"},
        )
        assert process.wait() == code
        assert shown in os.read(terminal, 65536).decode()
    os.close(terminal)
    os.close(terminal_of_child)

"""What the siege judges is judged: a leak, growth and a bad line of the log are found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from scripts.siege.audit import Held, Memory, complaints
from scripts.siege.client import Answer
from scripts.siege.tally import PATIENCE_S, PROMISED, Tally

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = Held(
    streams=0, lingering=0, tuners=0, remuxers=0, tasks=8, threads=5, sockets=9, files=16
)


def test_what_is_left_over_is_named_with_both_counts() -> None:
    left = Held(
        streams=0, lingering=0, tuners=1, remuxers=0, tasks=8, threads=6, sockets=8, files=16
    )
    assert left.beyond(NOTHING) == {"tuners": (1, 0), "threads": (6, 5)}
    assert NOTHING.beyond(left) == {"sockets": (9, 8)}


def test_memory_is_compared_by_sixths_of_the_time() -> None:
    memory = Memory(times_s=[float(second) for second in range(60)])
    assert memory.medians([10 * (second // 10) for second in range(60)]) == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"level": "error", "event": "no such table"}),
        json.dumps({"level": "warning", "event": "late", "exception": "Traceback (most recent"}),
        "ResourceWarning: unclosed transport",
        "Task exception was never retrieved",
    ],
)
def test_a_bad_line_of_the_log_is_found_among_good_ones(tmp_path: Path, line: str) -> None:
    log = tmp_path / "daemon.log"
    good = [json.dumps({"level": level, "event": "stream ended"}) for level in ("info", "warning")]
    log.write_text("\n".join([*good, line, "playlist   http://127.0.0.1:8088/playlist.m3u"]))
    assert complaints(log).complaints == [line]


@pytest.mark.parametrize(("status", "error"), [(200, ""), *sorted(PROMISED)])
def test_a_stream_may_be_refused_in_the_documented_ways(status: int, error: str) -> None:
    tally = Tally()
    tally.answered("/auto/v1", Answer(status, error, after_s=1))
    assert not tally.wrong


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, "806 Tune Failed", after_s=1),
        Answer(503, "", after_s=1),
        Answer(200, "", after_s=PATIENCE_S + 1),
    ],
)
def test_no_other_way_nor_delay_passes(answer: Answer) -> None:
    tally = Tally()
    tally.answered("/auto/v1", answer)
    assert len(tally.wrong) == 1

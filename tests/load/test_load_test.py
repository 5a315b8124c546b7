"""What the load test judges is judged: a leak, growth and a bad line of the log are found."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.load.load_test.audit import Held, Memory, read_log
from tests.load.load_test.client import Answer
from tests.load.load_test.steady import Pauses
from tests.load.load_test.tally import PATIENCE_S, PROMISED, Tally

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = Held(
    streams=0,
    upstreams=0,
    lingering=0,
    ring_bytes=0,
    hls_outputs=0,
    hls_bytes=0,
    tuners=0,
    remuxers=0,
    tasks=8,
    threads=5,
    sockets=9,
    files=16,
)


def test_what_is_left_over_is_named_with_both_counts() -> None:
    left = replace(NOTHING, tuners=1, ring_bytes=188, threads=6, sockets=8)
    assert left.beyond(NOTHING) == {"tuners": (1, 0), "ring_bytes": (188, 0), "threads": (6, 5)}
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
    good = [json.dumps({"level": level, "event": "lineup read"}) for level in ("info", "warning")]
    log.write_text("\n".join([*good, line, "playlist   http://127.0.0.1:8088/playlist.m3u"]))
    assert read_log(log).complaints == [line]


def test_it_is_told_how_long_who_vanished_was_kept(tmp_path: Path) -> None:
    ends = {"10.0.0.1": "12:00:09", "10.0.0.2": "12:00:15", "10.0.0.3": "11:59:00"}
    lines = (
        {
            "level": "info",
            "event": "stream ended",
            "viewer": viewer,
            "timestamp": f"2026-01-01T{at}Z",
        }
        for viewer, at in ends.items()
    )
    log = tmp_path / "daemon.log"
    log.write_text("\n".join(map(json.dumps, lines)))
    noon_s = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
    vanished = {**dict.fromkeys(ends, noon_s), "10.0.0.4": noon_s}
    assert read_log(log).found_after_s(vanished) == [9, 15]


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


def noted(beside_s: list[float], without_s: list[float]) -> Pauses:
    """What steady viewers of two channels saw, on one of which somebody reads slowly."""
    pauses = Pauses()
    now_s = time.monotonic() + 1
    with pauses.being_slow("held"):
        for channel, lengths_s in (("held", beside_s), ("free", without_s)):
            for length_s in lengths_s:
                pauses.note(channel, now_s, now_s + length_s)
    return pauses


def test_slow_viewers_who_hold_up_others_are_found() -> None:
    usual_s = [0.1] * 2000
    assert noted(usual_s, usual_s).held_up() == ""
    assert noted([0.1] * 1900 + [0.5] * 100, usual_s).held_up()
    assert noted(usual_s, [0.1] * 1900 + [0.5] * 100).held_up() == ""
    assert noted([0.5] * 100, usual_s).held_up() == "", "a hundred pauses are too few to tell"


def test_a_pause_in_which_a_slow_viewer_came_or_went_belongs_to_neither_kind() -> None:
    pauses = Pauses()
    began_s = time.monotonic() - 1
    with pauses.being_slow("held"):
        pauses.note("held", began_s, began_s + 2)
        assert not pauses.beside_slow
    pauses.note("held", began_s, began_s + 2)
    assert not pauses.without
    later_s = time.monotonic() + 1
    pauses.note("held", later_s, later_s + 0.1)
    assert pauses.without == pytest.approx([0.1])

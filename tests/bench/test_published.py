"""Figures in README.md are those of the report that is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.published import PAGE, REPORT, ROWS, published


def figure(what: str, **values: float) -> dict[str, Any]:
    return {"what": what, **values}


FIGURES = [
    figure("CPU of a minute, in a running process", ratio=0.111, xg2g=1, ffmpeg=9),
    figure("times real time on one core", xg2g=301.4, ffmpeg=50.2),
    figure("memory of one more stream", xg2g=0.44, ffmpeg=61.2),
    figure("CPU of a minute, in a running process", ratio=0.222, xg2g=1, ffmpeg=9),
    figure("times real time on one core", xg2g=299.6, ffmpeg=50.4),
    figure("memory of one more stream", xg2g=0.96, ffmpeg=63.8),
    figure("first byte after the random access point; ffmpeg at its defaults", xg2g=3, ffmpeg=4321),
    figure("first byte after the random access point; ffmpeg probing least", xg2g=3, ffmpeg=45),
]


def test_each_row_is_written_from_the_report() -> None:
    page = published(PAGE.read_text(), {"figures": FIGURES})
    cells = {label: page.partition(f"| {label} | ")[2].partition(" |\n")[0] for label in ROWS}
    assert list(cells.values()) == [
        "0.11, 0.22 | 1",
        "300 to 301 | 50",
        "0.4 to 1.0 MB | 61 to 64 MB",
        "3 ms | 4.3 s, or 45 ms with the shortest probing",
    ]


def test_nothing_but_the_rows_changes() -> None:
    page = PAGE.read_text()
    changed = published(page, {"figures": FIGURES})
    pairs = zip(page.splitlines(), changed.splitlines(), strict=True)
    assert sum(before != after for before, after in pairs) == len(ROWS)


def test_a_run_that_measured_less_is_not_published() -> None:
    with pytest.raises(ValueError, match="lacks: first byte"):
        published(PAGE.read_text(), {"figures": FIGURES[:-2]})


def test_a_page_without_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="no row"):
        published("# xg2g\n", {"figures": FIGURES})


def test_the_figures_of_the_readme_are_those_of_the_kept_report() -> None:
    report = json.loads(REPORT.read_text())
    assert published(PAGE.read_text(), report) == PAGE.read_text()

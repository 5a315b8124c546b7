"""The rows of README.md's table that a whole run of `make bench` measures.

`make bench ARGS=--publish` keeps the run in bench/report.json and writes the rows anew; a test
compares both from then on.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bench.clips import CODECS

REPORT: Final = Path(__file__).with_name("report.json")
PAGE: Final = Path(__file__).parent.parent / "README.md"
Report = dict[str, Any]
Cells = tuple[str, str]


def published(page: str, report: Report) -> str:
    """Return the page with the figures of the report.

    Raises:
        ValueError: the page has no row for a figure, or the report lacks one.
    """
    for label, cells in ROWS.items():
        start = page.find(f"| {label} |")
        if start < 0:
            raise ValueError(f"no row of README.md begins with: {label}")
        end = page.index("\n", start)
        page = page[:start] + " | ".join((f"| {label}", *cells(report))) + " |" + page[end:]
    return page


def _figures(report: Report, what: str) -> list[dict[str, Any]]:
    found = [figure for figure in report["figures"] if figure["what"].startswith(what)]
    if not found:
        raise ValueError(f"bench/report.json is not of a whole run, it lacks: {what}")
    return found


def _cpu(report: Report) -> Cells:
    found = _figures(report, "CPU of a minute, in a running process")
    return ", ".join(f"{figure['ratio']:.2f}" for figure in found), "1"


def _speed(report: Report) -> Cells:
    found = _figures(report, "times real time")
    return _range(found, "xg2g", 0), _range(found, "ffmpeg", 0)


def _memory(report: Report) -> Cells:
    found = _figures(report, "memory of one more stream")
    return f"{_range(found, 'xg2g', 1)} MB", f"{_range(found, 'ffmpeg', 0)} MB"


def _first_byte(report: Report) -> Cells:
    defaults, least = _figures(report, "first byte")
    shortest = f"{least['ffmpeg']:.0f} ms with the shortest probing"
    return f"{defaults['xg2g']:.0f} ms", f"{defaults['ffmpeg'] / 1000:.1f} s, or {shortest}"


def _range(found: Sequence[dict[str, Any]], side: str, decimals: int) -> str:
    values = [figure[side] for figure in found]
    low, high = (f"{value:.{decimals}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


ROWS: Final[dict[str, Callable[[Report], Cells]]] = {
    f"CPU of a stream, relative to ffmpeg ({', '.join(codec.name for codec in CODECS)})": _cpu,
    "speed on one core, times real time": _speed,
    "memory of each further stream": _memory,
    "first byte, after the source's first picture that can be decoded": _first_byte,
}
"""By the first cell of a row: the cells of xg2g and of ffmpeg."""

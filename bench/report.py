"""The figures, beside those of ffmpeg and the budgets."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table


class Judged(StrEnum):
    """What a budget limits."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    OF_FFMPEG = "of ffmpeg's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured. `runs` are the single measurements behind the medians."""

    stream: str
    what: str
    unit: str
    xg2g: float
    ffmpeg: float | None = None
    budget: float | None = None
    judged: Judged = Judged.AT_MOST
    xg2g_runs: Sequence[float] = ()
    ffmpeg_runs: Sequence[float] = ()

    @property
    def ratio(self) -> float | None:
        """This project's figure as a part of ffmpeg's."""
        return self.xg2g / self.ffmpeg if self.ffmpeg else None

    @property
    def met(self) -> bool | None:
        """Return whether the figure is within its budget; None without a budget."""
        if self.budget is None:
            return None
        if self.judged is Judged.AT_LEAST:
            return self.xg2g >= self.budget
        value = self.ratio if self.judged is Judged.OF_FFMPEG else self.xg2g
        return value is not None and value <= self.budget

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


@dataclass(frozen=True, slots=True)
class WayFigure:
    """One thing that was measured of each way to the remuxer, in the order of `ways.NAMES`."""

    what: str
    unit: str
    values: Sequence[float]
    budgets: Sequence[float] = ()
    judged: Judged = Judged.AT_MOST

    @property
    def met(self) -> list[bool | None]:
        """Return for each way whether its figure is within budget; None without a budget."""
        if not self.budgets:
            return [None] * len(self.values)
        pairs = zip(self.values, self.budgets, strict=True)
        at_least = self.judged is Judged.AT_LEAST
        return [value >= budget if at_least else value <= budget for value, budget in pairs]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When and on what, and how quiet it was."""

    date: str
    ffmpeg: str
    xg2g: str
    cores: int
    load_before: tuple[float, float, float]
    load_after: tuple[float, float, float]

    @property
    def busy(self) -> bool:
        """Return whether other programs used the machine before this run."""
        return self.load_before[0] > 0.5


def as_json(figures: Sequence[Figure], conditions: Conditions) -> dict[str, Any]:
    return {
        "conditions": asdict(conditions),
        "figures": [figure.as_json() for figure in figures],
    }


def show_ways(console: Console, names: Sequence[str], figures: Sequence[WayFigure]) -> None:
    """Print the ways to the remuxer beside each other; budgets in brackets."""
    table = Table(title="the same stream, by the way it goes to the remuxer")
    table.add_column("measured")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for figure in figures:
        budgets: Sequence[float | None] = figure.budgets or [None] * len(names)
        cells = zip(figure.values, budgets, figure.met, strict=True)
        table.add_row(figure.what, *(_way_cell(figure, *cell) for cell in cells))
    console.print(table)


def _way_cell(figure: WayFigure, value: float, budget: float | None, met: bool | None) -> str:
    text = f"{_number(value)} {figure.unit}"
    if budget is None:
        return text
    sign = "≥" if figure.judged is Judged.AT_LEAST else "≤"
    colour = "green" if met else "red"
    return f"[{colour}]{text}[/] ({sign} {_number(budget)})"


def show(console: Console, figures: Sequence[Figure], conditions: Conditions) -> None:
    """Print the table, what the machine did besides, and which budgets are missed."""
    table = Table(title="one stream of 10 Mbit/s, one track to AAC 192k stereo")
    table.add_column("stream", no_wrap=True)
    table.add_column("measured")
    for name in ("xg2g", "ffmpeg", "ratio", "budget", ""):
        table.add_column(name, justify="right", no_wrap=True)
    last = ""
    for figure in figures:
        if last not in ("", figure.stream):
            table.add_section()
        table.add_row(
            "" if figure.stream == last else figure.stream,
            figure.what,
            f"{_number(figure.xg2g)} {figure.unit}",
            "" if figure.ffmpeg is None else f"{_number(figure.ffmpeg)} {figure.unit}",
            "" if figure.ratio is None else _number(figure.ratio),
            _budget(figure),
            {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[figure.met],
        )
        last = figure.stream
    console.print(table)
    console.print(
        f"ffmpeg {conditions.ffmpeg}; xg2g {conditions.xg2g}; {conditions.cores} cores; "
        f"load average before {_load(conditions.load_before)}, after {_load(conditions.load_after)}"
    )
    if conditions.busy:
        console.print(
            "[yellow]Other programs were running:[/] trust the ratios, which are of alternating "
            "runs; times of the wall clock (chunks, first byte) are longer than on an idle machine."
        )
    missed = [f"{each.stream}, {each.what}" for each in figures if each.met is False]
    console.print(f"[red]budgets missed:[/] {'; '.join(missed)}" if missed else "all budgets met")


def _budget(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    if figure.judged is Judged.OF_FFMPEG:
        return f"ratio ≤ {_number(figure.budget)}"
    sign = "≥" if figure.judged is Judged.AT_LEAST else "≤"
    return f"{sign} {_number(figure.budget)} {figure.unit}"


def _number(value: float) -> str:
    """Three digits are more than a measurement is worth."""
    decimals = next((d for d, least in ((0, 100), (1, 10), (2, 0.1)) if abs(value) >= least), 3)
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"


def _load(averages: tuple[float, float, float]) -> str:
    return " ".join(f"{average:.1f}" for average in averages)

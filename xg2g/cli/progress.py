"""How far a conversion is, on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@contextmanager
def showing_progress(what: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many bytes more were read; `size` is all of them, None when
    nobody knows. The line is gone at the end."""
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
    ]
    columns += [TransferSpeedColumn(), TimeRemainingColumn()] if size else [TransferSpeedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=size)
        yield lambda count: progress.advance(task, count)

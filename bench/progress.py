"""What the benchmark is doing, while it does it."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class Steps:
    """On a terminal a line that changes; elsewhere, as in a log, a line for each step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("", console=console)
        self._began_s = time.monotonic()

    def begin(self, step: str) -> None:
        """Show the step that begins now."""
        text = f"  bench      {time.monotonic() - self._began_s:3.0f} s  {step}"
        if self._console.is_terminal:
            self._status.update(text)
        else:
            self._console.print(text)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._status.stop()

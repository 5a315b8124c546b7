"""What the viewers saw, and what of it breaks a promise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.load.load_test.client import Answer

TUNER_IN_USE = (503, "804 Tuner In Use")
PROMISED = {
    (404, "801 Unknown Channel"),
    (502, "806 Tune Failed"),
    (502, "811 Content Protection Required"),
    (503, "803 System Busy"),
    TUNER_IN_USE,
    (503, "805 All Tuners In Use"),
    (503, "806 Tune Failed"),
    (504, "807 No Video Data"),
}
"""How a stream may be refused: docs/reference/http.md."""
PATIENCE_S = 40.0
"""Until a stream is answered for: time limits of connection, first byte and first output, one
after the other, and a little more."""


@dataclass
class Tally:
    """Shared by all viewers."""

    acts: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    """Connections that ended in an error, by its name."""
    wrong: list[str] = field(default_factory=list)
    resumed: Counter[bool] = field(default_factory=Counter)
    """For each viewer that paused: whether its stream went on."""
    longest_wait_s: float = 0.0
    vanished: dict[str, float] = field(default_factory=dict)
    """Address of each device that did, and the time of day."""

    def answered(self, path: str, answer: Answer) -> None:
        """Count the answer to a request for a stream."""
        self.answers[f"{answer.status} {answer.error[:3]}".rstrip()] += 1
        self.longest_wait_s = max(self.longest_wait_s, answer.after_s)
        if answer.status != 200 and (answer.status, answer.error) not in PROMISED:
            self.wrong.append(f"{path}: status {answer.status} {answer.error}")
        if answer.after_s > PATIENCE_S:
            self.wrong.append(f"{path}: {answer.after_s:.0f} s for status {answer.status}")

    def other(self, what: str, status: int, *promised: int) -> None:
        """Count an answer to any other request."""
        self.acts[what] += 1
        if status not in promised:
            self.wrong.append(f"{what}: status {status}")

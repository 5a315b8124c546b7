"""What a check finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """How serious it is."""

    GOOD = "good"
    NOTE = "note"
    """It works; somebody may want it otherwise."""
    BAD = "bad"
    SKIPPED = "skipped"
    """It could not be looked at, because of something that another finding names."""


TELEVISION = frozenset(
    ("settings", "port", "sound", "receiver", "web interface", "channels", "streams", "stream")
)
"""Topics without which nobody watches. The others stand around television: discovery, guide, logos,
clock, what is kept."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for a user, and, unless all is well, one that says what to do. Neither holds a
    secret."""

    topic: str
    verdict: Verdict
    text: str
    advice: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured, with its unit in the name."""

    @property
    def ends_television(self) -> bool:
        """Whether nobody can watch because of it."""
        return self.verdict is Verdict.BAD and self.topic in TELEVISION


def good(topic: str, text: str, **figures: float) -> Finding:
    return Finding(topic, Verdict.GOOD, text, figures=figures)


def note(topic: str, text: str, advice: str = "", **figures: float) -> Finding:
    return Finding(topic, Verdict.NOTE, text, advice, figures)


def bad(topic: str, text: str, advice: str = "", **figures: float) -> Finding:
    return Finding(topic, Verdict.BAD, text, advice, figures)


def skipped(topic: str, why: str) -> Finding:
    return Finding(topic, Verdict.SKIPPED, why)

"""What a check is given, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xg2g.config import Settings
    from xg2g.receiver.address import ReceiverAddress
    from xg2g.receiver.openwebif import ListedService, OpenWebif


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


@dataclass(kw_only=True)
class CheckContext:
    """One installation. Every check may read all of it."""

    settings: Settings
    address: ReceiverAddress | None
    """None when no receiver is set."""
    openwebif: OpenWebif | None
    wanted: str | None = None
    """Name of the channel to look at; None for the first that can be played."""
    sample_s: float = 5.0
    """How long a channel is watched."""
    is_running: bool = False
    """xg2g itself has been met on its port."""
    answers: bool = False
    """The receiver's web interface has answered."""
    services: list[ListedService] = field(default_factory=list)
    """The channels of the bouquets that were looked into."""

    @property
    def channel(self) -> ListedService | None:
        """The one to look at."""
        if self.wanted is None:
            return next(iter(self.services), None)
        name = self.wanted.casefold()
        return next((it for it in self.services if it.name.casefold() == name), None)

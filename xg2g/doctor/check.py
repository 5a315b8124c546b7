"""The input of a check, and its findings."""

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
    """How serious a finding is."""

    GOOD = "good"
    NOTE = "note"
    """It works, but could be better."""
    BAD = "bad"
    SKIPPED = "skipped"
    """It was not checked, because of another finding."""


TELEVISION = frozenset(
    ("settings", "port", "sound", "receiver", "web interface", "channels", "streams", "stream")
)
"""The topics that television needs. It works without the others: discovery, guide, logos, clock,
stored data."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A line for the user, and one with the fix unless all is well. Neither holds a secret."""

    topic: str
    verdict: Verdict
    text: str
    advice: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Measured values; the names hold the units."""

    @property
    def ends_television(self) -> bool:
        """True when nobody can watch because of it."""
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
    """The installation that is checked, and the results that later checks need."""

    settings: Settings
    address: ReceiverAddress | None
    """None when no receiver is set."""
    openwebif: OpenWebif | None
    wanted: str | None = None
    """Name of the channel to watch; None for the first one."""
    sample_s: float = 5.0
    """How long the channel is watched."""
    is_running: bool = False
    """True when xg2g answers on its own port."""
    answers: bool = False
    """True when the receiver's web interface has answered."""
    services: list[ListedService] = field(default_factory=list)
    """The channels of the bouquets that were read."""

    @property
    def channel(self) -> ListedService | None:
        """The channel to watch, or None when the receiver does not have it."""
        if self.wanted is None:
            return next(iter(self.services), None)
        name = self.wanted.casefold()
        return next((it for it in self.services if it.name.casefold() == name), None)

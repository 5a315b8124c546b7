"""Season and episode, where the texts of a programme name them beyond doubt."""

import re
from dataclasses import dataclass

_SEASON = r"(?:Staffel|Season|Series|Saison|Stagione|Temporada|Seizoen|Sæson|Säsong)"
_EPISODE = r"(?:Folge|Episode|Episodio|Épisode|Capítulo|Aflevering|Afl\.|Afsnit|Avsnitt|Ep\.|Teil)"
_BETWEEN = r"\s?[,;:.\-–/]?\s?"

_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bS(?P<season>\d{{1,4}}){_BETWEEN}E(?:p\.?)?\s?(?P<number>\d{{1,4}})\b",
        rf"\b{_SEASON}\s(?P<season>\d{{1,4}}){_BETWEEN}{_EPISODE}\s(?P<number>\d{{1,4}})\b",
        rf"\b(?P<season>\d{{1,4}})\.\s{_SEASON}{_BETWEEN}{_EPISODE}\s(?P<number>\d{{1,4}})\b",
        rf"\b(?P<season>\d{{1,4}})\.\s{_SEASON}{_BETWEEN}(?P<number>\d{{1,4}})\.\s{_EPISODE}",
        rf"\b{_EPISODE}\s(?P<number>\d{{1,4}}){_BETWEEN}{_SEASON}\s(?P<season>\d{{1,4}})\b",
        rf"\b{_EPISODE}\s(?P<number>\d{{1,4}})\b",
        r"\((?P<number>\d{1,3})/(?P<total>\d{1,3})\)",
    )
)
_HINT = re.compile(rf"\bS\d|{_SEASON}|{_EPISODE}\s\d|\(\d", re.IGNORECASE)
"""Without it no pattern fits: most texts are looked through once."""
_BEGINNING = 200
"""Of a description: what stands further in is as likely about another programme."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Counted from 1, as broadcasters do."""

    season: int | None
    number: int

    @property
    def xmltv_ns(self) -> str:
        """`season.episode.part`, from 0. The part stays empty: Kodi would take it for the episode.

        (XMLTV's DTD, episode-num.)"""
        return f"{'' if self.season is None else self.season - 1}.{self.number - 1}."

    @property
    def onscreen(self) -> str:
        """`S02E03`, or `E03`."""
        season = "" if self.season is None else f"S{self.season:02}"
        return f"{season}E{self.number:02}"


def find_episode(title: str, short: str, long: str) -> Episode | None:
    """The episode that the texts name, the surest form in any of them first."""
    texts = [text for text in (short, title, long[:_BEGINNING]) if _HINT.search(text)]
    for pattern in _PATTERNS:
        for text in texts:
            if (match := pattern.search(text)) and (episode := _episode(match.groupdict())):
                return episode
    return None


def _episode(found: dict[str, str | None]) -> Episode | None:
    number = int(found["number"] or 0)
    season = int(found.get("season") or 0)
    total = int(found.get("total") or number)
    if number < 1 or number > total or (total == 1 and found.get("total")):
        return None
    return Episode(season or None, number)

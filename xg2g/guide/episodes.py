"""Finds season and episode in the texts of a programme, if they are named unambiguously."""

import re
from dataclasses import dataclass

_SEASON_WORDS = (
    "staffel",
    "season",
    "series",
    "saison",
    "stagione",
    "temporada",
    "seizoen",
    "sæson",
    "säsong",
)
_EPISODE_WORDS = (
    "folge",
    "episode",
    "episodio",
    "épisode",
    "capítulo",
    "aflevering",
    "afl.",
    "afsnit",
    "avsnitt",
    "ep.",
    "teil",
)
_SEASON = f"(?:{'|'.join(map(re.escape, _SEASON_WORDS))})"
_EPISODE = f"(?:{'|'.join(map(re.escape, _EPISODE_WORDS))})"
_BETWEEN = r"\s?[,;:.\-–/]?\s?"

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\bs(?P<season>\d{{1,4}}){_BETWEEN}e(?:p\.?)?\s?(?P<number>\d{{1,4}})\b",
        rf"\b{_SEASON}\s(?P<season>\d{{1,4}}){_BETWEEN}{_EPISODE}\s(?P<number>\d{{1,4}})\b",
        rf"\b(?P<season>\d{{1,4}})\.\s{_SEASON}{_BETWEEN}{_EPISODE}\s(?P<number>\d{{1,4}})\b",
        rf"\b(?P<season>\d{{1,4}})\.\s{_SEASON}{_BETWEEN}(?P<number>\d{{1,4}})\.\s{_EPISODE}",
        rf"\b{_EPISODE}\s(?P<number>\d{{1,4}}){_BETWEEN}{_SEASON}\s(?P<season>\d{{1,4}})\b",
        rf"\b{_EPISODE}\s(?P<number>\d{{1,4}})\b",
        r"\((?P<number>\d{1,3})/(?P<total>\d{1,3})\)",
    )
)
_SHORT_HINT = re.compile(r"\bs\d|\(\d")
_BEGINNING = 200
"""Characters of a description that are searched: the rest may be about another programme."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Numbers of an episode, counted from 1 as broadcasters do."""

    season: int | None
    number: int

    @property
    def xmltv_ns(self) -> str:
        """`season.episode.part`, counted from 0 (XMLTV's DTD, episode-num). The part stays empty,
        since Kodi would take it for the episode."""
        return f"{'' if self.season is None else self.season - 1}.{self.number - 1}."

    @property
    def onscreen(self) -> str:
        """`S02E03`, or `E03`."""
        season = "" if self.season is None else f"S{self.season:02}"
        return f"{season}E{self.number:02}"


def find_episode(title: str, short: str, long: str) -> Episode | None:
    """Return the episode that the texts name, or None; the least ambiguous form counts."""
    texts = [text.lower() for text in (short, title, long[:_BEGINNING])]
    texts = [text for text in texts if _may_name_one(text)]
    for pattern in _PATTERNS:
        for text in texts:
            if (match := pattern.search(text)) and (episode := _episode(match.groupdict())):
                return episode
    return None


def _may_name_one(text: str) -> bool:
    """Return whether a text may name an episode. Most do not, and the patterns are slow."""
    return any(word in text for word in _EPISODE_WORDS) or bool(_SHORT_HINT.search(text))


def _episode(found: dict[str, str | None]) -> Episode | None:
    number = int(found["number"] or 0)
    season = int(found.get("season") or 0)
    total = int(found.get("total") or number)
    if number < 1 or number > total or (total == 1 and found.get("total")):
        return None
    return Episode(season or None, number)

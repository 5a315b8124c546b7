"""Season and episode, where the texts of a programme name them beyond doubt."""

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
    texts = [text.lower() for text in (short, title, long[:_BEGINNING])]
    texts = [text for text in texts if _may_name_one(text)]
    for pattern in _PATTERNS:
        for text in texts:
            if (match := pattern.search(text)) and (episode := _episode(match.groupdict())):
                return episode
    return None


def _may_name_one(text: str) -> bool:
    """Most texts do not, and searching them with the patterns is slow."""
    return any(word in text for word in _EPISODE_WORDS) or bool(_SHORT_HINT.search(text))


def _episode(found: dict[str, str | None]) -> Episode | None:
    number = int(found["number"] or 0)
    season = int(found.get("season") or 0)
    total = int(found.get("total") or number)
    if number < 1 or number > total or (total == 1 and found.get("total")):
        return None
    return Episode(season or None, number)

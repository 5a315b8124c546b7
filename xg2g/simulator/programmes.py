"""The programmes of the simulated services, computed for any time and never stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

_DAY_S = 86_400

# Minutes, a day together: half-hours, and what real schedules look like.
_DAYS = tuple(
    pattern * (24 * 60 // sum(pattern))
    for pattern in ((30,), (60, 30, 15, 45, 90, 120), (25, 25, 10, 50, 100, 30), (5, 55, 45, 15))
)
_BEGINNINGS_S = tuple(tuple(accumulate((60 * m for m in day), initial=0))[:-1] for day in _DAYS)


@dataclass(frozen=True, slots=True)
class Event:
    """One programme; `event_id` is unique within its service only."""

    event_id: int
    begin: datetime
    duration: timedelta
    title: str
    short_description: str
    long_description: str
    genre: int
    """content_nibble levels 1 and 2 (EN 300 468, table 28); 0 for none."""


@dataclass(frozen=True, slots=True)
class _Text:
    title: str
    short: str
    long: str
    genre: int


class Programmes:
    """The schedule of one service, computed from its `seed`."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._day = _DAYS[seed % len(_DAYS)]
        self._beginnings_s = _BEGINNINGS_S[seed % len(_DAYS)]

    def between(self, since: datetime, until: datetime) -> Iterator[Event]:
        """Yield the events that end after `since` and begin at `until` or before, in order."""
        since_s, until_s = since.timestamp(), until.timestamp()
        day = int(since_s // _DAY_S)
        while day * _DAY_S <= until_s:
            for slot, (minutes, offset_s) in enumerate(
                zip(self._day, self._beginnings_s, strict=True)
            ):
                begin_s = day * _DAY_S + offset_s
                if begin_s > until_s:
                    return
                if begin_s + minutes * 60 > since_s:
                    yield self._event(day, slot, begin_s, minutes)
            day += 1

    def running_at(self, now: datetime) -> Event:
        """Return the current event."""
        return next(self.between(now, now))

    def _event(self, day: int, slot: int, begin_s: int, minutes: int) -> Event:
        text = _PROGRAMMES[(self._seed * 3 + slot) % len(_PROGRAMMES)](day, slot)
        return Event(
            event_id=(day * len(self._day) + slot) % 0xFFFF + 1,
            begin=datetime.fromtimestamp(begin_s, UTC),
            duration=timedelta(minutes=minutes),
            title=text.title,
            short_description=text.short,
            long_description=text.long,
            genre=text.genre,
        )


# U+008A is the line break of EN 300 468 annex A, U+0086 and U+0087 put words in italics.
_FLASH = "A flash and a beep at each full second.\u008aBoth begin at the same instant."
_LONG = (
    "In the picture runs a clock, \u0086without a pause\u0087. Who looks closely sees the frames, "
    "who listens hears each track at its own pitch.\u008aNo animals were harmed & none were asked. "
)

_PROGRAMMES: tuple[Callable[[int, int], _Text], ...] = (
    lambda day, slot: _Text("Test card", f"Part {slot}", _FLASH, 0),
    lambda day, slot: _Text('Bars & "Tone"', f"Part {slot}", _FLASH, 0x60),
    lambda day, slot: _Text("The running clock", "", _FLASH, 0x20),
    lambda day, slot: _Text("Flash & beep", f"{day % 24 + 1}/24", _FLASH, 0x40),
    lambda day, slot: _Text("<Interlude>", "", "", 0),
    lambda day, slot: _Text(
        "Harbour Lights",
        f"Staffel {day % 9 + 1}, Folge {slot % 24 + 1}: Der erste Abend",
        f"{_LONG}\u008aDeutschland 2019\x1a",
        0x15,
    ),
    lambda day, slot: _Text(
        "The Long Afternoon", f"S{day % 9 + 1:02}E{slot % 24 + 1:02} - Departure", _LONG, 0x15
    ),
    lambda day, slot: _Text(f"Corner Shop ({day % 400 + 1})", "", f"Folge {day % 400 + 1}", 0x15),
    lambda day, slot: _Text(
        "Under the Ice", "", f"Series {day % 3 + 1}, episode {slot % 8 + 1} of 8. {_LONG}", 0x23
    ),
    lambda day, slot: _Text(
        "Les Marées", f"Saison {day % 5 + 1}, épisode {slot % 10 + 1}/10", _LONG, 0x15
    ),
    lambda day, slot: _Text(
        "Il Cortile", f"Stagione {day % 4 + 1} Episodio {slot % 12 + 1}", "", 0x15
    ),
    lambda day, slot: _Text("Weather", "Ep. 7", "", 0x20),
    lambda day, slot: _Text("Night Train", "Spielfilm, Frankreich 1987", _LONG * 2, 0x10),
    lambda day, slot: _Text(
        "Football: Home vs. Away", f"Matchday {day % 34 + 1}", "Live\u008ain HD", 0x43
    ),
    lambda day, slot: _Text("Die Maus & der Bär", f"({slot % 26 + 1}/26)", "Ab 3 Jahren", 0x55),
    lambda day, slot: _Text("Philharmonic", "", _LONG, 0x62),
    lambda day, slot: _Text("Evening Show", f"Folge {day % 900}", _LONG, 0x30),
)
